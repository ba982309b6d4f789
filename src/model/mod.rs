//! Models: architectures as data, hyper-parameters, where each tensor is, and the forward pass in model order.

pub mod arch;
pub mod attention;
mod build;
pub mod config;
pub mod forward;
mod keys;
mod lookahead;
pub mod rope;
pub mod sink;
pub mod weights;

pub use config::Config;
pub use forward::Forward;
pub use weights::Model;

use crate::error::{Error, Result};
use crate::gguf::{Gguf, TensorInfo};
use crate::quant;

/// Reads a whole (small) tensor as F32.
pub fn read_f32(gguf: &Gguf, info: &TensorInfo) -> Result<Vec<f32>> {
    read_f32_part(gguf, info, info.offset, info.elements() as usize)
}

/// Reads one row of a tensor as F32.
pub fn read_row(gguf: &Gguf, info: &TensorInfo, row: u64) -> Result<Vec<f32>> {
    read_f32_part(gguf, info, info.offset + row * info.row_bytes(), info.dims[0] as usize)
}

/// Reads `n` elements (whole blocks) of a tensor from an absolute offset.
fn read_f32_part(gguf: &Gguf, info: &TensorInfo, offset: u64, n: usize) -> Result<Vec<f32>> {
    let format = quant::format(info.ty).ok_or_else(|| {
        let at = gguf.path().display();
        Error::Unsupported(format!("{at}: tensor {}: type {} cannot be computed with", info.name, info.ty))
    })?;
    let bytes = info.ty.bytes_for(n as u64).ok_or_else(|| {
        Error::file(gguf.path(), format!("tensor {}: {n} elements are not whole {} blocks", info.name, info.ty))
    })?;
    let mut raw = vec![0u8; bytes as usize];
    gguf.read_at(info.shard, offset, &mut raw)?;
    let mut values = vec![0.0; n];
    (format.dequantize)(&raw, &mut values);
    Ok(values)
}
