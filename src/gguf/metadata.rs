//! The key-value part of a GGUF file: an index of offsets over the map, and typed getters that read through it.
//!
//! Nothing is copied at open: keys, strings and arrays stay in the map, and the index holds where they are.
//! Every getter checks bounds again when it reads, because the file may change after it was indexed.

use std::sync::Arc;

use super::cursor::Quoted;
use super::map::MappedFile;
use super::value::{Strings, Value, ValueType};
use crate::{Error, Result};

/// Most layers that a per-layer getter serves: above it, a repeated scalar would follow an unchecked number.
pub const LAYERS_MAX: usize = 1 << 16;

/// Where one key and its value stand in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Offset of the key's first byte.
    pub(super) key: u64,
    /// The key's length in bytes.
    pub(super) key_len: u32,
    /// What the value is.
    pub(super) ty: ValueType,
    /// Offset of the value's first byte, after its type.
    pub(super) value: u64,
    /// Offset of the first byte behind the value.
    pub(super) end: u64,
}

/// The metadata of a model (of its first shard, when it is split), in file order.
#[derive(Debug)]
pub struct Metadata {
    file: Arc<MappedFile>,
    entries: Vec<Entry>,
    /// Entry numbers, sorted by key.
    by_key: Vec<u32>,
}

/// Entries of an array of numbers at most, of those that are asked for: a token has one in each.
const NUMBERS_MAX: usize = 1 << 22;

impl Metadata {
    /// Indexes `entries` of `file`. Errors where a key stands twice.
    pub(super) fn new(file: Arc<MappedFile>, entries: Vec<Entry>) -> Result<Self> {
        let mut by_key: Vec<u32> = (0..entries.len() as u32).collect();
        by_key.sort_by_key(|&i| key_bytes(&file, &entries[i as usize]));
        for pair in by_key.windows(2) {
            let [a, b] = [&entries[pair[0] as usize], &entries[pair[1] as usize]];
            if key_bytes(&file, a) == key_bytes(&file, b) {
                let what = format!("key {} stands twice, at bytes {} and {}", Quoted(key_text(&file, a)), a.key, b.key);
                return Err(Error::file(file.path(), what));
            }
        }
        Ok(Self { file, entries, by_key })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys in file order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| key_text(&self.file, e))
    }

    /// Whether `key` is there, of whatever type.
    pub fn contains(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The value of `key` as it stands, for inspection.
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        self.value(self.entry(key)?)
    }

    /// An error about the value of `key`, which is well-formed and means nothing that can be: names the file, the key, and
    /// the byte where the value stands (if the file has it).
    pub fn error(&self, key: &str, what: impl std::fmt::Display) -> Error {
        let at = self.entry(key).map(|entry| format!(" (at byte {})", entry.value)).unwrap_or_default();
        Error::file(self.file.path(), format!("metadata {key}{at}: {what}"))
    }

    /// The value of `key` as an unsigned 32-bit number, from any integer type. Errors: another type, or out of range.
    pub fn u32(&self, key: &str) -> Result<Option<u32>> {
        self.scalar(key, "an integer from 0 to 4294967295", |v| u32::try_from(v.integer()?).ok())
    }

    /// The value of `key` as an unsigned 64-bit number, from any integer type. Errors: another type, or negative.
    pub fn u64(&self, key: &str) -> Result<Option<u64>> {
        self.scalar(key, "an integer from 0", |v| u64::try_from(v.integer()?).ok())
    }

    /// The value of `key` as a signed 32-bit number, from any integer type. Errors: another type, or out of range.
    pub fn i32(&self, key: &str) -> Result<Option<i32>> {
        self.scalar(key, "an integer of 32 bits", |v| i32::try_from(v.integer()?).ok())
    }

    /// The value of `key` as a float. Errors: any type but f32 and f64.
    pub fn f32(&self, key: &str) -> Result<Option<f32>> {
        self.scalar(key, "a float", |v| v.float())
    }

    /// The value of `key` as a truth value. Errors: any other type.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        self.scalar(key, "a bool", |v| v.boolean())
    }

    /// The value of `key` as text. Errors: another type, or invalid UTF-8.
    pub fn str(&self, key: &str) -> Result<Option<&str>> {
        let Some((entry, value)) = self.find(key) else { return Ok(None) };
        let Some(Value::String(bytes)) = value else { return Err(self.wrong(entry, "a string", value)) };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(e) => {
                let at = entry.value.saturating_add(8 + e.valid_up_to() as u64);
                Err(Error::file(
                    self.file.path(),
                    format!("the value of key {} is not valid UTF-8 (at byte {at})", Quoted(key)),
                ))
            }
        }
    }

    /// The value of `key` as an array of strings, borrowed from the map. Errors: any other type.
    pub fn strings(&self, key: &str) -> Result<Option<Strings<'_>>> {
        let Some((entry, value)) = self.find(key) else { return Ok(None) };
        match value {
            Some(Value::Array(a)) if a.ty() == ValueType::String => {
                Ok(Some(Strings::new(a, self.file.path(), key_text(&self.file, entry))))
            }
            value => Err(self.wrong(entry, "an array of strings", value)),
        }
    }

    /// The value of `key` as an array of unsigned numbers, from any integer type. Errors: another type, or an entry out of range.
    pub fn u32s(&self, key: &str) -> Result<Option<Vec<u32>>> {
        self.array(key, "an integer from 0 to 4294967295", |v| u32::try_from(v.integer()?).ok())
    }

    /// The value of `key` as an array of signed numbers, from any integer type. Errors: another type, or an entry out of range.
    pub fn i32s(&self, key: &str) -> Result<Option<Vec<i32>>> {
        self.array(key, "an integer of 32 bits", |v| i32::try_from(v.integer()?).ok())
    }

    /// The value of `key` as an array of floats (f32 or f64 in the file). Errors: any other type.
    pub fn f32s(&self, key: &str) -> Result<Option<Vec<f32>>> {
        self.array(key, "a float", |v| v.float())
    }

    /// The value of `key` as an array of truth values; some writers put whole numbers, 0 for false and 1 for true. Errors:
    /// any other type or number.
    pub fn bools(&self, key: &str) -> Result<Option<Vec<bool>>> {
        let number = |v: &Value<'_>| [false, true].get(usize::try_from(v.integer()?).ok()?).copied();
        self.array(key, "a bool, 0 or 1", |v| v.boolean().or_else(|| number(v)))
    }

    /// One number per layer: a scalar is repeated `n` times, an array must have `n` entries.
    pub fn u32_per_layer(&self, key: &str, n: usize) -> Result<Option<Vec<u32>>> {
        self.per_layer(key, n, Self::u32, Self::u32s)
    }

    /// One float per layer: a scalar is repeated `n` times, an array must have `n` entries.
    pub fn f32_per_layer(&self, key: &str, n: usize) -> Result<Option<Vec<f32>>> {
        self.per_layer(key, n, Self::f32, Self::f32s)
    }

    /// One truth value per layer: a scalar is repeated `n` times, an array must have `n` entries.
    pub fn bool_per_layer(&self, key: &str, n: usize) -> Result<Option<Vec<bool>>> {
        self.per_layer(key, n, Self::bool, Self::bools)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        let at =
            self.by_key.binary_search_by_key(&key.as_bytes(), |&i| key_bytes(&self.file, &self.entries[i as usize]));
        Some(&self.entries[self.by_key[at.ok()?] as usize])
    }

    fn value(&self, e: &Entry) -> Option<Value<'_>> {
        let bytes = self.file.get(e.value, e.end.checked_sub(e.value)?)?;
        Value::read(e.ty, bytes, e.value)
    }

    fn find(&self, key: &str) -> Option<(&Entry, Option<Value<'_>>)> {
        self.entry(key).map(|e| (e, self.value(e)))
    }

    /// The error of a getter that wanted `wanted`; no value at all means that the file changed since it was opened.
    fn wrong(&self, entry: &Entry, wanted: &str, found: Option<Value<'_>>) -> Error {
        let found = found.map_or("something else since the file changed".to_owned(), |v| v.describe());
        let what = format!(
            "key {} should be {wanted}, but is {found} (at byte {})",
            Quoted(key_text(&self.file, entry)),
            entry.value
        );
        Error::file(self.file.path(), what)
    }

    fn scalar<T>(&self, key: &str, wanted: &str, convert: impl Fn(&Value<'_>) -> Option<T>) -> Result<Option<T>> {
        let Some((entry, value)) = self.find(key) else { return Ok(None) };
        match value.as_ref().and_then(convert) {
            Some(v) => Ok(Some(v)),
            None => Err(self.wrong(entry, wanted, value)),
        }
    }

    fn array<T>(&self, key: &str, wanted: &str, convert: impl Fn(&Value<'_>) -> Option<T>) -> Result<Option<Vec<T>>> {
        let Some((entry, value)) = self.find(key) else { return Ok(None) };
        let Some(Value::Array(array)) = value else {
            return Err(self.wrong(entry, &format!("an array whose entries are {wanted}"), value));
        };
        if array.len() > NUMBERS_MAX {
            let what = format!("array {} has {} entries; at most {NUMBERS_MAX} are read", Quoted(key), array.len());
            return Err(Error::file(self.file.path(), what));
        }
        let mut out = Vec::with_capacity(array.len());
        for (i, v) in array.iter().enumerate() {
            match convert(&v) {
                Some(v) => out.push(v),
                None => {
                    let what = format!(
                        "entry {i} of array {} should be {wanted}, but is {} (array at byte {})",
                        Quoted(key),
                        v.describe(),
                        entry.value
                    );
                    return Err(Error::file(self.file.path(), what));
                }
            }
        }
        if out.len() != array.len() {
            return Err(self.wrong(entry, wanted, None));
        }
        Ok(Some(out))
    }

    fn per_layer<T: Clone>(
        &self,
        key: &str,
        n: usize,
        one: impl Fn(&Self, &str) -> Result<Option<T>>,
        many: impl Fn(&Self, &str) -> Result<Option<Vec<T>>>,
    ) -> Result<Option<Vec<T>>> {
        let Some(entry) = self.entry(key) else { return Ok(None) };
        if n > LAYERS_MAX {
            let what = format!("{n} layers are more than the {LAYERS_MAX} that are possible (for key {})", Quoted(key));
            return Err(Error::file(self.file.path(), what));
        }
        if entry.ty != ValueType::Array {
            return Ok(one(self, key)?.map(|v| vec![v; n]));
        }
        let values = many(self, key)?;
        match values {
            Some(v) if v.len() != n => {
                let what =
                    format!("array {} has {} entries for {n} layers (at byte {})", Quoted(key), v.len(), entry.value);
                Err(Error::file(self.file.path(), what))
            }
            values => Ok(values),
        }
    }
}

fn key_bytes<'a>(file: &'a MappedFile, e: &Entry) -> &'a [u8] {
    file.get(e.key, e.key_len.into()).unwrap_or_default()
}

/// A key as text. It was UTF-8 when it was indexed; should the file have changed since, it is shown as empty.
fn key_text<'a>(file: &'a MappedFile, e: &Entry) -> &'a str {
    std::str::from_utf8(key_bytes(file, e)).unwrap_or_default()
}
