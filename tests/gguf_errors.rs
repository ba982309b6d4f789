//! Broken and hostile files: each has one clear error that names the file, the field or tensor, and the offset.
//!
//! The same files seed the fuzz target. After a change here:
//! `FOREGATE_WRITE_CORPUS=1 cargo test --test gguf_errors` writes them to `fuzz/corpus/gguf_open`.

#[path = "common/gguf_builder.rs"]
mod builder;

use std::path::Path;

use builder::{Builder, T, V, write};
use foregate::gguf::{ARRAY_DEPTH_MAX, GgmlType, Gguf};

/// A broken file, and what its message must contain.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    says: Vec<&'static str>,
}

fn case(name: &'static str, bytes: Vec<u8>, says: &[&'static str]) -> Case {
    Case { name, bytes, says: says.to_vec() }
}

fn sound() -> Builder {
    Builder::new().key("k", V::str("value")).tensor("w", GgmlType::Q8_0, &[32, 2]).tensor("v", GgmlType::F32, &[8])
}

fn with(change: impl FnOnce(&mut Builder)) -> Vec<u8> {
    let mut builder = sound();
    change(&mut builder);
    builder.build()
}

fn key(value: V) -> Vec<u8> {
    Builder::new().key("k", value).build()
}

fn tensor(dims: &[u64], ty: u32, offset: Option<u64>) -> Vec<u8> {
    let tensor = T { name: "w".into(), dims: dims.to_vec(), ty, data: vec![0; 64], offset };
    Builder::new().raw_tensor(tensor).build()
}

/// A string value that says it is `len` bytes long and has 4.
fn long_string(len: u64) -> V {
    V::Raw(8, [&len.to_le_bytes()[..], b"abcd"].concat())
}

/// An array that says it has `len` entries of type `ty`, and holds none.
fn long_array(ty: u32, len: u64) -> V {
    V::Raw(9, [&ty.to_le_bytes()[..], &len.to_le_bytes()].concat())
}

fn nested(depth: u32) -> V {
    (1..depth).fold(V::Arr(4, vec![]), |inner, _| V::Arr(9, vec![inner]))
}

fn header_cases() -> Vec<Case> {
    let cut = |n: usize| sound().build()[..n].to_vec();
    vec![
        case("magic-other", with(|b| b.magic = Some(*b"PK\x03\x04")), &["is not a GGUF file", "byte 0"]),
        case("magic-ggml", with(|b| b.magic = Some(*b"lmgg")), &["before GGUF"]),
        case("magic-cut", b"GG".to_vec(), &["magic", "truncated", "byte 0"]),
        case("version-0", with(|b| b.version = Some(0)), &["version 0", "byte 4"]),
        case("version-1", with(|b| b.version = Some(1)), &["version 1", "only 2 and 3"]),
        case("version-4", with(|b| b.version = Some(4)), &["version 4", "only 2 and 3"]),
        case("version-big-endian", with(|b| b.version = Some(3u32.swap_bytes())), &["big-endian"]),
        case("header-cut", cut(20), &["tensor count is 2", "truncated", "byte 8"]),
        case(
            "keys-over-limit",
            with(|b| b.n_keys = Some(u64::MAX)),
            &["key count is 18446744073709551615", "limit", "byte 16"],
        ),
        case("keys-more-than-bytes", with(|b| b.n_keys = Some(60_000)), &["key count is 60000", "cannot hold"]),
        case("tensors-over-limit", with(|b| b.n_tensors = Some(1 << 63)), &["tensor count", "limit", "byte 8"]),
        case(
            "tensors-more-than-bytes",
            with(|b| b.n_tensors = Some(200_000)),
            &["tensor count is 200000", "cannot hold"],
        ),
        case("tensors-one-too-many", with(|b| b.n_tensors = Some(3)), &["tensor 2"]),
        case("keys-one-too-many", with(|b| b.n_keys = Some(2)), &["name of tensor 0", "limit is 255"]),
        case("directory-cut", cut(90), &["tensor `w`", "truncated"]),
    ]
}

fn metadata_cases() -> Vec<Case> {
    let twice = Builder::new().key("k", V::U8(1)).key("j", V::U8(1)).key("k", V::U8(2)).build();
    let mut not_utf8 = Builder::new();
    not_utf8.keys.push((vec![0xff, 0xfe], V::U8(0)));
    let mut long_key = key(V::U8(0));
    long_key[24..32].copy_from_slice(&(1u64 << 40).to_le_bytes());
    let wide = V::Arr(9, vec![long_array(4, 1 << 27); 3]);
    vec![
        case("key-twice", twice, &["key `k` stands twice", "at bytes 32 and 60"]),
        case("key-not-utf8", not_utf8.build(), &["name of key 0", "UTF-8", "byte 24"]),
        case("key-too-long", long_key, &["name of key 0", "1099511627776", "limit", "byte 24"]),
        case("key-escapes", Builder::new().key("a\n\u{1b}[2J", V::Raw(99, vec![])).build(), &[r"`a\n\u{1b}[2J`"]),
        case("value-type-unknown", key(V::Raw(13, vec![])), &["key `k`", "unknown value type 13", "byte 33"]),
        case("value-cut", key(V::Raw(12, vec![1, 2])), &["value of key `k`", "8 bytes", "truncated", "byte 37"]),
        case("bool-2", key(V::Raw(7, vec![2])), &["key `k`", "bool that is 2", "byte 37"]),
        case("bools-2", key(V::Arr(7, vec![V::Raw(7, vec![1]), V::Raw(7, vec![9])])), &["bool that is 9", "byte 50"]),
        case("string-cut", key(long_string(5)), &["string of key `k`", "truncated", "byte 45"]),
        case("string-over-limit", key(long_string(u64::MAX)), &["18446744073709551615 bytes", "limit", "byte 37"]),
        case("array-type-unknown", key(long_array(77, 0)), &["key `k`", "unknown value type 77"]),
        case("array-cut", key(long_array(4, 1000)), &["array of key `k`", "4000 bytes", "truncated", "byte 49"]),
        case("array-of-strings-cut", key(long_array(8, 1 << 28)), &["string of key `k`", "truncated"]),
        case("array-over-limit", key(long_array(0, 1 << 62)), &["key `k` has 4611686018427387904 entries", "limit"]),
        case("array-nested-too-deep", key(nested(ARRAY_DEPTH_MAX + 1)), &["key `k`", "nested deeper than 4"]),
        case("array-nested-endlessly", key(nested(500)), &["key `k`", "nested deeper than 4", "byte 85"]),
        case("array-of-arrays-cut", key(wide), &["key `k`", "truncated"]),
    ]
}

fn alignment_cases() -> Vec<Case> {
    let aligned = |v: V| Builder::new().key("general.alignment", v).tensor("w", GgmlType::F32, &[8]).build();
    vec![
        case("alignment-0", aligned(V::U32(0)), &["`general.alignment` is 0", "power of two"]),
        case("alignment-odd", aligned(V::U32(48)), &["`general.alignment` is 48", "power of two"]),
        case("alignment-huge", aligned(V::U64(1 << 63)), &["`general.alignment`", "at most"]),
        case("alignment-text", aligned(V::str("32")), &["`general.alignment`", "should be an integer", "string"]),
    ]
}

fn tensor_cases() -> Vec<Case> {
    let f32 = GgmlType::F32.0;
    let two = |second: &str, offset| {
        let t = |name: &str, offset| T { name: name.into(), dims: vec![16], ty: f32, data: vec![0; 64], offset };
        Builder::new().raw_tensor(t("a", None)).raw_tensor(t(second, offset)).build()
    };
    let mut not_utf8 = sound();
    not_utf8.tensors[0].name = vec![b'w', 0xc0];
    let mut long_name = sound();
    long_name.tensors[0].name = vec![b'w'; 256];
    let mut oversized = sound().build();
    oversized.truncate(oversized.len() - 33);
    vec![
        case("tensor-twice", two("a", None), &["tensor `a` stands twice"]),
        case("tensor-name-not-utf8", not_utf8.build(), &["name of tensor 0", "UTF-8"]),
        case("tensor-name-too-long", long_name.build(), &["name of tensor 0", "256 bytes", "limit is 255"]),
        case("tensor-dims-5", tensor(&[1; 5], f32, None), &["tensor `w` has 5 dimensions", "limit is 4", "byte 33"]),
        case("tensor-dim-0", tensor(&[16, 0], f32, None), &["dimension 1 of tensor `w` is 0", "byte 45"]),
        case("tensor-type-unknown", tensor(&[16], 999, None), &["tensor `w`", "unknown type number 999", "byte 45"]),
        case("tensor-type-removed", tensor(&[16], 4, None), &["tensor `w`", "unknown type number 4"]),
        case(
            "tensor-row-not-whole-blocks",
            tensor(&[48], GgmlType::Q4_K.0, None),
            &["tensor `w`", "rows of 48 weights", "Q4_K", "256"],
        ),
        case(
            "tensor-elements-overflow",
            tensor(&[1 << 32, 1 << 32], f32, None),
            &["tensor `w`", "larger than any file"],
        ),
        case("tensor-bytes-overflow", tensor(&[1 << 62], f32, None), &["tensor `w`", "larger than any file"]),
        case("tensor-oversized", tensor(&[17], f32, None), &["tensor `w`", "[17]", "truncated"]),
        case("tensor-offset-behind-the-file", tensor(&[16], f32, Some(1 << 40)), &["tensor `w`", "truncated"]),
        case("tensor-offset-overflow", tensor(&[16], f32, Some(u64::MAX - 31)), &["tensor `w`", "past any file"]),
        case(
            "tensor-misaligned",
            tensor(&[8], f32, Some(4)),
            &["tensor `w` is misaligned", "offset 4", "multiple of 32"],
        ),
        case("tensor-overlap", two("b", Some(32)), &["tensors `a` and `b` overlap"]),
        case("tensor-same-place", two("b", Some(0)), &["overlap"]),
        case("data-cut", oversized, &["tensor `v`", "truncated"]),
    ]
}

fn cases() -> Vec<Case> {
    [header_cases(), metadata_cases(), alignment_cases(), tensor_cases()].into_iter().flatten().collect()
}

#[test]
fn each_broken_file_has_its_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut unclear = Vec::new();
    for Case { name, bytes, says } in cases() {
        let path = write(dir.path(), name, &bytes);
        let error = Gguf::open(&path).map(|_| ()).expect_err(name).to_string();
        assert!(error.starts_with(path.to_str().unwrap()), "{name}: names the file: {error}");
        assert!(!error.contains('\n') && error.len() < 500 + path.as_os_str().len(), "{name}: one line: {error}");
        for part in says {
            if !error.contains(part) {
                unclear.push(format!("{name}: {part:?} is not in: {error}"));
            }
        }
    }
    assert!(unclear.is_empty(), "{}", unclear.join("\n"));
}

#[test]
fn every_truncation_of_a_sound_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = sound().build();
    Gguf::open(&write(dir.path(), "whole", &bytes)).unwrap();
    for n in 0..bytes.len() {
        let error = Gguf::open(&write(dir.path(), "cut", &bytes[..n])).map(|_| ()).expect_err("cut").to_string();
        assert!(error.contains("cut: "), "{error}");
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let error = |path: &Path| Gguf::open(path).map(|_| ()).unwrap_err().to_string();
    assert!(error(dir.path()).contains("is a directory"));
    assert!(error(&write(dir.path(), "empty", b"")).contains("is empty"));
    assert!(error(&dir.path().join("absent")).contains("absent: "));
    if cfg!(target_os = "linux") {
        assert!(error(Path::new("/dev/zero")).contains("not a regular file"));
    }
}

#[test]
fn the_fuzz_corpus_has_these_files() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/gguf_open");
    let good = Case { name: "good", bytes: sound().build(), says: vec![] };
    let rewrite = std::env::var_os("FOREGATE_WRITE_CORPUS").is_some();
    for Case { name, bytes, .. } in cases().into_iter().chain([good]) {
        let path = corpus.join(name);
        if rewrite {
            std::fs::create_dir_all(&corpus).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap_or_default() == bytes, "{name} is out of date: see the top of this file");
    }
}
