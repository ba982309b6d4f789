//! Hyper-parameters in metadata: keys under an architecture's prefix, checked against bounds.

use crate::error::{Error, Result};
use crate::gguf::Metadata;

/// Upper bounds on counts, far above any published model: what is larger is a broken file.
pub const MAX_LAYERS: u32 = 1024;
pub const MAX_WIDTH: u32 = 1 << 20;
pub const MAX_HEADS: u32 = 4096;
pub const MAX_EXPERTS: u32 = 1 << 16;

/// Reads keys under the architecture's prefix, with the file's path in errors.
pub struct Keys<'a> {
    pub meta: &'a Metadata,
    /// The architecture's name.
    pub prefix: &'static str,
}

impl Keys<'_> {
    pub fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    pub fn error(&self, key: &str, what: impl std::fmt::Display) -> Error {
        self.meta.error(&self.key(key), what)
    }

    pub fn u32(&self, key: &str) -> Result<Option<u32>> {
        self.meta.u32(&self.key(key))
    }

    pub fn f32(&self, key: &str) -> Result<Option<f32>> {
        let value = self.meta.f32(&self.key(key))?;
        match value {
            Some(v) if !v.is_finite() => Err(self.error(key, format!("{v} is not a finite number"))),
            v => Ok(v),
        }
    }

    pub fn required<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.error(key, "the key is missing, and this architecture needs it"))
    }

    /// A count from 1 to `max`.
    pub fn checked(&self, key: &str, value: u32, max: u32) -> Result<usize> {
        if value == 0 || value > max {
            return Err(self.error(key, format!("{value} is not from 1 to {max}")));
        }
        Ok(value as usize)
    }

    pub fn size(&self, key: &str, max: u32) -> Result<usize> {
        let value = self.required(key, self.u32(key)?)?;
        self.checked(key, value, max)
    }

    /// A count or `default`; 0 counts as absent.
    pub fn size_or(&self, key: &str, default: usize, max: u32) -> Result<usize> {
        match self.u32(key)?.filter(|&v| v != 0) {
            Some(v) => self.checked(key, v, max),
            None => Ok(default),
        }
    }

    pub fn per_layer(&self, key: &str, n: usize) -> Result<Option<Vec<u32>>> {
        self.meta.u32_per_layer(&self.key(key), n)
    }
}
