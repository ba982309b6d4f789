//! Mapped pages leave the resident set on request; positioned reads never enter it.
#![cfg(target_os = "linux")]

#[path = "common/gguf_builder.rs"]
mod builder;

use builder::Builder;
use foregate::gguf::{GgmlType, Gguf};
use foregate::os::resident_bytes;

const MIB: u64 = 1 << 20;

// The only test of this file: the resident set is the whole process's.
#[test]
fn dropped_pages_leave_the_resident_set_and_read_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = Builder::new().tensor("w", GgmlType::I8, &[64 * MIB]).write(dir.path(), "m.gguf");
    let gguf = Gguf::open(&path).unwrap();
    let tensor = gguf.tensor("w").unwrap();
    let sum = || gguf.tensor_bytes(tensor).unwrap().iter().map(|&b| u64::from(b)).sum::<u64>();

    let opened = resident_bytes().unwrap();
    let mut window = vec![0; MIB as usize];
    for offset in (0..tensor.bytes).step_by(window.len()) {
        gguf.read_at(0, tensor.offset + offset, &mut window).unwrap();
    }
    assert!(resident_bytes().unwrap() < opened + 8 * MIB, "positioned reads do not touch the map");
    let first = sum();
    assert!(resident_bytes().unwrap() > opened + 56 * MIB, "touching the map brings its pages in");
    gguf.drop_mapped_pages();
    assert!(resident_bytes().unwrap() < opened + 8 * MIB, "dropping takes them out");
    assert_eq!(sum(), first);
}
