//! Opens arbitrary bytes as a GGUF file and reads everything that they are said to hold.
#![no_main]

#[path = "../../tests/common/gguf_builder.rs"]
mod builder;

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// One file in memory where the system has such a place, rewritten by every run.
static FILE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let memory = std::path::Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let dir = dir.expect("a temporary directory");
    let path = dir.path().join("m.gguf");
    (dir, path)
});

fuzz_target!(|bytes: &[u8]| {
    let path = &FILE.1;
    std::fs::write(path, bytes).expect("a file in a temporary directory");
    match foregate::gguf::Gguf::open(path) {
        Ok(gguf) => builder::read_all(&gguf),
        Err(e) => assert!(!e.to_string().contains('\n'), "one line: {e}"),
    }
});
