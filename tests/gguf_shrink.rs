//! A model file that is cut or replaced while it is open: reads fail with an error, the map ends the process with a
//! message, and what was read of two models never runs.

#[path = "common/gguf_builder.rs"]
mod builder;

use builder::Builder;
use foregate::generate::engine::Engine;
use foregate::generate::options::Options;
use foregate::generate::planner::ModelFile;
use foregate::generate::stream::LanguageModel;
use foregate::gguf::{GgmlType, Gguf};

fn model(dir: &std::path::Path) -> std::path::PathBuf {
    Builder::new().tensor("w", GgmlType::F32, &[1 << 18]).write(dir, "m.gguf")
}

#[test]
fn a_positioned_read_behind_the_new_end_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = model(dir.path());
    let gguf = Gguf::open(&path).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    let t = gguf.tensor("w").unwrap();
    let error = gguf.read_at(0, t.offset, &mut vec![0; t.bytes as usize]).unwrap_err().to_string();
    assert!(error.contains("m.gguf") && error.contains("shortened while in use"), "{error}");
}

#[test]
fn a_model_that_changes_while_it_is_opened_does_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    let content = std::fs::read("tests/fixtures/chat/tiny.gguf").unwrap();
    let written_again = || std::fs::write(&path, &content).unwrap();
    let replaced = || {
        let other = dir.path().join("other.gguf");
        std::fs::write(&other, &content).unwrap();
        std::fs::rename(other, &path).unwrap();
    };
    let load = |change: &dyn Fn()| {
        written_again();
        let file = ModelFile::open(&path, None).unwrap();
        // times of writing are as coarse as a tick of the system's clock
        std::thread::sleep(std::time::Duration::from_millis(20));
        change();
        Engine::load(file, &Options { memory: Some(1 << 30), ..Options::default() }, &mut |_| ()).map(drop)
    };
    load(&|| ()).unwrap();
    for change in [&written_again as &dyn Fn(), &replaced] {
        let error = load(change).unwrap_err().to_string();
        assert!(error.contains("m.gguf") && error.contains("written to"), "{error}");
    }
}

#[test]
fn a_model_that_is_written_to_ends_the_run_even_if_all_experts_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    let content = std::fs::read("tests/fixtures/chat/tiny.gguf").unwrap();
    std::fs::write(&path, &content).unwrap();
    let options = Options { memory: Some(1 << 30), ..Options::default() };
    let mut engine = Engine::open(&path, &options, &mut |_| ()).unwrap();
    for _ in 0..2 {
        assert!(engine.next_logits(&[1, 2, 3], &|| false).unwrap().is_some());
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(&path, &content).unwrap();
    let error = engine.next_logits(&[1, 2, 3], &|| false).unwrap_err().to_string();
    assert!(error.contains("m.gguf") && error.contains("written to while in use"), "{error}");
}

/// Set in the child process, which cuts its own file and then touches the map.
#[cfg(unix)]
const CHILD: &str = "FOREGATE_TEST_SHRINK_THREADS";

#[cfg(unix)]
fn touch_a_cut_map(threads: usize) -> ! {
    foregate::os::install_bus_error_handler().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = model(dir.path());
    let gguf = Gguf::open(&path).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    drop(dir);
    let bytes = gguf.tensor_bytes(gguf.tensor("w").unwrap()).unwrap();
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|s| {
        for i in 0..threads {
            let start = &start;
            s.spawn(move || {
                start.wait();
                std::hint::black_box(std::hint::black_box(bytes)[(i + 1) * 8192]);
            });
        }
    });
    std::process::exit(7);
}

#[test]
#[cfg(unix)]
fn touching_a_map_whose_file_shrank_ends_with_a_message_and_exit_code_1() {
    const NAME: &str = "touching_a_map_whose_file_shrank_ends_with_a_message_and_exit_code_1";
    if let Ok(threads) = std::env::var(CHILD) {
        touch_a_cut_map(threads.parse().unwrap());
    }
    // Many times with many threads: the first handler to run must not leave the others without one.
    for threads in ["1"].into_iter().chain(["16"; 20]) {
        let out = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(CHILD, threads)
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&out.stderr);
        assert_eq!(message.matches("a mapped file shrank").count(), 1, "{threads} threads: {:?} {message}", out.status);
        assert_eq!(out.status.code(), Some(1), "{threads} threads: {message}");
    }
}
