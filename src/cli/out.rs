//! Stdout: the place of results.

use std::io::{self, Write};

use crate::error::{Error, Result};

/// What stdout is called in errors.
pub const STDOUT: &str = "stdout";

/// Writes bytes to stdout and flushes, so that a reader sees them now.
pub fn write(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| Error::io(STDOUT, e))
}

/// Writes a value as indented JSON to stdout.
pub fn json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::io(STDOUT, e.into()))?;
    write(format!("{text}\n").as_bytes())
}
