//! Line rate of the expert reader: every read path with several numbers of lanes, experts in random order.
//!
//! `cargo bench --bench read_paths -- FILE` reads a file of yours (any file of at least 1 GiB); without FILE a temporary
//! one of 1 GiB is made, which the page cache will hold. Figures are GB/s of expert bytes.
//!
//! Buffered reads are also done by tokio's blocking threads, as its file type does them, to see what a runtime would bring
//! or cost: the same experts in the same pieces. At the end both are given 4 KiB that the page cache holds, where nothing but
//! handing over counts.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foregate::expert::source::{Outcome, ReadPath, Reader, Source, SourceOptions, Urgency};
use foregate::expert::{ExpertBuf, ExpertLayer, ExpertMatrix, Extent};
use foregate::gguf::GgmlType;
use foregate::os;

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
            let pick = draw(seed, layers.len() * EXPERTS);
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

/// Numbers that look random, the same for the same `seed`.
fn draw(seed: &mut u64, range: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % range
}

/// As [`rate`], buffered, on at most `lanes` blocking threads of a runtime, in pieces of about 1 MiB.
fn tokio_rate(file: &Path, layers: &[ExpertLayer], lanes: usize, at_once: usize, seed: &mut u64) -> f64 {
    const PIECE: usize = 1 << 20;
    let file = Arc::new(File::open(file).expect("the file opens"));
    let runtime = runtime(lanes);
    let mut free: Vec<Vec<u8>> = Vec::new();
    let (begin, mut bytes) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(1) {
        let mut reads = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let pick = draw(seed, layers.len() * EXPERTS);
            for extent in &layers[pick / EXPERTS].extents {
                let first = extent.offset + (pick % EXPERTS * extent.len) as u64;
                for at in (0..extent.len).step_by(PIECE) {
                    let (file, len) = (file.clone(), PIECE.min(extent.len - at));
                    let mut buf = free.pop().unwrap_or_else(|| vec![0; PIECE]);
                    reads.spawn_blocking_on(
                        move || {
                            read(&file, first + at as u64, &mut buf[..len]);
                            buf
                        },
                        runtime.handle(),
                    );
                }
            }
            bytes += layers[pick / EXPERTS].expert_bytes();
        }
        runtime.block_on(async {
            while let Some(read) = reads.join_next().await {
                free.push(read.expect("no read panics"));
            }
        });
    }
    bytes as f64 / begin.elapsed().as_secs_f64()
}

/// Fills `out` from `offset` on.
fn read(file: &File, offset: u64, out: &mut [u8]) {
    let mut done = 0;
    while done < out.len() {
        let n = os::read_at(file, offset + done as u64, &mut out[done..]).expect("the file is read");
        assert!(n > 0, "the file is as long as it was");
        done += n;
    }
}

fn runtime(lanes: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().max_blocking_threads(lanes).build().expect("a runtime starts")
}

/// Microseconds from queueing one read of 4 KiB to having it, by the lanes and by a runtime's blocking threads: medians.
fn handover(path: &Path, lanes: usize) -> (f64, f64) {
    const READS: usize = 20_000;
    let tiny = ExpertLayer {
        layer: 0,
        count: 1,
        matrices: [ExpertMatrix { ty: GgmlType::F32, rows: 32, cols: 32, extent: 0, start: 0 }; 3],
        extents: vec![Extent { shard: 0, offset: 0, len: 4096 }],
        class: 0,
        slot_bytes: 0,
    };
    let median = |mut each: Vec<Duration>| {
        each.sort_unstable();
        each[READS / 2].as_secs_f64() * 1e6
    };
    let options = SourceOptions { path: Some(ReadPath::Buffered), lanes: Some(lanes) };
    let mut source = Reader::open(&[path.to_owned()], std::slice::from_ref(&tiny), options).expect("the file opens");
    let mut buf = Some(ExpertBuf::new(tiny.window_bytes()));
    let ours = (0..READS).map(|_| {
        let begin = Instant::now();
        source.submit(&tiny, 0, buf.take().expect("the buffer is back"), Urgency::Demand);
        buf = source.wait().map(|landed| landed.buf);
        begin.elapsed()
    });
    let ours = median(ours.collect());
    let (file, runtime) = (Arc::new(File::open(path).expect("the file opens")), runtime(lanes));
    let mut buf = vec![0; 4096];
    let theirs = (0..READS).map(|_| {
        let (file, mut moved) = (file.clone(), std::mem::take(&mut buf));
        let begin = Instant::now();
        let read = runtime.spawn_blocking(move || {
            read(&file, 0, &mut moved);
            moved
        });
        buf = runtime.block_on(read).expect("no read panics");
        begin.elapsed()
    });
    (ours, median(theirs.collect()))
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
        let rates = [1, 2, 4, 8].map(|n| (n, tokio_rate(&file, &layers, n, at_once, &mut seed) / 1e9));
        let cells: Vec<_> = rates.iter().map(|(n, r)| format!("{n} lanes {r:.2}")).collect();
        println!("  {:<9} {}", "tokio", cells.join("   "));
    }
    let (ours, theirs) = handover(&file, 4);
    println!("4 KiB from the page cache, from queueing to having it: {ours:.1} us by lanes, {theirs:.1} us by tokio");
    let begin = Instant::now();
    let chosen = Reader::open(&[file], &layers, SourceOptions::default()).expect("the file opens");
    println!("auto, in {:?}: {:?}", begin.elapsed(), chosen.info());
}
