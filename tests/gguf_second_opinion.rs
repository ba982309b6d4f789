//! The reader against two others: the gguf Python package's account of the fixtures, and the gguf-rs crate.
//!
//! gguf-rs 0.1.8 cannot be followed everywhere: it takes every type from number 10 on for one of 256-weight blocks, so its
//! sizes of I8, I16, I32, I64, F64, BF16, IQ4_NL and MXFP4 are wrong; it refuses type numbers from 41 on, panics at 40
//! (NVFP4), and reads no nested arrays.

use std::path::{Path, PathBuf};

use foregate::gguf::{GgmlType, Gguf, Value};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gguf")
}

#[test]
fn every_tensor_stands_where_the_python_package_finds_it() {
    let readings = std::fs::read_to_string(fixtures().join("readings.json")).unwrap();
    let readings: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&readings).unwrap();
    let mut compared = 0;
    for first in ["every_type.gguf", "plain.gguf", "split-00001-of-00003.gguf"] {
        let gguf = Gguf::open(&fixtures().join(first)).unwrap();
        for (shard, path) in gguf.shard_paths().iter().enumerate() {
            let wanted = readings[path.file_name().unwrap().to_str().unwrap()].as_array().unwrap();
            let found: Vec<_> = gguf.tensors().filter(|t| t.shard == shard).collect();
            assert_eq!(found.len(), wanted.len(), "{}", path.display());
            for (t, w) in found.iter().zip(wanted) {
                let dims: Vec<u64> = w["dims"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap()).collect();
                assert_eq!(t.name, w["name"].as_str().unwrap());
                assert_eq!((u64::from(t.ty.0), &t.dims), (w["type"].as_u64().unwrap(), &dims), "{}", t.name);
                let extent = (w["offset"].as_u64().unwrap(), w["bytes"].as_u64().unwrap());
                assert_eq!((t.offset, t.bytes), extent, "{}", t.name);
                let bytes = gguf.tensor_bytes(t).unwrap();
                let counting = bytes.iter().enumerate().all(|(i, &b)| usize::from(b) == i % 256);
                assert!(counting || t.name.contains("dimension"), "{} holds what was written", t.name);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 69, "the fixtures are all there");
}

#[test]
fn values_of_each_type_are_those_that_the_python_package_wrote() {
    let gguf = Gguf::open(&fixtures().join("every_type.gguf")).unwrap();
    let m = gguf.metadata();
    let shown = |key: &str| m.get(key).unwrap().to_string();
    for (key, value) in [
        ("v.u8", "200"),
        ("v.i8", "-100"),
        ("v.u16", "60000"),
        ("v.i16", "-30000"),
        ("v.u32", "4000000000"),
        ("v.i32", "-2000000000"),
        ("v.f32", "0.1"),
        ("v.bool", "true"),
        ("v.string", "Grüße, 世界"),
        ("v.u64", "9223372036854775809"),
        ("v.i64", "-4611686018427387904"),
        ("a.strings", "[, one, Ġtwo, 世]"),
        ("a.ints", "[1, -2, 3]"),
        ("a.floats", "[0.5, -1.25, 0.00000001]"),
        ("a.bools", "[true, false, true]"),
        ("a.nested", "[[1, 2], [3]]"),
    ] {
        assert_eq!(shown(key), value, "{key}");
    }
    assert!(matches!(m.get("v.f64"), Some(Value::F64(v)) if v == 1e300));
}

/// Whether gguf-rs reads a value the same way; its floats are JSON's, without NaN and infinities.
fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    let float = |v: f64| if v.is_finite() { theirs.as_f64() == Some(v) } else { theirs.is_null() };
    match ours {
        Value::Bool(v) => theirs.as_bool() == Some(*v),
        // Through its shortest decimal, as gguf-rs stores it.
        Value::F32(v) => !v.is_finite() && theirs.is_null() || theirs.as_f64().map(|t| t as f32) == Some(*v),
        Value::F64(v) => float(*v),
        Value::String(v) => theirs.as_str() == Some(&String::from_utf8_lossy(v)),
        Value::Array(a) => {
            theirs.as_array().is_some_and(|t| a.len() == t.len() && a.iter().zip(t).all(|(ours, t)| same(&ours, t)))
        }
        integer => {
            let theirs = theirs.as_u64().map(i128::from).or(theirs.as_i64().map(i128::from));
            theirs.is_some() && theirs == integer.integer()
        }
    }
}

const SIZES_WRONG: [GgmlType; 8] = [
    GgmlType::I8,
    GgmlType::I16,
    GgmlType::I32,
    GgmlType::I64,
    GgmlType::F64,
    GgmlType::BF16,
    GgmlType::IQ4_NL,
    GgmlType::MXFP4,
];

/// Compares everything that gguf-rs reads right; returns how many keys and tensors that was.
fn agree(path: &Path) -> (usize, usize) {
    let gguf = Gguf::open(path).unwrap();
    let theirs = gguf_rs::get_gguf_container_array_size(path.to_str().unwrap(), u64::MAX).unwrap().decode().unwrap();
    let m = gguf.metadata();
    assert_eq!(
        (m.len() as u64, gguf.tensors().len() as u64),
        (theirs.num_kv(), theirs.num_tensor()),
        "{}",
        path.display()
    );
    for key in m.keys() {
        assert!(same(&m.get(key).unwrap(), &theirs.metadata()[key]), "{}: key {key}", path.display());
    }
    for (ours, t) in gguf.tensors().zip(theirs.tensors()) {
        assert_eq!((&ours.name, ours.ty.0, &ours.dims), (&t.name, t.kind, &t.shape), "{}", path.display());
        let offset = theirs.data_offset() + t.offset;
        assert_eq!(ours.offset, offset, "{}: {}", path.display(), t.name);
        if !SIZES_WRONG.contains(&ours.ty) {
            assert_eq!(ours.bytes, t.size, "{}: {}", path.display(), t.name);
        }
    }
    (m.len(), gguf.tensors().len())
}

#[test]
fn gguf_rs_reads_the_plain_fixture_the_same() {
    assert_eq!(agree(&fixtures().join("plain.gguf")), (17, 30));
}

#[test]
fn gguf_rs_reads_published_vocabularies_and_tiny_models_the_same() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let mut files = 0;
    for dir in ["tokenizer-vectors", "arch-models"] {
        let Ok(entries) = std::fs::read_dir(shared.join(dir)) else {
            println!("skipped: no ../shared/{dir}");
            continue;
        };
        for path in entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "gguf")) {
            let (keys, _) = agree(&path);
            assert!(keys > 0, "{}", path.display());
            files += 1;
        }
    }
    println!("{files} files compared");
}
