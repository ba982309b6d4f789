//! Block formats: layout, dequantisation, and the dot kernels of the CPU device.
//!
//! [`format()`] finds a type's [`Format`] in the table. Each type's file describes its block and how it is decoded; the
//! order of the sums is `ARCHITECTURE.md`'s. Below them lie [`simd`] (vectors, one trait for all CPU levels),
//! [`level`] (which of them this CPU has), [`acts`] (activations) and [`dot`] (how kernels are called).

pub mod acts;
pub mod dot;
pub mod level;
pub mod simd;

mod block32;
pub mod float;
mod iq4_nl;
mod iq4_xs;
mod k_dot;
mod mxfp4;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_k;
mod q5_0;
mod q5_k;
mod q6_k;
mod q8_0;
mod simd_portable;
#[cfg(test)]
mod simd_tests;
#[cfg(target_arch = "x86_64")]
mod simd_x86;

pub use acts::{ActFormat, Acts};
pub use dot::DotRows;
pub use level::CpuLevel;

use crate::gguf::GgmlType;
use dot::{Dots, Kernel};

#[cfg(target_endian = "big")]
compile_error!("blocks are little-endian and read in place");

/// What can be done with weights of one type.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The type.
    pub ty: GgmlType,
    /// How its dot kernels want their activations.
    pub act: ActFormat,
    /// Turns whole blocks into as many weights, the same bits as the `gguf` Python package gives.
    pub dequantize: fn(&[u8], &mut [f32]),
    dots: Dots,
}

impl Format {
    const fn new<K: Kernel>(ty: GgmlType, dequantize: fn(&[u8], &mut [f32])) -> Self {
        Self { ty, act: K::ACT, dequantize, dots: Dots::of::<K>() }
    }

    /// The dot kernel for a CPU level.
    pub fn dot(&self, level: CpuLevel) -> DotRows {
        self.dots.at(level)
    }
}

/// All types that can be computed with.
pub static FORMATS: &[Format] = &[
    float::F32,
    float::F16,
    float::BF16,
    q4_0::Q4_0,
    q4_0::Q4_1,
    q5_0::Q5_0,
    q5_0::Q5_1,
    q8_0::Q8_0,
    q2_k::Q2_K,
    q3_k::Q3_K,
    q4_k::Q4_K,
    q5_k::Q5_K,
    q6_k::Q6_K,
    iq4_nl::IQ4_NL,
    iq4_xs::IQ4_XS,
    mxfp4::MXFP4,
];

/// The format of a type, if it can be computed with.
pub fn format(ty: GgmlType) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.ty == ty)
}

/// The names of all formats, for messages.
pub fn names() -> String {
    FORMATS.iter().map(|format| format.ty.to_string()).collect::<Vec<_>>().join(", ")
}
