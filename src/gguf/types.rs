//! Every ggml tensor type by number: its name, block length and block size.
//!
//! Numbers and block sizes are those of ggml's `ggml_type` enumeration; types that were removed from it keep
//! their number and have no size.

/// A tensor's storage type, as numbered in GGUF files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct GgmlType(pub u32);

/// One row of the type table.
struct Row(u32, &'static str, u64, u64);

macro_rules! ggml_types {
    ($($id:literal $name:ident $block:literal $bytes:literal;)*) => {
        #[allow(missing_docs, non_upper_case_globals)]
        impl GgmlType { $(pub const $name: Self = Self($id);)* }
        const ROWS: &[Row] = &[$(Row($id, stringify!($name), $block, $bytes)),*];
    };
}

ggml_types! {
    0 F32 1 4; 1 F16 1 2; 2 Q4_0 32 18; 3 Q4_1 32 20; 6 Q5_0 32 22; 7 Q5_1 32 24; 8 Q8_0 32 34; 9 Q8_1 32 36;
    10 Q2_K 256 84; 11 Q3_K 256 110; 12 Q4_K 256 144; 13 Q5_K 256 176; 14 Q6_K 256 210; 15 Q8_K 256 292;
    16 IQ2_XXS 256 66; 17 IQ2_XS 256 74; 18 IQ3_XXS 256 98; 19 IQ1_S 256 50; 20 IQ4_NL 32 18; 21 IQ3_S 256 110;
    22 IQ2_S 256 82; 23 IQ4_XS 256 136; 24 I8 1 1; 25 I16 1 2; 26 I32 1 4; 27 I64 1 8; 28 F64 1 8; 29 IQ1_M 256 56;
    30 BF16 1 2; 34 TQ1_0 256 54; 35 TQ2_0 256 66; 39 MXFP4 32 17; 40 NVFP4 64 36; 41 Q1_0 128 18; 42 Q2_0 64 18;
}

impl GgmlType {
    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|r| r.0 == self.0)
    }

    /// The type's name in the field's spelling, or `None` for a number nobody assigned (or that was removed).
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|r| r.1)
    }

    /// Weights per block; 1 for plain numbers.
    pub fn block_len(self) -> Option<u64> {
        self.row().map(|r| r.2)
    }

    /// Bytes per block.
    pub fn block_bytes(self) -> Option<u64> {
        self.row().map(|r| r.3)
    }

    /// Bytes of `n` weights, if the type is known, `n` is whole blocks and the product fits.
    pub fn bytes_for(self, n: u64) -> Option<u64> {
        let row = self.row()?;
        n.is_multiple_of(row.2).then(|| (n / row.2).checked_mul(row.3))?
    }

    /// All known types, in order of their number.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|r| Self(r.0))
    }
}

impl std::fmt::Display for GgmlType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}
