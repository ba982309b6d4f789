//! Stop texts: where an answer ends because of what it says.
//!
//! A stop text may span tokens, so text that could still become one is held back until it cannot. What is released,
//! and where the answer ends, does not depend on how the text was cut into pieces.

/// Watches a text as it grows for the first stop text in it.
#[derive(Clone, Debug)]
pub struct StopTexts {
    stops: Vec<String>,
    held: String,
    found: bool,
}

impl StopTexts {
    /// A watcher for these texts; empty ones are ignored.
    pub fn new(stops: impl IntoIterator<Item = String>) -> Self {
        Self { stops: stops.into_iter().filter(|s| !s.is_empty()).collect(), held: String::new(), found: false }
    }

    /// Whether a stop text has come: the answer is over.
    pub fn found(&self) -> bool {
        self.found
    }

    /// Adds a piece and returns what may be shown: everything before the stop text that is complete first (of those
    /// that end together, the longest), or everything that cannot be the start of one.
    pub fn push(&mut self, piece: &str) -> String {
        if self.found {
            return String::new();
        }
        self.held.push_str(piece);
        if let Some(start) = self.first_stop() {
            self.found = true;
            let mut shown = std::mem::take(&mut self.held);
            shown.truncate(start);
            return shown;
        }
        let rest = self.held.split_off(self.held.len() - self.open_suffix());
        std::mem::replace(&mut self.held, rest)
    }

    /// The text has ended: what was held back is no stop text.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the stop text begins whose end comes first.
    fn first_stop(&self) -> Option<usize> {
        let ends = self.stops.iter().filter_map(|stop| self.held.find(stop).map(|at| (at + stop.len(), at)));
        ends.min().map(|(_, start)| start)
    }

    /// Bytes of the longest tail that is a proper beginning of a stop text.
    fn open_suffix(&self) -> usize {
        let longest = |stop: &String| {
            let most = self.held.len().min(stop.len() - 1);
            (1..=most).rev().find(|&n| self.held.as_bytes().ends_with(&stop.as_bytes()[..n])).unwrap_or(0)
        };
        self.stops.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn watch(stops: &[&str]) -> StopTexts {
        StopTexts::new(stops.iter().map(|s| s.to_string()))
    }

    #[test]
    fn text_is_held_back_until_it_cannot_be_a_stop_text() {
        let mut stop = watch(&["</end>"]);
        assert_eq!(stop.push("a <"), "a ");
        assert_eq!(stop.push("/e"), "");
        assert_eq!(stop.push("x"), "</ex");
        assert_eq!(stop.push("b</en"), "b");
        assert_eq!(stop.finish(), "</en");
        assert!(!stop.found());
    }

    #[test]
    fn a_stop_text_across_pieces_ends_the_answer_before_itself() {
        let mut stop = watch(&["User:"]);
        assert_eq!(stop.push("fine.\nUs"), "fine.\n");
        assert_eq!(stop.push("er: and more"), "");
        assert!(stop.found());
        assert_eq!(stop.push("never shown"), "");
    }

    #[test]
    fn the_stop_that_is_complete_first_wins() {
        assert_eq!(watch(&["abc", "b"]).push("abc"), "a");
        assert_eq!(watch(&["bc", "abc"]).push("xabc"), "x");
    }

    #[test]
    fn a_stop_text_of_wide_characters_never_splits_one() {
        let mut stop = watch(&["é!"]);
        assert_eq!(stop.push("caf\u{e8}"), "caf\u{e8}");
        assert_eq!(stop.push("é"), "");
        assert_eq!(stop.push("?"), "é?");
    }

    #[test]
    fn no_stop_texts_pass_everything_through() {
        assert_eq!(watch(&[""]).push("a"), "a");
    }

    proptest! {
        #[test]
        fn how_the_text_is_cut_changes_nothing(
            text in "[abé]{0,40}", stops in prop::collection::vec("[abé]{1,4}", 0..3), cuts in prop::collection::vec(0usize..40, 0..6),
        ) {
            let run = |pieces: &[&str]| {
                let mut stop = StopTexts::new(stops.clone());
                let mut shown: String = pieces.iter().map(|p| stop.push(p)).collect();
                if !stop.found() {
                    shown.push_str(&stop.finish());
                }
                (shown, stop.found())
            };
            let mut at: Vec<usize> = cuts.into_iter().filter(|&c| text.is_char_boundary(c) && c <= text.len()).collect();
            at.extend([0, text.len()]);
            at.sort_unstable();
            let pieces: Vec<&str> = at.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            prop_assert_eq!(run(&pieces), run(&[&text]));
        }

        #[test]
        fn what_is_shown_has_no_stop_text_in_it(text in "[ab]{0,40}", stop in "[ab]{1,3}") {
            let mut watch = StopTexts::new([stop.clone()]);
            let mut shown = watch.push(&text);
            if !watch.found() {
                shown.push_str(&watch.finish());
            }
            prop_assert!(!shown.contains(&stop));
            prop_assert_eq!(watch.found(), text.contains(&stop));
        }
    }
}
