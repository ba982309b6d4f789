//! The form that weights take on the GPU: groups of whole 32-bit words.
//!
//! WGSL reads words, and many block sizes are not multiples of 4 (Q8_0 has 34 bytes, MXFP4 17). So a group is one block, or
//! two or four of them, field after field: `[d0 d1][qs0 qs1]`. A row's last group is filled up with zeros, which decode to
//! weights that meet no activation. The decoding snippets in `shaders/quant/` read these groups.

use crate::gguf::GgmlType;

/// How one storage type is packed.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The storage type.
    pub ty: GgmlType,
    /// Blocks of a group.
    blocks: usize,
    /// Bytes of a block's fields that are gathered: all blocks' first field, then all second ones.
    fields: &'static [usize],
    /// Weights of a block.
    block_len: usize,
}

const fn layout(ty: GgmlType, block_len: usize, blocks: usize, fields: &'static [usize]) -> Layout {
    Layout { ty, blocks, fields, block_len }
}

const LAYOUTS: [Layout; 16] = [
    layout(GgmlType::F32, 1, 16, &[4]),
    layout(GgmlType::F16, 1, 16, &[2]),
    layout(GgmlType::BF16, 1, 16, &[2]),
    layout(GgmlType::Q4_0, 32, 2, &[2, 16]),
    layout(GgmlType::Q4_1, 32, 1, &[20]),
    layout(GgmlType::Q5_0, 32, 2, &[2, 4, 16]),
    layout(GgmlType::Q5_1, 32, 1, &[24]),
    layout(GgmlType::Q8_0, 32, 2, &[2, 32]),
    layout(GgmlType::Q2_K, 256, 1, &[84]),
    layout(GgmlType::Q3_K, 256, 1, &[110]),
    layout(GgmlType::Q4_K, 256, 1, &[144]),
    layout(GgmlType::Q5_K, 256, 1, &[176]),
    layout(GgmlType::Q6_K, 256, 1, &[210]),
    layout(GgmlType::IQ4_NL, 32, 2, &[2, 16]),
    layout(GgmlType::IQ4_XS, 256, 1, &[136]),
    layout(GgmlType::MXFP4, 32, 4, &[1, 16]),
];

/// The storage types that the GPU computes with.
pub fn types() -> impl Iterator<Item = GgmlType> {
    LAYOUTS.iter().map(|l| l.ty)
}

impl Layout {
    /// The layout of a type, or `None` where the GPU has no kernel for it.
    pub fn of(ty: GgmlType) -> Option<&'static Self> {
        LAYOUTS.iter().find(|l| l.ty == ty)
    }

    /// Bytes of a block in the file.
    fn block_bytes(&self) -> usize {
        self.fields.iter().sum()
    }

    /// Weights of a group.
    pub fn group_len(&self) -> usize {
        self.blocks * self.block_len
    }

    /// Words of a group.
    pub fn group_words(&self) -> usize {
        (self.blocks * self.block_bytes()).div_ceil(4)
    }

    /// Words of a row of `cols` weights.
    pub fn row_words(&self, cols: usize) -> usize {
        cols.div_ceil(self.group_len()) * self.group_words()
    }

    /// Whether rows of `cols` weights are the same bytes packed as in the file.
    pub fn is_same(&self, cols: usize) -> bool {
        self.fields.len() == 1
            && (self.blocks * self.block_bytes()).is_multiple_of(4)
            && cols.is_multiple_of(self.group_len())
    }

    /// Appends whole rows of `cols` weights, given as they stand in the file, to `out` in packed form.
    pub fn pack(&self, cols: usize, rows: &[u8], out: &mut Vec<u8>) {
        if self.is_same(cols) {
            out.extend_from_slice(rows);
            return;
        }
        let block = self.block_bytes();
        let row_bytes = cols / self.block_len * block;
        for row in rows.chunks_exact(row_bytes) {
            for group in row.chunks(self.blocks * block) {
                let end = out.len() + self.group_words() * 4;
                let mut start = 0;
                for &field in self.fields {
                    for i in 0..self.blocks {
                        match group.get(i * block + start..i * block + start + field) {
                            Some(bytes) => out.extend_from_slice(bytes),
                            None => out.resize(out.len() + field, 0),
                        }
                    }
                    start += field;
                }
                out.resize(end, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(ty: GgmlType, cols: usize, rows: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Layout::of(ty).expect("listed").pack(cols, rows, &mut out);
        out
    }

    #[test]
    fn layouts_agree_with_the_type_table() {
        for ty in types() {
            let l = Layout::of(ty).expect("listed");
            assert_eq!(ty.block_len(), Some(l.block_len as u64), "{ty}");
            assert_eq!(ty.block_bytes(), Some(l.block_bytes() as u64), "{ty}");
        }
    }

    #[test]
    fn aligned_blocks_stay_as_they_are() {
        for ty in [GgmlType::Q4_K, GgmlType::Q5_K, GgmlType::Q2_K, GgmlType::IQ4_XS] {
            let bytes: Vec<u8> = (0..2 * ty.block_bytes().expect("known")).map(|i| i as u8).collect();
            assert!(Layout::of(ty).expect("listed").is_same(512));
            assert_eq!(packed(ty, 512, &bytes), bytes, "{ty}");
        }
    }

    #[test]
    fn two_q5_0_blocks_are_gathered_field_by_field() {
        let mut rows = Vec::new();
        for b in 0..2u8 {
            rows.extend([[1 + b; 2].as_slice(), &[11 + b; 4], &[21 + b; 16]].concat());
        }
        let expected = [vec![1; 2], vec![2; 2], vec![11; 4], vec![12; 4], vec![21; 16], vec![22; 16]].concat();
        assert_eq!(packed(GgmlType::Q5_0, 64, &rows), expected);
    }

    #[test]
    fn four_mxfp4_blocks_are_gathered_without_padding() {
        let rows: Vec<u8> = (0..4u8).flat_map(|b| [vec![100 + b], vec![b; 16]].concat()).collect();
        let out = packed(GgmlType::MXFP4, 128, &rows);
        assert_eq!(out.len(), 68);
        assert_eq!(out[..4], [100, 101, 102, 103]);
        assert_eq!(out[4 + 16], 1);
    }

    #[test]
    fn every_row_ends_in_a_whole_group_filled_with_zeros() {
        let rows = [[7u8; 34 * 3], [9u8; 34 * 3]].concat();
        let out = packed(GgmlType::Q8_0, 96, &rows);
        assert_eq!(out.len(), 2 * 2 * 68);
        assert_eq!(out[68..72], [7, 7, 0, 0]);
        assert_eq!(out[68 + 36..136], [0; 32]);
        assert_eq!(out[136..140], [9; 4]);
    }

    #[test]
    fn odd_k_blocks_are_padded_to_words() {
        assert_eq!(packed(GgmlType::Q6_K, 256, &[5; 210]), [[5u8; 210].as_slice(), &[0; 2]].concat());
        assert_eq!(packed(GgmlType::Q3_K, 256, &[5; 110]), [[5u8; 110].as_slice(), &[0; 2]].concat());
    }

    #[test]
    fn plain_rows_of_any_length_are_padded_to_sixteen() {
        assert_eq!(packed(GgmlType::F16, 3, &[1, 2, 3, 4, 5, 6]).len(), 32);
        assert_eq!(packed(GgmlType::F32, 17, &[1; 68]).len(), 128);
    }
}
