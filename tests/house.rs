//! The invariants of ARCHITECTURE.md, kept by looking at the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust source below `src`, its path relative to it, without its tests and comments.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    files
        .iter()
        .filter(|path| !name(path).ends_with("tests.rs") && !name(path).contains("/tests/"))
        .map(|path| (name(path), product_code(&fs::read_to_string(path).unwrap())))
        .collect()
}

/// What ships: the lines before a file's own test module, which stands last, without line comments. A test module in
/// another file is one line here.
fn product_code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code = |line: &str| if line.trim_start().starts_with("//") { String::new() } else { uncommented(line) };
    shipped.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// A line without the comment behind it; an address in a string has no space before its slashes.
fn uncommented(line: &str) -> String {
    line.split(" //").next().unwrap_or_default().to_owned()
}

#[test]
fn all_of_a_file_but_its_tests_is_looked_at() {
    let text =
        "#[cfg(test)]\nmod tests;\n\nuse a; // b\n//! c\nlet d = \"x://y\";\n#[cfg(test)]\nmod tests {\n    e\n}\n";
    let code = product_code(text);
    for (word, shipped) in [("a", true), ("b", false), ("c", false), ("y", true), ("e", false)] {
        assert_eq!(has_word(&code, word), shipped, "{word}: {code}");
    }
    for (path, code) in sources() {
        assert!(code.lines().count() > 3, "{path} is hardly looked at");
    }
}

/// Whether `word` stands in `code` as a word of its own.
fn has_word(code: &str, word: &str) -> bool {
    let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    code.match_indices(word)
        .any(|(at, _)| boundary(code[..at].chars().next_back()) && boundary(code[at + word.len()..].chars().next()))
}

/// Files outside `rooms` that use one of the words.
fn offenders(words: &[&str], allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let found = |code: &str| words.iter().find(|word| has_word(code, word)).map(|word| word.to_string());
    sources()
        .into_iter()
        .filter(|(path, _)| !allowed(path))
        .filter_map(|(path, code)| found(&code).map(|word| format!("{path}: {word}")))
        .collect()
}

const NONE: [String; 0] = [];

#[test]
fn only_the_gpu_device_knows_wgpu() {
    assert_eq!(offenders(&["wgpu"], |path| path.starts_with("compute/gpu")), NONE);
}

#[test]
fn the_expert_cache_does_no_io_and_reads_no_clock_and_knows_no_device() {
    let words =
        ["std::io", "std::fs", "std::time", "Instant", "SystemTime", "rustix", "memmap2", "compute", "source", "gguf"];
    assert_eq!(offenders(&words, |path| !path.starts_with("expert/cache")), NONE);
}

#[test]
fn predictions_need_no_io_no_clock_and_no_device() {
    let words = [
        "std::io",
        "std::fs",
        "std::time",
        "Instant",
        "SystemTime",
        "rustix",
        "memmap2",
        "compute",
        "cache",
        "pager",
        "gguf",
    ];
    assert_eq!(offenders(&words, |path| !path.starts_with("expert/predict")), NONE);
}

#[test]
fn the_gguf_reader_knows_no_architecture() {
    let words =
        ["model", "compute", "expert", "tokenizer", "qwen3moe", "olmoe", "deepseek2", "block_count", "ffn_gate_exps"];
    let crate_paths: Vec<String> = words[..4].iter().map(|room| format!("crate::{room}")).collect();
    let mut words: Vec<&str> = words[4..].to_vec();
    words.extend(crate_paths.iter().map(String::as_str));
    assert_eq!(offenders(&words, |path| !path.starts_with("gguf")), NONE);
}

#[test]
fn only_the_table_tells_architectures_apart() {
    let table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/arch.rs")).unwrap();
    let names: Vec<String> = table
        .lines()
        .filter_map(|line| line.split_once("name: \"")?.1.split_once('"'))
        .map(|(name, _)| format!("\"{name}\""))
        .filter(|name| name.len() > 2)
        .collect();
    assert!(names.len() > 7, "{names:?}");
    let mut words: Vec<&str> = names.iter().map(String::as_str).collect();
    words.extend(["arch.name ==", "arch.name !=", "match arch.name"]);
    let branches = |path: &&(String, String)| !path.0.starts_with("tokenizer/") && path.0 != "model/arch.rs";
    let found: Vec<String> = sources()
        .iter()
        .filter(branches)
        .flat_map(|(path, code)| {
            words.iter().filter(|word| code.contains(**word)).map(move |word| format!("{path}: {word}"))
        })
        .collect();
    assert_eq!(found, NONE);
}

#[test]
fn nothing_below_the_command_line_prints() {
    let words = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout", "stderr"];
    let words: Vec<&str> = words.iter().map(|word| word.trim_end_matches('!')).collect();
    // The system module's handlers tell why the process ends, and set the terminal right: nobody above them is left to do so.
    let handlers = ["os/mod.rs", "os/terminal.rs"];
    assert_eq!(offenders(&words, |path| path.starts_with("cli/") || handlers.contains(&path)), NONE);
}

#[test]
fn unsafe_stands_only_in_simd_the_map_and_the_system_module() {
    let allowed = |path: &str| path.starts_with("quant/simd") || path == "gguf/map.rs" || path.starts_with("os/");
    assert_eq!(offenders(&["unsafe"], allowed), NONE);
}

#[test]
fn the_quantisation_room_knows_no_model_and_no_thread() {
    assert_eq!(
        offenders(&["crate::model", "crate::expert", "rayon", "std::thread"], |path| !path.starts_with("quant")),
        NONE
    );
}

#[test]
fn readers_of_experts_do_not_decide_what_to_read() {
    assert_eq!(
        offenders(&["expert::cache", "super::cache", "crate::model"], |path| !path.starts_with("expert/source")),
        NONE
    );
}

#[test]
fn every_dependency_is_in_the_readmes_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut table = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = line;
        } else if table.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once(" = ")
        {
            assert!(readme.contains(&format!("| {name} |")), "{name} is not in the README's table of dependencies");
        }
    }
}
