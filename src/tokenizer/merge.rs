//! Merging neighbours, best first, until no two of them make a token: what both kinds of tokenizer do with a word.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A token and how many bytes it stands for.
pub type Merged = (u32, usize);

/// The memory in which words are merged, one after another.
#[derive(Debug, Default)]
pub struct Word {
    /// By the byte at which they begin; those between have no length.
    symbols: Vec<Symbol>,
    /// Merges that can be done, and some that no longer can. A merge of the same rank goes before those to its right.
    queue: BinaryHeap<Reverse<Merge>>,
}

/// A stretch of the word.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// Its token.
    pub id: u32,
    /// Its length in bytes; 0 once it was merged into its left neighbour.
    pub len: u32,
    /// Where its left neighbour begins.
    prev: u32,
}

/// The merge of the symbol at `left` with its neighbour to the token `id`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Merge {
    rank: u32,
    left: u32,
    /// Length of both, to know an outdated entry by: neighbours only grow.
    len: u32,
    id: u32,
}

/// What a byte of a word takes while it is merged.
pub const SYMBOL_BYTES: usize = size_of::<Symbol>();
/// What two neighbours take that may be merged.
pub const MERGE_BYTES: usize = size_of::<Merge>();

/// No neighbour.
const NONE: u32 = u32::MAX;

impl Word {
    /// Merges `parts`, whose lengths are at least 1 and together less than 2^32. `joined` gives the rank (lowest first)
    /// and the token of two neighbours of which the first begins at the given byte, if there is a merge of them.
    pub fn merge(
        &mut self,
        parts: impl Iterator<Item = Merged>,
        joined: impl Fn(usize, Symbol, Symbol) -> Option<(u32, u32)>,
    ) -> impl Iterator<Item = Merged> {
        self.fill(parts);
        for left in 0..self.symbols.len() {
            if self.symbols[left].len > 0 {
                self.enqueue(left, &joined);
            }
        }
        while let Some(Reverse(merge)) = self.queue.pop() {
            let at = merge.left as usize;
            let left = self.symbols[at];
            let next = at + left.len as usize;
            let Some(right) = self.symbols.get_mut(next).filter(|_| left.len > 0) else { continue };
            if left.len + right.len != merge.len {
                continue;
            }
            right.len = 0;
            self.symbols[at] = Symbol { id: merge.id, len: merge.len, ..left };
            if let Some(after) = self.symbols.get_mut(at + merge.len as usize) {
                after.prev = merge.left;
            }
            if left.prev != NONE {
                self.enqueue(left.prev as usize, &joined);
            }
            self.enqueue(at, &joined);
        }
        self.symbols.iter().filter(|symbol| symbol.len > 0).map(|symbol| (symbol.id, symbol.len as usize))
    }

    fn fill(&mut self, parts: impl Iterator<Item = Merged>) {
        self.symbols.clear();
        let mut prev = NONE;
        for (id, len) in parts {
            let at = self.symbols.len();
            self.symbols.push(Symbol { id, len: len as u32, prev });
            self.symbols.resize(at + len, Symbol { id, len: 0, prev });
            prev = at as u32;
        }
    }

    /// Adds the merge of the symbol at `left` with its neighbour, if there is one.
    fn enqueue(&mut self, left: usize, joined: impl Fn(usize, Symbol, Symbol) -> Option<(u32, u32)>) {
        let symbol = self.symbols[left];
        let Some(&right) = self.symbols.get(left + symbol.len as usize) else { return };
        if let Some((rank, id)) = joined(left, symbol, right) {
            self.queue.push(Reverse(Merge { rank, left: left as u32, len: symbol.len + right.len, id }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Merges neighbours whose lengths are given, to tokens of id 0; `rank` is by the two lengths.
    fn lengths(parts: &[usize], rank: impl Fn(usize, u32, u32) -> Option<u32>) -> Vec<usize> {
        let parts = parts.iter().map(|&len| (0, len));
        let joined = |at, a: Symbol, b: Symbol| Some((rank(at, a.len, b.len)?, 0));
        Word::default().merge(parts, joined).map(|(_, len)| len).collect()
    }

    #[test]
    fn the_lowest_rank_goes_first_and_of_equals_the_left_one() {
        let same = |_, a, b| (a == b).then_some(0);
        assert_eq!(lengths(&[1; 5], same), [4, 1]);
        let from_the_right = |at, a, b| (a == 1 && b == 1).then_some(9 - at as u32);
        assert_eq!(lengths(&[1; 5], from_the_right), [1, 2, 2]);
    }

    #[test]
    fn a_word_of_nothing_or_without_merges_stays_as_it_is() {
        assert!(lengths(&[], |_, _, _| Some(0)).is_empty());
        assert_eq!(lengths(&[3, 1, 2], |_, _, _| None), [3, 1, 2]);
        assert_eq!(lengths(&[3, 1, 2], |_, _, _| Some(0)), [6]);
    }
}
