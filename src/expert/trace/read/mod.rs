//! Reads traces: our own, other engines' in the same columns, and one JSON object per token. Plain or gzip, by content.
//!
//! Whatever a file holds, reading it ends in a trace that fits together or in one error that names the line.

mod csv;
mod jsonl;
mod marks;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{Event, Setup};
use crate::error::{Error, Result};
use crate::expert::LayerShape;

/// Bytes of a line at most: a remembered cache of a hundred thousand experts fits.
const MAX_LINE_BYTES: usize = 16 << 20;
/// Bytes of a trace at most, unpacked.
const MAX_BYTES: u64 = 64 << 30;
/// Experts in all rows at most.
const MAX_ROWS: usize = 200_000_000;
/// Layers of a model at most.
const MAX_LAYERS: usize = 4096;
/// Experts of one layer at most.
pub const MAX_EXPERTS_PER_LAYER: usize = 65_536;
/// Experts that one token uses in a layer at most.
const MAX_EXPERTS_PER_TOKEN: usize = 1024;
/// Experts of a model at most, and slots of its cache.
const MAX_EXPERTS: usize = 1 << 22;
/// Bytes of one expert at most.
const MAX_EXPERT_BYTES: u64 = 1 << 40;
/// What some editors put in front of text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A trace in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// How the run's cache was set up; only our own traces tell.
    pub setup: Option<Setup>,
    /// The layers that asked for experts.
    pub layers: Vec<LayerShape>,
    /// Bytes of one expert, beside `layers`; empty where the file does not tell those of all layers.
    pub expert_bytes: Vec<u64>,
    /// What happened.
    pub events: Vec<Recorded>,
    /// Whether the experts per layer are the largest id + 1, for want of anything better.
    pub experts_guessed: bool,
}

/// An event and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Line of the file, from 1; of a layer's requests the first.
    pub line: u64,
    /// What happened.
    pub event: Event,
}

impl Trace {
    /// Reads a file. `experts` is the number per layer where the file does not tell.
    ///
    /// # Errors
    /// The file cannot be read, or is no trace; with the line.
    pub fn read(path: &Path, experts: Option<usize>) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        Self::parse(path, file, experts)
    }

    /// Reads what is called `path`, from wherever it comes.
    ///
    /// # Errors
    /// As [`Trace::read`].
    pub fn parse(path: &Path, input: impl Read, experts: Option<usize>) -> Result<Self> {
        if experts.is_some_and(|n| n == 0 || n > MAX_EXPERTS_PER_LAYER) {
            return Err(Error::Usage(format!("a layer has 1 to {MAX_EXPERTS_PER_LAYER} experts")));
        }
        let mut input = BufReader::with_capacity(1 << 16, input);
        let packed = input.fill_buf().map_err(|e| Error::io(path, e))?.starts_with(&[0x1f, 0x8b]);
        if packed {
            // small, since what stands in it is lost with the line's number where the data turn out to be damaged
            let unpacked = BufReader::with_capacity(1 << 12, MultiGzDecoder::new(input));
            parse(Lines::new(path, unpacked, packed), experts)
        } else {
            parse(Lines::new(path, input, packed), experts)
        }
    }
}

fn parse(mut lines: Lines<'_, impl BufRead>, experts: Option<usize>) -> Result<Trace> {
    let json = lines.first()?.is_some_and(|byte| byte == b'{');
    let trace = if json { jsonl::parse(&mut lines, experts)? } else { csv::parse(&mut lines, experts)? };
    let asked = trace.events.iter().any(|e| matches!(e.event, Event::Routed(_)));
    if !asked && trace.setup.is_none() {
        return Err(lines.error("the trace holds no request for experts"));
    }
    Ok(trace)
}

/// The lines of a file, counted and bounded.
struct Lines<'a, R> {
    path: &'a Path,
    input: R,
    packed: bool,
    /// Of the line that was read last, from 1.
    number: u64,
    bytes: u64,
    line: Vec<u8>,
}

impl<'a, R: BufRead> Lines<'a, R> {
    fn new(path: &'a Path, input: R, packed: bool) -> Self {
        Self { path, input, packed, number: 0, bytes: 0, line: Vec::new() }
    }

    /// The file's first byte that is no blank and no byte order mark.
    fn first(&mut self) -> Result<Option<u8>> {
        match self.input.fill_buf() {
            Ok(bytes) => Ok(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start().first().copied()),
            Err(e) => Err(self.failed(e)),
        }
    }

    /// The next line without its end; `None` behind the last.
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.line.clear();
        let read = self.input.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut self.line);
        // Behind the last line, that one is still the line that was read last.
        self.number += u64::from(!matches!(read, Ok(0)));
        match read {
            Err(e) => return Err(self.failed(e)),
            Ok(0) => return Ok(None),
            Ok(n) => self.bytes += n as u64,
        }
        if self.line.len() > MAX_LINE_BYTES || self.bytes > MAX_BYTES {
            return Err(self.error("the trace is larger than any that can be replayed"));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(if self.number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line }))
    }

    fn failed(&self, e: io::Error) -> Error {
        match (self.packed, e.kind()) {
            (true, io::ErrorKind::UnexpectedEof) => self
                .error_behind("the gzip data ends early: the file is cut off, or something else stands behind its end"),
            (true, _) => self.error_behind(format!("the gzip data is damaged: {e}")),
            (false, _) => Error::io(self.path, e),
        }
    }

    /// An error in the line behind the one that was read last.
    fn error_behind(&self, what: impl std::fmt::Display) -> Error {
        error_at(self.path, self.number + 1, what)
    }

    /// An error in the line that was read last.
    fn error(&self, what: impl std::fmt::Display) -> Error {
        error_at(self.path, self.number.max(1), what)
    }
}

/// An error in a line of a trace.
fn error_at(path: &Path, line: u64, what: impl std::fmt::Display) -> Error {
    Error::file(path, format!("line {line}: {what}"))
}

/// What a field holds, fit for a message.
fn shown(field: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(field).chars().take(40).collect();
    format!("`{}`", text.escape_debug())
}
