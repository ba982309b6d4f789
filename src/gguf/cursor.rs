//! A bounds-checked reader over the mapped bytes of one file: every failure names the file, the field and the offset.

use std::fmt;

use super::map::MappedFile;
use crate::{Error, Result};

/// A text from a file as people are shown it: control characters escaped, shortened where it is long.
#[derive(Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARS_MAX: usize = 100;
        let mut chars = self.0.chars();
        let shown: String = chars.by_ref().take(CHARS_MAX).collect();
        write!(f, "{}{}", shown.escape_debug(), if chars.next().is_some() { "..." } else { "" })
    }
}

/// [`Escaped`] between backticks: a name in a message.
#[derive(Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", Escaped(self.0))
    }
}

/// Bytes behind the cursor that may stay in the resident set: a header can be larger than all of a budget.
const RESIDENT_MAX: usize = 8 << 20;

/// Reads little-endian fields one after another and never past the end.
pub(super) struct Cursor<'a> {
    file: &'a MappedFile,
    at: usize,
    /// Pages before this are out of the resident set.
    dropped: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at byte `at` of `file`.
    pub(super) fn new(file: &'a MappedFile, at: usize) -> Self {
        Self { file, at, dropped: at }
    }

    /// The offset of the next byte in the file.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.file.bytes().len().saturating_sub(self.at)
    }

    /// A content error about the field that starts at byte `at`.
    pub(super) fn error_at(&self, at: usize, what: fmt::Arguments<'_>) -> Error {
        Error::file(self.file.path(), format!("{what} (at byte {at})"))
    }

    /// The next `n` bytes, which are the field `what`.
    pub(super) fn take(&mut self, n: u64, what: fmt::Arguments<'_>) -> Result<&'a [u8]> {
        let bytes = usize::try_from(n).ok().and_then(|n| self.file.bytes().get(self.at..self.at.checked_add(n)?));
        let Some(bytes) = bytes else {
            return Err(self.error_at(
                self.at,
                format_args!(
                    "{what} takes {n} bytes, but the file ends after {}: it is truncated or damaged",
                    self.left()
                ),
            ));
        };
        if self.at - self.dropped > RESIDENT_MAX {
            self.file.drop_range(self.dropped, self.at - self.dropped);
            self.dropped = self.at;
        }
        self.at += bytes.len();
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, what: fmt::Arguments<'_>) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64, what)?);
        Ok(out)
    }

    /// The next 32-bit number.
    pub(super) fn u32(&mut self, what: fmt::Arguments<'_>) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// The next 64-bit number.
    pub(super) fn u64(&mut self, what: fmt::Arguments<'_>) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// The next string: a 64-bit length of at most `max`, then that many bytes.
    pub(super) fn string(&mut self, max: u64, what: fmt::Arguments<'_>) -> Result<&'a [u8]> {
        let at = self.at;
        let len = self.u64(what)?;
        if len > max {
            return Err(self.error_at(at, format_args!("{what} is said to have {len} bytes; the limit is {max}")));
        }
        self.take(len, what)
    }
}
