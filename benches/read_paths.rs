//! Line rate of the expert reader: every read path with several numbers of lanes, experts in random order.
//!
//! `cargo bench --bench read_paths -- FILE` reads a file of yours (any file of at least 1 GiB); without FILE a temporary
//! one of 1 GiB is made, which the page cache will hold. Figures are GB/s of expert bytes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foregate::expert::source::{Outcome, ReadPath, Reader, Source, SourceOptions, Urgency};
use foregate::expert::{ExpertBuf, ExpertLayer, ExpertMatrix, Extent};
use foregate::gguf::GgmlType;

/// Bytes of one matrix: a Q4_K expert of 768 x 2048.
const MATRIX: usize = 768 * 2048 / 256 * 144;
const EXPERTS: usize = 128;

/// Layers of a 30 B model laid over the file's bytes, as stacked tensors.
fn layers(bytes: u64) -> Vec<ExpertLayer> {
    let tensor = (MATRIX * EXPERTS) as u64 + 32;
    let matrix = |extent| ExpertMatrix { ty: GgmlType::Q4_K, rows: 768, cols: 2048, extent, start: 0 };
    (0..bytes / (3 * tensor))
        .map(|layer| ExpertLayer {
            layer: layer as u32,
            count: EXPERTS,
            matrices: [0, 1, 2].map(matrix),
            extents: (0..3).map(|i| Extent { shard: 0, offset: 32 + (layer * 3 + i) * tensor, len: MATRIX }).collect(),
            class: 0,
            slot_bytes: 0,
        })
        .collect()
}

/// Bytes per second over about a second, `at_once` experts queued together as a layer's misses are.
fn rate(file: &Path, layers: &[ExpertLayer], path: ReadPath, lanes: usize, at_once: usize, seed: &mut u64) -> f64 {
    let options = SourceOptions { path: Some(path), lanes: Some(lanes) };
    let mut source = Reader::open(&[file.to_owned()], layers, options).expect("the file opens");
    let mut free: Vec<_> = (0..at_once).map(|_| ExpertBuf::new(layers[0].window_bytes())).collect();
    let (begin, mut bytes) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(1) {
        for buf in free.drain(..) {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pick = (*seed >> 33) as usize % (layers.len() * EXPERTS);
            source.submit(&layers[pick / EXPERTS], (pick % EXPERTS) as u32, buf, Urgency::Demand);
        }
        while let Some(landed) = source.wait() {
            assert!(matches!(landed.outcome, Outcome::Read), "the file is read");
            bytes += layers[0].expert_bytes();
            free.push(landed.buf);
        }
    }
    bytes as f64 / begin.elapsed().as_secs_f64()
}

fn main() {
    let file = std::env::args().skip(1).find(|a| !a.starts_with("--")).map(PathBuf::from);
    let mut made = tempfile::NamedTempFile::new().expect("a temporary file");
    let file = file.unwrap_or_else(|| {
        let chunk: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        (0..1024).for_each(|_| made.write_all(&chunk).expect("1 GiB of room"));
        made.path().to_owned()
    });
    let layers = layers(std::fs::metadata(&file).expect("the file is there").len());
    assert!(!layers.is_empty(), "{} is too small: give a file of at least 1 GiB", file.display());
    let mut seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id());
    for at_once in [1, 4, 8] {
        println!("{at_once} experts of {:.1} MB at once, GB/s:", layers[0].expert_bytes() as f64 / 1e6);
        for path in [ReadPath::Direct, ReadPath::Mmap, ReadPath::Buffered] {
            let rates = [1, 2, 4, 8].map(|n| (n, rate(&file, &layers, path, n, at_once, &mut seed) / 1e9));
            let cells: Vec<_> = rates.iter().map(|(n, r)| format!("{n} lanes {r:.2}")).collect();
            println!("  {path:<9} {}", cells.join("   "));
        }
    }
    let begin = Instant::now();
    let chosen = Reader::open(&[file], &layers, SourceOptions::default()).expect("the file opens");
    println!("auto, in {:?}: {:?}", begin.elapsed(), chosen.info());
}
