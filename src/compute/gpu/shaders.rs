//! Shaders by name and variant, and their WGSL, put together from the files in `shaders/`.
//!
//! A matrix product has one body for all storage types: [`Shader::source`] writes the constants, the shared text, and per
//! matrix the storage type's decoding snippet with the placeholder `QUANT_` replaced by a name of its own.

use std::fmt::Write as _;

use super::repack;
use crate::compute::KvKind;
use crate::gguf::GgmlType;

/// Lanes of every workgroup.
pub const THREADS: u32 = 64;
/// Weight rows per workgroup of a matrix product.
pub const ROWS: u32 = 4;
/// Activation columns per workgroup of a matrix product over more than one row.
pub const TILE: u32 = 8;
/// Largest key or value head of the attention shader.
pub const MAX_HEAD_DIM: u32 = 576;

/// One compute shader in one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shader {
    /// Linear layers, one or several heads.
    MatVec {
        /// Storage type of the weights.
        ty: GgmlType,
        /// Activation columns per workgroup: 1 or [`TILE`].
        cols: u32,
        /// Rows and heads of the activations start at multiples of four.
        fours: bool,
    },
    /// Gate, up and activation of experts.
    ExpertGateUp {
        /// Storage type of the gate matrices.
        gate: GgmlType,
        /// Storage type of the up matrices.
        up: GgmlType,
        /// Uses per workgroup: 1 or [`TILE`].
        cols: u32,
        /// Rows of the input start at multiples of four.
        fours: bool,
    },
    /// Down projection of experts.
    ExpertDown {
        /// Storage type of the down matrices.
        ty: GgmlType,
        /// Uses per workgroup: 1 or [`TILE`].
        cols: u32,
        /// Rows of the input start at multiples of four.
        fours: bool,
    },
    /// Weighted sum of experts' results.
    ExpertCombine,
    /// RMS norm.
    RmsNorm {
        /// Source and destination are one matrix.
        in_place: bool,
    },
    /// Rotary embedding.
    Rope,
    /// Activation of a dense FFN.
    Glu {
        /// The gate is the destination.
        in_place: bool,
    },
    /// `dst += src * factor`.
    Axpy,
    /// `x *= factor`.
    Scale,
    /// Columns from one matrix to another.
    CopyHeads,
    /// Keys or values into the cache.
    KvStore(KvKind),
    /// Attention over the cache.
    Attention(KvKind),
}

/// `(storage type, what its snippet is made of)`.
const QUANTS: [(GgmlType, &[&str]); 16] = [
    (GgmlType::F32, &[include_str!("../../../shaders/quant/f32.wgsl"), COLUMNS_PLAIN]),
    (GgmlType::F16, &[include_str!("../../../shaders/quant/f16.wgsl"), COLUMNS_PLAIN]),
    (GgmlType::BF16, &[include_str!("../../../shaders/quant/bf16.wgsl"), COLUMNS_PLAIN]),
    (GgmlType::Q4_0, &[include_str!("../../../shaders/quant/q4_0.wgsl"), COLUMNS_NIBBLES]),
    (GgmlType::Q4_1, &[include_str!("../../../shaders/quant/q4_1.wgsl"), COLUMNS_NIBBLES]),
    (GgmlType::Q5_0, &[include_str!("../../../shaders/quant/q5_0.wgsl"), COLUMNS_NIBBLES]),
    (GgmlType::Q5_1, &[include_str!("../../../shaders/quant/q5_1.wgsl"), COLUMNS_NIBBLES]),
    (GgmlType::Q8_0, &[include_str!("../../../shaders/quant/q8_0.wgsl"), COLUMNS_PLAIN]),
    (GgmlType::Q2_K, &[include_str!("../../../shaders/quant/q2_k.wgsl"), COLUMNS_QUARTERS]),
    (GgmlType::Q3_K, &[include_str!("../../../shaders/quant/q3_k.wgsl"), COLUMNS_QUARTERS]),
    (GgmlType::Q4_K, &[include_str!("../../../shaders/quant/q4_k.wgsl"), SCALE_MIN]),
    (GgmlType::Q5_K, &[include_str!("../../../shaders/quant/q5_k.wgsl"), SCALE_MIN]),
    (GgmlType::Q6_K, &[include_str!("../../../shaders/quant/q6_k.wgsl"), COLUMNS_QUARTERS]),
    (GgmlType::IQ4_NL, &[include_str!("../../../shaders/quant/iq4_nl.wgsl"), COLUMNS_NIBBLES, TABLE, TABLE_IQ4]),
    (GgmlType::IQ4_XS, &[include_str!("../../../shaders/quant/iq4_xs.wgsl"), COLUMNS_NIBBLES, TABLE, TABLE_IQ4]),
    (GgmlType::MXFP4, &[include_str!("../../../shaders/quant/mxfp4.wgsl"), COLUMNS_NIBBLES, TABLE]),
];
const COLUMNS_PLAIN: &str = include_str!("../../../shaders/quant/columns_plain.wgsl");
const COLUMNS_NIBBLES: &str = include_str!("../../../shaders/quant/columns_nibbles.wgsl");
const COLUMNS_QUARTERS: &str = include_str!("../../../shaders/quant/columns_quarters.wgsl");
const SCALE_MIN: &str = include_str!("../../../shaders/quant/scale_min.wgsl");
const TABLE: &str = include_str!("../../../shaders/quant/table.wgsl");
const TABLE_IQ4: &str = include_str!("../../../shaders/quant/table_iq4.wgsl");
const ROW_DOT: &str = include_str!("../../../shaders/row_dot.wgsl");
const REDUCE: &str = include_str!("../../../shaders/reduce.wgsl");
const X_ANY: &str = include_str!("../../../shaders/x_any.wgsl");
const X_FOURS: &str = include_str!("../../../shaders/x_fours.wgsl");
const COMMON: &str = include_str!("../../../shaders/common.wgsl");
const ACTIVATION: &str = include_str!("../../../shaders/activation.wgsl");

/// `(kind, loading, storing)`.
const KV: [(KvKind, &str, &str); 3] = [
    (
        KvKind::F32,
        include_str!("../../../shaders/kv/f32_load.wgsl"),
        include_str!("../../../shaders/kv/f32_store.wgsl"),
    ),
    (
        KvKind::F16,
        include_str!("../../../shaders/kv/f16_load.wgsl"),
        include_str!("../../../shaders/kv/f16_store.wgsl"),
    ),
    (
        KvKind::Q8_0,
        include_str!("../../../shaders/kv/q8_0_load.wgsl"),
        include_str!("../../../shaders/kv/q8_0_store.wgsl"),
    ),
];

impl Shader {
    /// Every shader in every variant, but of the many pairs of gate and up types only equal ones and each beside Q4_K.
    pub fn every() -> Vec<Self> {
        let mut all = vec![
            Self::ExpertCombine,
            Self::RmsNorm { in_place: false },
            Self::RmsNorm { in_place: true },
            Self::Rope,
            Self::Glu { in_place: false },
            Self::Glu { in_place: true },
            Self::Axpy,
            Self::Scale,
            Self::CopyHeads,
        ];
        for (kind, ..) in KV {
            all.extend([Self::KvStore(kind), Self::Attention(kind)]);
        }
        for ty in repack::types() {
            for (cols, fours) in [(1, false), (1, true), (TILE, false), (TILE, true)] {
                all.extend([Self::MatVec { ty, cols, fours }, Self::ExpertDown { ty, cols, fours }]);
                all.push(Self::ExpertGateUp { gate: ty, up: ty, cols, fours });
                all.push(Self::ExpertGateUp { gate: ty, up: GgmlType::Q4_K, cols, fours });
            }
        }
        all
    }

    /// Name and variant.
    pub fn name(&self) -> String {
        match self {
            Self::MatVec { ty, cols, .. } => format!("matvec {ty} x{cols}"),
            Self::ExpertGateUp { gate, up, cols, .. } => format!("expert_gate_up {gate} {up} x{cols}"),
            Self::ExpertDown { ty, cols, .. } => format!("expert_down {ty} x{cols}"),
            other => format!("{other:?}"),
        }
    }

    /// The whole WGSL text; its entry point is `main`.
    pub fn source(&self) -> String {
        let mut text = format!("const THREADS = {THREADS}u;\n{COMMON}");
        let mut add = |part: &str| text.push_str(part);
        match *self {
            Self::MatVec { ty, cols, fours } => {
                add(include_str!("../../../shaders/matvec.wgsl"));
                add(&products(cols, fours, &[("w_", ty)]));
            }
            Self::ExpertGateUp { gate, up, cols, fours } => {
                add(include_str!("../../../shaders/expert_gate_up.wgsl"));
                add(ACTIVATION);
                add(&products(cols, fours, &[("gate_", gate), ("up_", up)]));
            }
            Self::ExpertDown { ty, cols, fours } => {
                add(include_str!("../../../shaders/expert_down.wgsl"));
                add(&products(cols, fours, &[("down_", ty)]));
            }
            Self::ExpertCombine => add(include_str!("../../../shaders/expert_combine.wgsl")),
            Self::RmsNorm { in_place } => {
                add(place(in_place));
                add(include_str!("../../../shaders/rms_norm.wgsl"));
            }
            Self::Rope => add(include_str!("../../../shaders/rope.wgsl")),
            Self::Glu { in_place } => {
                add(place(in_place));
                add(ACTIVATION);
                add(include_str!("../../../shaders/glu.wgsl"));
            }
            Self::Axpy => add(include_str!("../../../shaders/axpy.wgsl")),
            Self::Scale => {
                add(ACTIVATION);
                add(include_str!("../../../shaders/scale.wgsl"));
            }
            Self::CopyHeads => add(include_str!("../../../shaders/copy_heads.wgsl")),
            Self::KvStore(kind) => {
                add(kv(kind).1);
                add(include_str!("../../../shaders/kv_store.wgsl"));
            }
            Self::Attention(kind) => {
                add(&format!("const MAX_DIM = {MAX_HEAD_DIM}u;\n"));
                add(&kv(kind).0.replace("KV_", "key_"));
                add(&kv(kind).0.replace("KV_", "value_"));
                add(include_str!("../../../shaders/attention.wgsl"));
            }
        }
        text
    }
}

/// What a matrix product over these weight matrices needs beside its own file.
fn products(cols: u32, fours: bool, matrices: &[(&str, GgmlType)]) -> String {
    let x = if fours { X_FOURS } else { X_ANY };
    let mut text = format!("const ROWS = {ROWS}u;\nconst COLS = {cols}u;\n{x}{REDUCE}");
    for (name, ty) in matrices {
        let parts = QUANTS.iter().find(|(t, _)| t == ty).map_or(&[][..], |(_, parts)| parts);
        for part in parts.iter().chain([&ROW_DOT]) {
            // writing to a String cannot fail
            let _ = writeln!(text, "{}", part.replace("QUANT_", name));
        }
    }
    text
}

fn place(in_place: bool) -> &'static str {
    if in_place {
        include_str!("../../../shaders/in_place.wgsl")
    } else {
        include_str!("../../../shaders/out_of_place.wgsl")
    }
}

fn kv(kind: KvKind) -> (&'static str, &'static str) {
    let [f32, f16, q8_0] = KV;
    let (_, load, store) = match kind {
        KvKind::F32 => f32,
        KvKind::F16 => f16,
        KvKind::Q8_0 => q8_0,
    };
    (load, store)
}
