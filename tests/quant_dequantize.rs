//! Every block format gives the weights that the gguf Python package gives (fixtures: `scripts/make_quant_fixtures.py`).

use std::path::Path;

use foregate::quant::{self, FORMATS, Format};

fn fixture(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/quant").join(file);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Equal bits, any NaN for any NaN.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn check(format: &Format) {
    let name = format.ty.name().unwrap();
    let blocks = fixture(&format!("{name}.blocks"));
    let want: Vec<f32> =
        fixture(&format!("{name}.f32")).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(format.ty.bytes_for(want.len() as u64), Some(blocks.len() as u64), "{name}");
    let mut got = vec![f32::MAX; want.len()];
    (format.dequantize)(&blocks, &mut got);
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!(same(*got, *want), "{name}: weight {i} is {got:e} instead of {want:e}");
    }
}

#[test]
fn every_type_that_has_a_fixture_has_a_format() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/quant")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(FORMATS.iter().any(|format| format.ty.name() == Some(name)), "{name} is not in the table");
    }
}

#[test]
fn every_format_dequantises_to_the_same_bits_as_gguf() {
    for format in FORMATS {
        check(format);
    }
}

#[test]
fn a_part_of_the_blocks_is_the_same_part_of_the_weights() {
    for format in FORMATS {
        let (len, bytes) = (format.ty.block_len().unwrap() as usize, format.ty.block_bytes().unwrap() as usize);
        let blocks = fixture(&format!("{}.blocks", format.ty));
        let mut all = vec![0.0; blocks.len() / bytes * len];
        (format.dequantize)(&blocks, &mut all);
        for (from, to) in [(0, 1), (1, 4), (3, 14), (5, 20)] {
            let mut part = vec![0.0; (to - from) * len];
            (format.dequantize)(&blocks[from * bytes..to * bytes], &mut part);
            assert!(part.iter().zip(&all[from * len..]).all(|(a, b)| same(*a, *b)), "{} {from}..{to}", format.ty);
        }
    }
}

#[test]
fn every_half_precision_number_is_read_exactly() {
    for bits in 0..=u16::MAX {
        let want = half::f16::from_bits(bits).to_f32();
        assert!(same(quant::float::f16_to_f32(bits), want), "{bits:#06x}");
    }
}
