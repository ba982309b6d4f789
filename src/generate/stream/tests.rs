use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::generate::sampler::Sampling;

const END: u32 = 0;

/// A model that says one script, token after token, whatever it is told; its KV cache is the list of what it was fed.
struct Script {
    says: Vec<u32>,
    held: Vec<u32>,
    fed: Vec<Vec<u32>>,
    prompt: usize,
    ctx: usize,
}

impl Script {
    fn new(says: &[u32], prompt: usize, ctx: usize) -> Self {
        Self { says: says.to_vec(), held: vec![], fed: vec![], prompt, ctx }
    }
}

impl LanguageModel for Script {
    fn each_logits(
        &mut self,
        tokens: &[u32],
        wanted: Range<usize>,
        cancel: &dyn Fn() -> bool,
        each: &mut dyn FnMut(&[f32]) -> Result<()>,
    ) -> Result<bool> {
        assert_eq!(wanted, tokens.len() - 1..tokens.len(), "the token loop needs the last row only");
        self.fed.push(tokens.to_vec());
        for &token in tokens {
            if cancel() {
                return Ok(false);
            }
            self.held.push(token);
        }
        let next = self.says.get(self.held.len() - self.prompt).copied().unwrap_or(END);
        each(&(0..100).map(|id| if id == next { 1.0 } else { 0.0 }).collect::<Vec<f32>>())?;
        Ok(true)
    }
    fn position(&self) -> usize {
        self.held.len()
    }
    fn rewind(&mut self, position: usize) -> Result<()> {
        self.held.truncate(position);
        Ok(())
    }
    fn ctx(&self) -> usize {
        self.ctx
    }
    fn vocab(&self) -> usize {
        100
    }
    fn counters(&self) -> Counters {
        Counters {
            misses: self.held.len() as u64,
            stall: Duration::from_millis(self.held.len() as u64),
            ..Counters::default()
        }
    }
}

/// Tokens are ASCII letters.
struct Letters;

impl TokenText for Letters {
    fn push(&mut self, token: u32) -> String {
        char::from(token as u8).to_string()
    }
    fn finish(&mut self) -> String {
        String::new()
    }
    fn is_end(&self, token: u32) -> bool {
        token == END
    }
}

fn ids(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

struct Case<'a> {
    says: &'a str,
    prompt: &'a str,
    ctx: usize,
    max_tokens: Option<usize>,
    stops: &'a [&'a str],
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self { says: "HELLO", prompt: "ab", ctx: 50, max_tokens: None, stops: &[] }
    }
}

impl Case<'_> {
    fn run(&self) -> (Result<Answer>, String, Script) {
        let mut model = Script::new(&ids(self.says), self.prompt.len(), self.ctx);
        let stops: Vec<String> = self.stops.iter().map(|s| s.to_string()).collect();
        let prompt = ids(self.prompt);
        let request = Request { prompt: &prompt, max_tokens: self.max_tokens, stops: &stops };
        let mut sampler = Sampler::new(Sampling::greedy());
        let mut shown = String::new();
        let mut show = |piece: &str| {
            shown.push_str(piece);
            Ok(())
        };
        let answer = Generator::new().answer(&mut model, &mut Letters, &mut sampler, &request, &|| false, &mut show);
        (answer, shown, model)
    }
}

#[test]
fn an_answer_ends_at_the_end_token() {
    let (answer, shown, _) = Case::default().run();
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.ended), ("HELLO", Ended::EndToken));
    assert_eq!(answer.ids, [ids("HELLO"), vec![END]].concat());
    assert_eq!(shown, answer.text);
}

#[test]
fn the_wanted_number_of_tokens_is_generated_and_the_last_is_not_computed() {
    let (answer, _, model) = Case { max_tokens: Some(3), ..Case::default() }.run();
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.ended), ("HEL", Ended::Length));
    assert_eq!(model.held, ids("abHE"));
    assert_eq!((answer.stats.prefill.tokens, answer.stats.decode.tokens, answer.stats.steps.len()), (2, 2, 2));
    assert_eq!((answer.stats.prefill.experts.misses, answer.stats.decode.experts.misses), (2, 2));
}

#[test]
fn no_tokens_wanted_computes_the_prompt_alone() {
    let (answer, shown, model) = Case { max_tokens: Some(0), ..Case::default() }.run();
    let answer = answer.unwrap();
    assert_eq!((answer.ids.len(), answer.ended, shown.as_str()), (0, Ended::Length, ""));
    assert_eq!((model.held, answer.stats.first_token), (ids("ab"), None));
}

#[test]
fn a_stop_text_ends_the_answer_and_is_not_shown() {
    let (answer, shown, _) = Case { stops: &["LLO"], ..Case::default() }.run();
    assert_eq!((shown.as_str(), answer.unwrap().ended), ("HE", Ended::StopText));
    let (answer, shown, _) = Case { stops: &["LOW"], ..Case::default() }.run();
    assert_eq!((shown.as_str(), answer.unwrap().ended), ("HELLO", Ended::EndToken));
}

#[test]
fn a_full_context_ends_the_answer_with_one_token_that_is_not_fed() {
    let (answer, shown, model) = Case { ctx: 4, ..Case::default() }.run();
    assert_eq!((shown.as_str(), answer.unwrap().ended), ("HEL", Ended::ContextFull));
    assert_eq!(model.held.len(), 4);
}

#[test]
fn a_prompt_that_does_not_fit_is_an_error_with_the_numbers() {
    let error = Case { prompt: "abcdef", ctx: 4, ..Case::default() }.run().0.unwrap_err().to_string();
    assert!(error.contains("6 tokens") && error.contains("context of 4") && error.contains("--ctx 6"), "{error}");
    assert!(Case { prompt: "", ..Case::default() }.run().0.is_err());
}

#[test]
fn the_next_turn_computes_only_what_the_kv_cache_does_not_hold() {
    let mut model = Script::new(&ids("HELLO"), 2, 50);
    let mut generator = Generator::new();
    let mut sampler = Sampler::new(Sampling::greedy());
    let mut answer = |model: &mut Script, prompt: &str| {
        model.prompt = prompt.len();
        let prompt = ids(prompt);
        let request = Request { prompt: &prompt, max_tokens: Some(2), stops: &[] };
        generator.answer(model, &mut Letters, &mut sampler, &request, &|| false, &mut |_| Ok(())).unwrap()
    };
    assert_eq!(answer(&mut model, "ab").text, "HE");
    // "H" was fed, "E" was not: the turn continues with it.
    assert_eq!(answer(&mut model, "abHEcd").stats.prefill.tokens, 3);
    assert_eq!(model.fed[2], ids("Ecd"));
    // Another history: back to where it differs.
    assert_eq!(answer(&mut model, "abX").stats.prefill.tokens, 1);
    // The same again: the last token is computed once more, for its logits.
    assert_eq!(answer(&mut model, "abX").stats.prefill.tokens, 1);
    assert_eq!(model.held, ids("abXH"));
}

#[test]
fn an_interrupt_stops_prefill_and_answer_and_the_cache_stays_known() {
    let mut model = Script::new(&ids("HELLO"), 4, 50);
    let mut generator = Generator::new();
    let mut sampler = Sampler::new(Sampling::greedy());
    let prompt = ids("abcd");
    let request = Request { prompt: &prompt, max_tokens: None, stops: &[] };
    let asked = Cell::new(0);
    let mut after = |n: u32| {
        asked.set(0);
        let cancel = || asked.replace(asked.get() + 1) >= n;
        generator.answer(&mut model, &mut Letters, &mut sampler, &request, &cancel, &mut |_| Ok(())).unwrap()
    };
    let stopped = after(2);
    assert_eq!((stopped.ended, stopped.text.as_str(), stopped.stats.prefill.tokens), (Ended::Interrupted, "", 2));
    // two more asked in prefill, and the third time before the first token is drawn
    let stopped = after(2);
    assert_eq!((stopped.ended, stopped.text.as_str(), stopped.stats.prefill.tokens), (Ended::Interrupted, "", 2));
    // the last token once more, one answered, and stopped in feeding it
    let stopped = after(2);
    assert_eq!((stopped.ended, stopped.text.as_str(), stopped.stats.prefill.tokens), (Ended::Interrupted, "H", 1));
    assert_eq!(model.held, ids("abcd"), "what was stopped is not held");
}
