//! The texts of a vocabulary by id, and ids by text: all bytes in one block and a table of ids beside it, because a
//! vocabulary of 256,000 texts of their own would take several times the memory and the time.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::vocab::required_strings;
use crate::gguf::Gguf;
use crate::{Error, Result};

/// Texts in the file's spelling, numbered from 0 on.
#[derive(Debug)]
pub struct Texts {
    /// All texts, one after another.
    bytes: Vec<u8>,
    /// Where each text ends in `bytes`.
    ends: Vec<usize>,
    /// Ids, by the hash of their texts; of equal texts the last one stands here, and an empty text does not.
    ids: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Texts {
    /// Reads `tokenizer.ggml.tokens`. Errors: absent, empty, or too many.
    pub fn read(gguf: &Gguf) -> Result<Self> {
        let key = "tokenizer.ggml.tokens";
        let tokens = required_strings(gguf, key)?;
        if tokens.is_empty() {
            return Err(Error::file(gguf.path(), format!("`{key}` is empty: a vocabulary has at least one token")));
        }
        Ok(Self::new(tokens.bytes()))
    }

    /// Numbers `texts`: fewer than 2^32.
    pub fn new<'a>(texts: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        let mut new = Self {
            bytes: Vec::new(),
            ends: Vec::with_capacity(texts.len()),
            ids: HashTable::with_capacity(texts.len()),
            hasher: DefaultHashBuilder::default(),
        };
        texts.for_each(|text| new.push(text));
        new
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The texts, by id.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|id| text_at(&self.bytes, &self.ends, id))
    }

    /// The id of `text`, which is not empty.
    pub fn id(&self, text: impl AsRef<[u8]>) -> Option<u32> {
        let text = text.as_ref();
        let same = |&id: &u32| text_at(&self.bytes, &self.ends, id as usize) == text;
        self.ids.find(self.hasher.hash_one(text), same).copied()
    }

    /// The id of `text`, which is not empty and gets the next id if it has none.
    pub fn id_or_push(&mut self, text: &str) -> u32 {
        self.id(text).unwrap_or_else(|| {
            self.push(text.as_bytes());
            self.len() as u32 - 1
        })
    }

    fn push(&mut self, text: &[u8]) {
        let id = self.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        if text.is_empty() {
            return;
        }
        let Self { bytes, ends, ids, hasher } = self;
        let known = |&id: &u32| text_at(bytes, ends, id as usize);
        let entry = ids.entry(hasher.hash_one(text), |id| known(id) == text, |id| hasher.hash_one(known(id)));
        entry.and_modify(|last| *last = id).or_insert(id);
    }
}

fn text_at<'b>(bytes: &'b [u8], ends: &[usize], id: usize) -> &'b [u8] {
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_texts_the_last_counts_and_an_empty_one_is_not_found() {
        let list: [&[u8]; 5] = [b"a", b"", b"b", b"a", b"\xFF"];
        let mut texts = Texts::new(list.into_iter());
        assert_eq!(
            [texts.id("a"), texts.id("b"), texts.id([0xFFu8]), texts.id("c")],
            [Some(3), Some(2), Some(4), None]
        );
        assert!(texts.iter().eq(list));
        assert_eq!([texts.id_or_push("b"), texts.id_or_push("c"), texts.id_or_push("c")], [2, 5, 5]);
    }

    #[test]
    fn many_texts_are_found_after_the_table_has_grown() {
        let mut texts = Texts::new(std::iter::empty());
        let list: Vec<String> = (0..10_000).map(|i| format!("{i:x}")).collect();
        for (text, id) in list.iter().zip(0..) {
            assert_eq!(texts.id_or_push(text), id);
        }
        assert!(list.iter().zip(0..).all(|(text, id)| texts.id(text) == Some(id)));
    }
}
