//! Models in several files: the others are found beside the first, and must be the ones it speaks of.

#[path = "common/gguf_builder.rs"]
mod builder;

use std::path::{Path, PathBuf};

use builder::{Builder, V, read_all};
use foregate::gguf::{GgmlType, Gguf};

fn shard(no: u16, count: u16, tensors: &[&str]) -> Builder {
    let split = Builder::new().key("split.no", V::U16(no)).key("split.count", V::U16(count));
    let split = if no == 0 { split.key("split.tensors.count", V::I32(4)).key("name", V::str("m")) } else { split };
    tensors.iter().fold(split, |b, name| b.tensor(name, GgmlType::F32, &[8]))
}

fn name(no: u16, count: u16) -> String {
    format!("m-{no:05}-of-{count:05}.gguf")
}

/// A sound model of three shards; returns the first.
fn model(dir: &Path) -> PathBuf {
    shard(2, 3, &["d"]).write(dir, &name(3, 3));
    shard(1, 3, &["c"]).write(dir, &name(2, 3));
    shard(0, 3, &["b", "a"]).write(dir, &name(1, 3))
}

fn error(path: &Path) -> String {
    Gguf::open(path).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn opening_the_first_shard_opens_all() {
    let dir = tempfile::tempdir().unwrap();
    let gguf = Gguf::open(&model(dir.path())).unwrap();
    read_all(&gguf);
    assert_eq!(gguf.metadata().str("name").unwrap(), Some("m"));
    let order: Vec<_> = gguf.tensors().map(|t| (t.name.as_str(), t.shard)).collect();
    assert_eq!(order, [("b", 0), ("a", 0), ("c", 1), ("d", 2)]);
    let names: Vec<_> = gguf.shard_paths().iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, [name(1, 3), name(2, 3), name(3, 3)]);
    let len: u64 = gguf.shard_paths().iter().map(|p| p.metadata().unwrap().len()).sum();
    assert_eq!(gguf.file_bytes(), len);
}

#[test]
fn another_shard_than_the_first_names_the_first() {
    let dir = tempfile::tempdir().unwrap();
    model(dir.path());
    let e = error(&dir.path().join(name(2, 3)));
    assert!(e.contains("is shard 2 of 3; open the first one") && e.ends_with(&name(1, 3)), "{e}");
}

#[test]
fn a_missing_shard_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let first = model(dir.path());
    std::fs::remove_file(dir.path().join(name(3, 3))).unwrap();
    let e = error(&first);
    assert!(e.contains(&format!("{}: this shard is missing", name(3, 3))) && e.contains(&name(1, 3)), "{e}");
}

#[test]
fn a_broken_shard_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let first = model(dir.path());
    std::fs::write(dir.path().join(name(2, 3)), b"GGUF\x03").unwrap();
    let e = error(&first);
    assert!(e.contains(&format!("{}: the version", name(2, 3))), "{e}");
}

#[test]
fn a_renamed_shard_says_what_its_name_must_be() {
    let dir = tempfile::tempdir().unwrap();
    let e = error(&shard(0, 3, &["a"]).write(dir.path(), "renamed.gguf"));
    assert!(e.contains("is shard 1 of 3, so its name must end in `-00001-of-00003.gguf`"), "{e}");
    let e = error(&shard(1, 3, &["a"]).write(dir.path(), &name(1, 3)));
    assert!(e.contains("is shard 2 of 3, so its name must end in `-00002-of-00003.gguf`"), "{e}");
}

#[test]
fn shards_of_another_place_model_or_count_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = model(dir.path());
    for (other, says) in [
        (shard(2, 3, &["c"]), "`split.no` is 2 where 1 is due"),
        (shard(1, 4, &["c"]), "`split.count` is 4 where 3 is due"),
        (Builder::new().tensor("c", GgmlType::F32, &[8]), "`split.no` is absent where 1 is due"),
        (Builder::new().key("split.no", V::str("1")), "key `split.no` should be an integer"),
    ] {
        other.write(dir.path(), &name(2, 3));
        let e = error(&first);
        assert!(e.contains(&name(2, 3)) && e.contains(says), "{says:?} is not in: {e}");
    }
}

#[test]
fn a_shard_that_contradicts_the_first_is_refused_and_both_are_named() {
    let numbers = |n: u32| V::Arr(4, vec![V::U32(1), V::U32(n)]);
    let first = |b: Builder| {
        b.key("general.architecture", V::str("llama"))
            .key("general.name", V::str("one"))
            .key("llama.expert_count", V::U32(8))
            .key("llama.rope.freq_base", V::F32(1e4))
            .key("llama.widths", numbers(2))
            .key("tokenizer.ggml.pre", V::str("qwen2"))
    };
    let dir = tempfile::tempdir().unwrap();
    let path = model(dir.path());
    first(shard(0, 3, &["b", "a"])).write(dir.path(), &name(1, 3));
    let says = |key: &str, value: V| {
        shard(1, 3, &["c"]).key(key, value).write(dir.path(), &name(2, 3));
        Gguf::open(&path).map(|_| ()).map_err(|e| e.to_string())
    };
    for (key, value, ours, theirs) in [
        ("general.architecture", V::str("qwen3moe"), "`llama`", "`qwen3moe`"),
        ("llama.expert_count", V::U32(16), "8", "16"),
        ("llama.expert_count", V::F32(8.0), "8", "8"),
        ("llama.rope.freq_base", V::F32(1e6), "10000", "1000000"),
        ("llama.widths", numbers(3), "an array of 2 u32", "an array of 2 u32"),
        ("llama.widths", V::Arr(4, vec![V::U32(1)]), "an array of 2 u32", "an array of 1 u32"),
        ("tokenizer.ggml.pre", V::str("gpt-2"), "`qwen2`", "`gpt-2`"),
    ] {
        let e = says(key, value).unwrap_err();
        let wanted = format!("`{key}` is {theirs} here, but {ours} in ");
        assert!(e.contains(&wanted) && e.contains(&name(1, 3)) && e.contains(&name(2, 3)), "{wanted:?} not in {e}");
    }
    for (key, value) in [
        ("general.name", V::str("two")),
        ("general.alignment", V::U32(32)),
        ("llama.expert_count", V::U64(8)),
        ("llama.rope.freq_base", V::F64(1e4)),
        ("llama.widths", numbers(2)),
        ("llama.unheard_of", V::U32(1)),
    ] {
        assert_eq!(says(key, value), Ok(()), "{key}");
    }
}

#[test]
fn a_tensor_in_two_shards_and_a_wrong_total_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let first = model(dir.path());
    shard(1, 3, &["a"]).write(dir.path(), &name(2, 3));
    let e = error(&first);
    assert!(e.contains("tensor `a` stands twice") && e.contains(&name(1, 3)) && e.contains(&name(2, 3)), "{e}");
    shard(1, 3, &["c", "e"]).write(dir.path(), &name(2, 3));
    let e = error(&first);
    assert!(e.contains("`split.tensors.count` is 4, but the shards hold 5 tensors"), "{e}");
}

#[test]
fn impossible_counts_are_refused_before_any_file_is_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let build = |no: V, count: V| Builder::new().key("split.no", no).key("split.count", count);
    let e = error(&build(V::U16(0), V::U64(u64::MAX)).write(dir.path(), "a.gguf"));
    assert!(e.contains("`split.count` is 18446744073709551615; the limit is"), "{e}");
    let e = error(&build(V::U16(3), V::U16(3)).write(dir.path(), "b.gguf"));
    assert!(e.contains("`split.no` is 3 of a `split.count` of 3"), "{e}");
    let e = error(&build(V::U16(0), V::I32(-1)).write(dir.path(), "c.gguf"));
    assert!(e.contains("should be an integer from 0, but is i32 -1"), "{e}");
}

#[test]
fn a_whole_model_may_have_any_name() {
    let dir = tempfile::tempdir().unwrap();
    Gguf::open(&shard(0, 1, &["a"]).write(dir.path(), "whole-00002-of-00009.gguf")).unwrap();
    Gguf::open(&Builder::new().write(dir.path(), "m-00001-of-00002.gguf")).unwrap();
}
