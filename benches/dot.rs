//! Speed of the dot kernels: GB/s of weights for each type and level, with one column (decode) and eight (prefill).
//!
//!     cargo bench --bench dot -- Q4_K/avx2

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foregate::quant::{Acts, CpuLevel, FORMATS, Format};

/// Values per row: the width of many models.
const WIDTH: usize = 2048;
/// Rows that stay in the second cache, so that the kernel is measured and not the memory.
const ROWS: usize = 64;

/// Rows of the test fixture's blocks, behind those with odd scales; for plain numbers an ordinary value.
fn weights(format: &Format) -> Vec<u8> {
    let bytes = ROWS * format.ty.bytes_for(WIDTH as u64).expect("whole blocks") as usize;
    let name = format.ty.name().expect("a known type");
    let block = format.ty.block_bytes().expect("a known type") as usize;
    let blocks = match name {
        "F32" => 0.37f32.to_le_bytes().to_vec(),
        "F16" => half::f16::from_f32(0.37).to_le_bytes().to_vec(),
        "BF16" => half::bf16::from_f32(0.37).to_le_bytes().to_vec(),
        _ => {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/quant/{name}.blocks"));
            std::fs::read(path).expect("the fixture is in the repository").split_off(14 * block)
        }
    };
    blocks.into_iter().cycle().take(bytes).collect()
}

fn dot(c: &mut Criterion) {
    for format in FORMATS {
        let w = weights(format);
        for level in CpuLevel::available() {
            let mut group = c.benchmark_group(format!("{}/{}", format.ty, level.name()));
            group.throughput(Throughput::Bytes(w.len() as u64));
            for columns in [1, 8] {
                let x: Vec<f32> = (0..columns * WIDTH).map(|i| (i as f32 * 0.37).sin()).collect();
                let mut acts = Acts::new(level);
                acts.quantize(format.act, &x, WIDTH);
                let mut out = vec![0.0; ROWS * columns];
                let kernel = format.dot(level);
                group.bench_function(format!("{columns}"), |b| {
                    b.iter(|| kernel(black_box(&w), w.len() / ROWS, &acts, black_box(&mut out)));
                });
            }
            group.finish();
        }
    }
}

fn quantize(c: &mut Criterion) {
    let x: Vec<f32> = (0..WIDTH).map(|i| (i as f32 * 0.37).sin()).collect();
    for level in CpuLevel::available() {
        let mut group = c.benchmark_group(format!("activations/{}", level.name()));
        group.throughput(Throughput::Elements(WIDTH as u64));
        for format in [foregate::quant::ActFormat::Q8x32, foregate::quant::ActFormat::Q8x256] {
            let mut acts = Acts::new(level);
            group.bench_function(format!("{format:?}"), |b| b.iter(|| acts.quantize(format, black_box(&x), WIDTH)));
        }
        group.finish();
    }
}

criterion_group!(benches, dot, quantize);
criterion_main!(benches);
