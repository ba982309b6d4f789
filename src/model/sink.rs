//! Who takes a model's resident weights: a device that loads them, or a count of what would be loaded.

use std::io::Read;

use crate::compute::{Device, Weight, WeightDesc};
use crate::error::Result;
use crate::gguf::{Gguf, TensorInfo};
use crate::model::read_f32;

/// Takes resident weights.
pub trait Sink {
    /// Takes one weight, reading its bytes from `data`.
    fn take(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight>;
}

/// Loads weights into a device and tells how far it is.
pub struct Load<'a> {
    /// Where they go.
    pub device: &'a mut dyn Device,
    /// Called with the bytes of each weight.
    pub progress: &'a mut dyn FnMut(u64),
}

impl Sink for Load<'_> {
    fn take(&mut self, desc: &WeightDesc<'_>, data: &mut dyn Read) -> Result<Weight> {
        let weight = self.device.load_weight(desc, data)?;
        (self.progress)(desc.bytes());
        Ok(weight)
    }
}

/// Reads nothing, and counts what would be loaded.
#[derive(Default)]
pub struct Measure {
    /// Resident bytes.
    pub bytes: u64,
    /// Resident weights.
    pub count: usize,
    /// The longest row of a weight.
    pub max_cols: u64,
    /// The most rows of a weight inside a layer.
    pub max_layer_rows: u64,
}

impl Sink for Measure {
    fn take(&mut self, desc: &WeightDesc<'_>, _data: &mut dyn Read) -> Result<Weight> {
        self.bytes += desc.bytes();
        self.max_cols = self.max_cols.max(desc.cols as u64);
        if desc.name.starts_with("blk.") {
            self.max_layer_rows = self.max_layer_rows.max((desc.rows * desc.mats) as u64);
        }
        self.count += 1;
        Ok(Weight(self.count - 1))
    }
}

/// Largest single read while loading.
const READ_BYTES_MAX: usize = 4 << 20;

/// Reads a range of a tensor by positioned reads.
pub(super) struct TensorReader<'a> {
    gguf: &'a Gguf,
    shard: usize,
    at: u64,
    left: u64,
}

impl<'a> TensorReader<'a> {
    /// `len` bytes from byte `start` of the tensor on.
    pub fn new(gguf: &'a Gguf, info: &TensorInfo, start: u64, len: u64) -> Self {
        Self { gguf, shard: info.shard, at: info.offset + start, left: len }
    }
}

impl Read for TensorReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = out.len().min(READ_BYTES_MAX).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.gguf.read_at(self.shard, self.at, &mut out[..n]).map_err(std::io::Error::other)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// A small tensor as F32 bytes, read and converted when the first byte is asked for.
pub(super) struct LazyVector<'a> {
    gguf: &'a Gguf,
    info: &'a TensorInfo,
    bytes: Option<Vec<f32>>,
    at: usize,
}

impl<'a> LazyVector<'a> {
    /// The whole tensor.
    pub fn new(gguf: &'a Gguf, info: &'a TensorInfo) -> Self {
        Self { gguf, info, bytes: None, at: 0 }
    }
}

impl Read for LazyVector<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes.is_none() {
            self.bytes = Some(read_f32(self.gguf, self.info).map_err(std::io::Error::other)?);
        }
        let all: &[u8] = bytemuck::cast_slice(self.bytes.as_deref().unwrap_or_default());
        let n = out.len().min(all.len() - self.at);
        out[..n].copy_from_slice(&all[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
