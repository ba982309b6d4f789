//! Metadata values as they stand in the map: scalars by value, strings and arrays borrowed.

use std::fmt;
use std::path::Path;

use super::cursor::Quoted;
use crate::{Error, Result};

/// Deepest nesting of arrays.
pub const ARRAY_DEPTH_MAX: u32 = 4;

/// The thirteen value types of the GGUF specification, by their number in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs)]
pub enum ValueType {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl ValueType {
    /// The type of number `id`, if there is one.
    pub(super) fn from_id(id: u32) -> Option<Self> {
        use ValueType::*;
        [U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64].get(id as usize).copied()
    }

    /// Bytes of one value; `None` for strings and arrays, whose length stands before them.
    pub(super) fn size(self) -> Option<u64> {
        use ValueType::*;
        match self {
            U8 | I8 | Bool => Some(1),
            U16 | I16 => Some(2),
            U32 | I32 | F32 => Some(4),
            U64 | I64 | F64 => Some(8),
            String | Array => None,
        }
    }

    /// The fewest bytes that one value can take.
    pub(super) fn size_min(self) -> u64 {
        match self {
            // Type of the entries and their count.
            Self::Array => 12,
            // The length.
            Self::String => 8,
            sized => sized.size().unwrap_or(1),
        }
    }

    /// The type's name, as messages show it.
    pub fn name(self) -> &'static str {
        use ValueType::*;
        match self {
            U8 => "u8",
            I8 => "i8",
            U16 => "u16",
            I16 => "i16",
            U32 => "u32",
            I32 => "i32",
            F32 => "f32",
            Bool => "bool",
            String => "string",
            Array => "array",
            U64 => "u64",
            I64 => "i64",
            F64 => "f64",
        }
    }
}

/// One metadata value. Strings are bytes, because tokens need not be valid UTF-8.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Value<'a> {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(&'a [u8]),
    Array(Array<'a>),
    U64(u64),
    I64(i64),
    F64(f64),
}

/// The first `N` bytes.
fn head<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.get(..N)?.try_into().ok()
}

/// The string whose length stands at the start of `bytes`, and what follows it.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::try_from(u64::from_le_bytes(head(bytes)?)).ok()?;
    bytes.get(8..)?.split_at_checked(len)
}

impl<'a> Value<'a> {
    /// Reads the value of type `ty` at the start of `bytes`, which stand at offset `at` of the file.
    /// `None` where `bytes` do not hold it, which a checked file rules out unless it changed meanwhile.
    pub(super) fn read(ty: ValueType, bytes: &'a [u8], at: u64) -> Option<Self> {
        Some(match ty {
            ValueType::U8 => Self::U8(*bytes.first()?),
            ValueType::I8 => Self::I8(i8::from_le_bytes(head(bytes)?)),
            ValueType::U16 => Self::U16(u16::from_le_bytes(head(bytes)?)),
            ValueType::I16 => Self::I16(i16::from_le_bytes(head(bytes)?)),
            ValueType::U32 => Self::U32(u32::from_le_bytes(head(bytes)?)),
            ValueType::I32 => Self::I32(i32::from_le_bytes(head(bytes)?)),
            ValueType::F32 => Self::F32(f32::from_le_bytes(head(bytes)?)),
            ValueType::Bool => Self::Bool(*bytes.first()? != 0),
            ValueType::String => Self::String(split_string(bytes)?.0),
            ValueType::Array => Self::Array(Array::read(bytes, at)?),
            ValueType::U64 => Self::U64(u64::from_le_bytes(head(bytes)?)),
            ValueType::I64 => Self::I64(i64::from_le_bytes(head(bytes)?)),
            ValueType::F64 => Self::F64(f64::from_le_bytes(head(bytes)?)),
        })
    }

    /// The value's type.
    pub fn ty(&self) -> ValueType {
        match self {
            Self::U8(_) => ValueType::U8,
            Self::I8(_) => ValueType::I8,
            Self::U16(_) => ValueType::U16,
            Self::I16(_) => ValueType::I16,
            Self::U32(_) => ValueType::U32,
            Self::I32(_) => ValueType::I32,
            Self::F32(_) => ValueType::F32,
            Self::Bool(_) => ValueType::Bool,
            Self::String(_) => ValueType::String,
            Self::Array(_) => ValueType::Array,
            Self::U64(_) => ValueType::U64,
            Self::I64(_) => ValueType::I64,
            Self::F64(_) => ValueType::F64,
        }
    }

    /// The number, if the value is of an integer type.
    pub fn integer(&self) -> Option<i128> {
        Some(match *self {
            Self::U8(v) => v.into(),
            Self::I8(v) => v.into(),
            Self::U16(v) => v.into(),
            Self::I16(v) => v.into(),
            Self::U32(v) => v.into(),
            Self::I32(v) => v.into(),
            Self::U64(v) => v.into(),
            Self::I64(v) => v.into(),
            _ => return None,
        })
    }

    /// The number, if the value is a float; an f64 is rounded.
    pub fn float(&self) -> Option<f32> {
        match *self {
            Self::F32(v) => Some(v),
            Self::F64(v) => Some(v as f32),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn boolean(&self) -> Option<bool> {
        match *self {
            Self::Bool(v) => Some(v),
            _ => None,
        }
    }

    /// Type and value in a few words, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::String(_) => "a string".to_owned(),
            Self::Array(a) => format!("an array of {} {}", a.len(), a.ty().name()),
            v => format!("{} {v}", v.ty().name()),
        }
    }
}

impl fmt::Display for Value<'_> {
    /// The whole value: strings with what is not UTF-8 replaced, arrays in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::U8(v) => v.fmt(f),
            Self::I8(v) => v.fmt(f),
            Self::U16(v) => v.fmt(f),
            Self::I16(v) => v.fmt(f),
            Self::U32(v) => v.fmt(f),
            Self::I32(v) => v.fmt(f),
            Self::F32(v) => v.fmt(f),
            Self::Bool(v) => v.fmt(f),
            Self::String(v) => String::from_utf8_lossy(v).fmt(f),
            Self::U64(v) => v.fmt(f),
            Self::I64(v) => v.fmt(f),
            Self::F64(v) => v.fmt(f),
            Self::Array(a) => {
                f.write_str("[")?;
                for (i, v) in a.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    v.fmt(f)?;
                }
                f.write_str("]")
            }
        }
    }
}

/// An array in the map: entries of one type, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    ty: ValueType,
    len: usize,
    /// From the first entry to the end of the key's value (a nested array: of the outermost one).
    bytes: &'a [u8],
    /// Where `bytes` stand in the file.
    at: u64,
}

impl<'a> Array<'a> {
    fn read(bytes: &'a [u8], at: u64) -> Option<Self> {
        let ty = ValueType::from_id(u32::from_le_bytes(head(bytes)?))?;
        let len = u64::from_le_bytes(head(bytes.get(4..)?)?);
        let bytes = bytes.get(12..)?;
        // The count was checked when the file was opened; checked again, it can size an allocation.
        let len = usize::try_from(len).ok().filter(|&n| n as u64 <= bytes.len() as u64 / ty.size_min())?;
        Some(Self { ty, len, bytes, at: at.checked_add(12)? })
    }

    /// The type of the entries.
    pub fn ty(&self) -> ValueType {
        self.ty
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries in order, in one pass over the bytes.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let Self { ty, len, mut bytes, mut at } = *self;
        (0..len).map_while(move |_| {
            let value = Value::read(ty, bytes, at)?;
            let size = value_size(&value, bytes, ARRAY_DEPTH_MAX)?;
            bytes = bytes.get(size..)?;
            at = at.checked_add(size as u64)?;
            Some(value)
        })
    }
}

/// How many of `bytes` the value at their start takes; `None` too where arrays nest deeper than `depth`.
fn value_size(value: &Value<'_>, bytes: &[u8], depth: u32) -> Option<usize> {
    match value {
        Value::String(s) => s.len().checked_add(8),
        Value::Array(a) => match a.ty.size() {
            Some(size) => a.len.checked_mul(usize::try_from(size).ok()?)?.checked_add(12),
            None => {
                let mut rest = bytes.get(12..)?;
                for _ in 0..a.len {
                    let v = Value::read(a.ty, rest, 0)?;
                    rest = rest.get(value_size(&v, rest, depth.checked_sub(1)?)?..)?;
                }
                Some(bytes.len() - rest.len())
            }
        },
        sized => usize::try_from(sized.ty().size()?).ok(),
    }
}

/// An array of strings in the map. Reading it from front to back is one pass without copies.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a> {
    array: Array<'a>,
    path: &'a Path,
    key: &'a str,
}

impl<'a> Strings<'a> {
    pub(super) fn new(array: Array<'a>, path: &'a Path, key: &'a str) -> Self {
        Self { array, path, key }
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.array.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.array.len == 0
    }

    /// Each string's bytes, in order. Tokens need this: a token may be a part of a character.
    pub fn bytes(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.array.bytes;
        (0..self.array.len).map(move |_| {
            // Lengths were checked when the file was opened: only a file that changed since gives empty strings here.
            let (string, after) = split_string(rest).unwrap_or_default();
            rest = after;
            string
        })
    }

    /// Each string in order, as text; an error names the first that is not valid UTF-8, and where it stands.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Result<&'a str>> + use<'a> {
        let Self { path, key, array } = *self;
        let mut at = array.at;
        self.bytes().enumerate().map(move |(i, bytes)| {
            let start = at.saturating_add(8);
            at = start.saturating_add(bytes.len() as u64);
            std::str::from_utf8(bytes).map_err(|e| {
                let at = start.saturating_add(e.valid_up_to() as u64);
                Error::file(path, format!("entry {i} of array {} is not valid UTF-8 (at byte {at})", Quoted(key)))
            })
        })
    }
}
