//! Reading from real files: every path and number of lanes gives the file's bytes, and what goes wrong is said.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::*;
use crate::expert::{ExpertMatrix, Extent, WINDOW};
use crate::gguf::GgmlType;

const PATHS: [ReadPath; 3] = [ReadPath::Direct, ReadPath::Mmap, ReadPath::Buffered];

/// Bytes that differ everywhere.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    (0..len as u64).map(|i| ((i + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn file(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

fn layer(count: usize, extents: Vec<Extent>) -> ExpertLayer {
    let matrix = ExpertMatrix { ty: GgmlType::F32, rows: 1, cols: 1, extent: 0, start: 0 };
    ExpertLayer { layer: 7, count, matrices: [matrix; 3], extents, class: 0, slot_bytes: 0 }
}

fn open(paths: &[PathBuf], layer: &ExpertLayer, path: ReadPath, lanes: usize) -> Reader {
    let options = SourceOptions { path: Some(path), lanes: Some(lanes) };
    Reader::open(paths, std::slice::from_ref(layer), options).unwrap()
}

/// Two shards whose extents begin at odd places, are longer than several pieces, and end with the file.
fn model() -> (Vec<Vec<u8>>, Vec<NamedTempFile>, ExpertLayer) {
    let long = 3 * PIECE + 12_345;
    let extents = vec![
        Extent { shard: 0, offset: 96, len: long },
        Extent { shard: 1, offset: 4096, len: 8192 },
        Extent { shard: 1, offset: 4096 + 3 * 8192 + 32, len: 1001 },
    ];
    let content = vec![noise(96 + 3 * long, 1), noise(4096 + 3 * 8192 + 32 + 3 * 1001, 2)];
    let files = content.iter().map(|c| file(c)).collect();
    (content, files, layer(3, extents))
}

#[test]
fn every_path_and_number_of_lanes_reads_the_bytes_of_the_file() {
    let (content, files, layer) = model();
    let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
    for (path, lanes) in PATHS.into_iter().flat_map(|p| [1, 2, 8].map(|n| (p, n))) {
        let mut source = open(&paths, &layer, path, lanes);
        // Twice, so that buffers are used again.
        for _ in 0..2 {
            for index in [2, 0, 1] {
                source.submit(&layer, index, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
            }
            let mut seen = Vec::new();
            while let Some(landed) = source.wait() {
                assert!(matches!(landed.outcome, Outcome::Read));
                assert_eq!(landed.buf.bytes().len(), layer.window_bytes());
                assert_eq!(landed.buf.bytes().as_ptr() as usize % WINDOW, 0);
                for (i, extent) in layer.extents.iter().enumerate() {
                    let from = extent.offset as usize + landed.id.index as usize * extent.len;
                    let at = landed.buf.starts[i];
                    assert_eq!(at % WINDOW, from % WINDOW);
                    assert!(
                        landed.buf.bytes()[at..at + extent.len] == content[extent.shard][from..from + extent.len],
                        "{path}, {lanes} lanes, expert {}, extent {i}",
                        landed.id.index
                    );
                }
                assert!(landed.bytes >= layer.expert_bytes() as u64);
                assert!(landed.bytes <= (layer.expert_bytes() + 6 * WINDOW) as u64);
                seen.push(landed.id.index);
            }
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2]);
        }
    }
}

#[test]
fn reads_through_the_page_cache_read_no_byte_too_many() {
    let (_, files, layer) = model();
    let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
    for path in [ReadPath::Mmap, ReadPath::Buffered] {
        let mut source = open(&paths, &layer, path, 2);
        source.submit(&layer, 1, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
        assert_eq!(source.wait().unwrap().bytes, layer.expert_bytes() as u64);
    }
}

#[test]
fn a_shortened_file_is_an_error_with_file_expert_and_offset_and_the_buffer_comes_back() {
    for path in PATHS {
        let file = file(&noise(100_000, 3));
        let layer = layer(5, vec![Extent { shard: 0, offset: 64, len: 19_000 }; 3]);
        // A map of a file that shrinks meanwhile raises SIGBUS, so there it is short from the start.
        if path == ReadPath::Mmap {
            file.as_file().set_len(50_000).unwrap();
        }
        let mut source = open(&[file.path().to_owned()], &layer, path, 2);
        file.as_file().set_len(50_000).unwrap();
        for index in [4, 0] {
            source.submit(&layer, index, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
        }
        let mut landed = [source.wait().unwrap(), source.wait().unwrap()];
        landed.sort_by_key(|l| l.id);
        let [_, last] = landed;
        let Outcome::Failed(error) = last.outcome else { panic!("read beyond the end") };
        let message = error.to_string();
        for part in [file.path().to_str().unwrap(), "expert 4 of layer 7", "ends at byte", "shortened"] {
            assert!(message.contains(part), "{path}: {message}");
        }
        assert_eq!(last.buf.bytes().len(), layer.window_bytes());
        assert!(source.wait().is_none());
    }
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_is_an_error() {
    for path in PATHS {
        let (content, files, layer) = model();
        let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
        let mut source = open(&paths, &layer, path, 2);
        source.submit(&layer, 0, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
        assert!(matches!(source.wait().unwrap().outcome, Outcome::Read), "{path}");
        // the clock of a file system may count in steps of some milliseconds
        std::thread::sleep(Duration::from_millis(30));
        std::fs::write(&paths[1], vec![0; content[1].len()]).unwrap();
        source.submit(&layer, 1, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
        let Outcome::Failed(error) = source.wait().unwrap().outcome else { panic!("{path}: no error") };
        for part in [paths[1].to_str().unwrap(), "expert 1 of layer 7", "written to while in use"] {
            assert!(error.to_string().contains(part), "{path}: {error}");
        }
    }
}

#[test]
fn a_raised_read_brings_the_same_bytes_in_fewer_reads() {
    let (content, files, layer) = model();
    let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
    for path in PATHS {
        let mut source = open(&paths, &layer, path, 1);
        // the only lane has this to do first
        source.submit(&layer, 0, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
        source.submit(&layer, 2, ExpertBuf::new(layer.window_bytes()), Urgency::Speculative);
        source.raise(ExpertId { layer: 7, index: 2 });
        let first = source.wait().unwrap();
        let raised = source.wait().unwrap();
        assert_eq!((first.id.index, raised.id.index), (0, 2), "{path}");
        assert!(matches!(raised.outcome, Outcome::Read), "{path}");
        // a piece may have begun before it was raised
        assert!(raised.reads <= first.reads + 2, "{path}: {} reads, {} when demanded", raised.reads, first.reads);
        for (i, extent) in layer.extents.iter().enumerate() {
            let start = extent.offset as usize + 2 * extent.len;
            let bytes = &raised.buf.bytes()[raised.buf.starts[i]..][..extent.len];
            assert!(bytes == &content[extent.shard][start..start + extent.len], "{path}: extent {i}");
        }
    }
}

#[test]
fn dropping_a_busy_source_ends_its_threads() {
    let (_, files, layer) = model();
    let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
    let mut source = open(&paths, &layer, ReadPath::Buffered, 2);
    for n in 0..100 {
        source.submit(&layer, n % 3, ExpertBuf::new(layer.window_bytes()), Urgency::Demand);
    }
    drop(source);
}

#[test]
fn lanes_out_of_range_are_refused() {
    let (_, files, layer) = model();
    let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
    for lanes in [0, LANES_MAX + 1] {
        let options = SourceOptions { path: None, lanes: Some(lanes) };
        assert!(Reader::open(&paths, std::slice::from_ref(&layer), options).err().unwrap().is_usage());
    }
}

#[test]
fn a_small_model_is_read_through_the_page_cache_unmeasured() {
    let (_, files, layer) = model();
    let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
    let source = Reader::open(&paths, &[layer], SourceOptions::default()).unwrap();
    assert_eq!((source.info().path, source.info().measured.len()), (ReadPath::Buffered, 0));
}

#[test]
fn a_large_model_is_measured_in_about_a_second() {
    let file = NamedTempFile::new().unwrap();
    let len = 4 << 20;
    let layer = layer(64, (0..3).map(|i| Extent { shard: 0, offset: 32 + i * 64 * len as u64, len }).collect());
    file.as_file().set_len(32 + 3 * 64 * len as u64).unwrap();
    let begin = Instant::now();
    let source = Reader::open(&[file.path().to_owned()], &[layer], SourceOptions::default()).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(3), "took {:?}", begin.elapsed());
    let info = source.info();
    assert!(info.measured.iter().any(|m| (m.path, m.lanes) == (info.path, info.lanes)), "{info:?}");
}

#[test]
fn a_failed_check_of_direct_reads_says_why() {
    assert!(file::verify_direct(std::path::Path::new("/nonexistent/model.gguf"), &[0]).is_err());
}
