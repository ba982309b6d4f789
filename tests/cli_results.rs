//! Files that results go to: none is what it is made from, and nothing is left of one that is not whole.

mod common;

use std::fs::{self, File};
#[cfg(unix)]
use std::io::{BufRead, BufReader, Write};
#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Dir, TestCommand, foregate, tiny_model};
#[cfg(unix)]
use foregate::os;

fn on_model(command: &str, args: &[&str]) -> TestCommand {
    foregate([command]).arg(tiny_model()).args(["--device", "cpu"]).args(args)
}

#[test]
fn no_result_takes_the_place_of_what_it_is_made_from() {
    let dir = Dir::new();
    let content = fs::read(tiny_model()).unwrap();
    let model = dir.file("model.gguf", &content);
    let link = dir.path().join("link.gguf");
    fs::hard_link(&model, &link).unwrap();
    for result in [&model, &link] {
        let logits = foregate(["logits"]).arg(&model).args(["--ids", "1,2", "--device", "cpu", "--out"]).arg(result);
        assert!(logits.fails(2).contains("is the model's own file"));
        let generate =
            foregate(["generate"]).arg(&model).args(["-p", "rain", "--device", "cpu", "--trace"]).arg(result);
        assert!(generate.fails(2).contains("is the model's own file"));
    }
    assert!(fs::read(&model).unwrap() == content, "the model is as it was");
    let text = dir.file("text.txt", "rain and sun");
    let run = on_model("perplexity", &["--ctx", "8", "-f"]).arg(&text).arg("--trace").arg(&text);
    assert!(run.fails(2).contains("is the file of the text"));
    assert_eq!(fs::read_to_string(&text).unwrap(), "rain and sun");
}

#[test]
fn logits_that_fail_leave_the_file_as_it_was() {
    let dir = Dir::new();
    let old = dir.file("old.f32", "what was there");
    let new = dir.path().join("new.f32");
    for path in [&old, &new] {
        on_model("logits", &["--ids", "999999", "--out"]).arg(path).fails(2);
    }
    assert_eq!(fs::read_to_string(&old).unwrap(), "what was there");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    on_model("logits", &["--ids", "1", "--out"]).arg(&old).ok();
    assert_ne!(fs::read(&old).unwrap().len(), "what was there".len());
}

#[test]
fn a_trace_is_not_the_file_that_stdin_comes_from() {
    let dir = Dir::new();
    let text = dir.file("text.txt", "rain and sun\n");
    for (command, args, what) in [
        ("generate", &["-n", "2", "-f", "-"][..], "the file of the text"),
        ("perplexity", &["--ctx", "8", "-f", "-"], "the file of the text"),
        ("chat", &["-n", "2"], "the file of the messages"),
    ] {
        let mut run = on_model(command, args).arg("--trace").arg(&text).into_command();
        let out = run.stdin(File::open(&text).unwrap()).output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && error.contains(what), "{command}: {error}");
    }
    assert_eq!(fs::read_to_string(&text).unwrap(), "rain and sun\n");
    // what is no file is no matter
    on_model("generate", &["-n", "2", "-f", "-", "--trace", "/dev/null"]).stdin("rain").ok();
}

#[test]
#[cfg(unix)]
fn a_pipe_gets_the_logits() {
    let dir = Dir::new();
    let [pipe, file] = ["pipe", "file"].map(|name| dir.path().join(name));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    on_model("logits", &["--ids", "1,2", "--out"]).arg(&pipe).ok();
    on_model("logits", &["--ids", "1,2", "--out"]).arg(&file).ok();
    let read = reader.wait_with_output().unwrap().stdout;
    assert!(!read.is_empty() && read == fs::read(file).unwrap());
}

/// Starts the command, and interrupts it when the file is there.
#[cfg(unix)]
fn interrupted(run: TestCommand, path: &Path) {
    let mut child = run.into_command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !path.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended without its file");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_no_part_of_the_logits_or_of_a_measurement() {
    let dir = Dir::new();
    let path = dir.path().join("logits.f32");
    let ids = vec!["5"; 20_000].join(",");
    interrupted(on_model("logits", &["--ctx", "20000", "--batch", "16", "--ids", &ids, "--out"]).arg(&path), &path);
    let trace = dir.path().join("trace.csv");
    let bench = foregate(["bench", "--sizes", "50%,25%", "-n", "200", "--device", "cpu", "--trace"]).arg(&trace);
    interrupted(bench.arg("--report").arg(dir.path().join("report.html")), &trace);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
#[cfg(unix)]
fn an_interrupt_that_is_ignored_from_the_start_stops_nothing() {
    let dir = Dir::new();
    let path = dir.path().join("logits.f32");
    let ids = vec!["5"; 2000].join(",");
    let run = on_model("logits", &["--ctx", "2000", "--ids", &ids, "--out"]).arg(&path);
    let mut child =
        run.ignoring_interrupts().into_command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !path.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended without its file");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(fs::metadata(&path).unwrap().len() > 0);
}

#[test]
#[cfg(unix)]
fn a_signal_that_ends_the_run_leaves_no_part_of_the_logits() {
    let dir = Dir::new();
    let ids = vec!["5"; 20_000].join(",");
    for (signal, old) in [
        ("-TERM", true),
        ("-HUP", false),
        ("-QUIT", false),
        ("-ABRT", true),
        ("-XCPU", true),
        ("-XFSZ", false),
        ("-VTALRM", true),
        ("-ALRM", false),
    ] {
        let path = dir.path().join("logits.f32");
        if old {
            fs::write(&path, "").unwrap();
        }
        let run = on_model("logits", &["--ctx", "20000", "--batch", "16", "--ids", &ids, "--out"]).arg(&path);
        let mut child = run.into_command().stderr(Stdio::null()).spawn().unwrap();
        while fs::metadata(&path).map_or(0, |found| found.len()) == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the run ended without its file");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), None, "{signal} ended it");
        assert_eq!(fs::metadata(&path).map_or(0, |found| found.len()), 0);
        assert_eq!(path.exists(), old);
        let _ = fs::remove_file(&path);
    }
}

/// Set in the child process, which aborts: the file of a result that it has begun.
#[cfg(unix)]
const ABORTS: &str = "FOREGATE_TEST_ABORTS";

#[cfg(unix)]
fn abort_with_an_unfinished(path: &Path) -> ! {
    os::install_end_handlers().unwrap();
    let unfinished = os::Unfinished::new(Some(path));
    let file = File::create(path).unwrap();
    unfinished.begin(&file);
    (&file).write_all(b"part").unwrap();
    std::process::abort();
}

#[test]
#[cfg(unix)]
fn an_abort_leaves_no_part_of_a_result() {
    const NAME: &str = "an_abort_leaves_no_part_of_a_result";
    if let Some(path) = std::env::var_os(ABORTS) {
        abort_with_an_unfinished(Path::new(&path));
    }
    let dir = Dir::new();
    let path = dir.path().join("result");
    let mut child = Command::new(std::env::current_exe().unwrap());
    let out = child.args(["--exact", NAME, "--nocapture"]).env(ABORTS, &path).output().unwrap();
    assert_eq!(out.status.signal(), Some(libc::SIGABRT), "{out:?}");
    assert!(!path.exists());
}

#[test]
#[cfg(unix)]
fn a_signal_between_the_turns_of_a_chat_leaves_a_whole_trace_of_them() {
    let dir = Dir::new();
    let chat = |trace: &Path| {
        let args = ["-n", "6", "--temp", "0", "--stats", "--prefetch", "off", "--cache", "50%", "--trace"];
        let mut chat = on_model("chat", &args).arg(trace).into_command();
        let mut child = chat.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        for message in ["one\n", "two\n"] {
            stdin.write_all(message.as_bytes()).unwrap();
            let mut said = String::new();
            while !said.contains("peak") {
                assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
            }
        }
        (child, stdin)
    };
    for name in ["trace.csv", "trace.csv.gz"] {
        let (whole, ended) = (dir.path().join(format!("whole-{name}")), dir.path().join(name));
        let (mut child, stdin) = chat(&whole);
        drop(stdin);
        assert!(child.wait().unwrap().success());
        let (mut child, _stdin) = chat(&ended);
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
        assert_eq!(fs::read(&ended).unwrap(), fs::read(&whole).unwrap(), "{name}");
        foregate(["simulate", "--as-recorded"]).arg(&ended).ok();
    }
}

#[test]
fn a_trace_without_a_folder_is_refused_before_the_model_is_opened() {
    let error = foregate(["generate", "no/model.gguf", "-p", "rain", "--trace", "no/folder/trace.csv"]).fails(1);
    assert!(error.contains("no/folder/trace.csv"), "{error}");
}

#[test]
fn a_bench_that_is_refused_leaves_its_files_as_they_were() {
    let dir = Dir::new();
    let [trace, report] = ["trace.csv", "report.html"].map(|name| dir.file(name, "what was there"));
    let bench =
        foregate(["bench", "--device", "cpu", "--ctx", "5", "--trace"]).arg(&trace).arg("--report").arg(&report);
    assert!(bench.fails(1).contains("do not fit into the context"));
    for path in [trace, report] {
        assert_eq!(fs::read_to_string(path).unwrap(), "what was there");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_model_that_is_cut_leaves_no_part_of_the_logits() {
    let dir = Dir::new();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/foregate-demo.gguf");
    for io in ["mmap", "direct"] {
        let model = dir.file("model.gguf", fs::read(&demo).unwrap());
        let path = dir.path().join("logits.f32");
        let ids = vec!["5"; 1000].join(",");
        let run = foregate(["logits"]).arg(&model).args(["--device", "reference", "--io", io, "--cache", "1x"]);
        let run = run.args(["--batch", "16", "--ids", &ids, "--out"]).arg(&path);
        let mut child = run.into_command().stderr(Stdio::null()).spawn().unwrap();
        while fs::metadata(&path).map_or(0, |found| found.len()) == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the run ended without its file");
            std::thread::sleep(Duration::from_millis(1));
        }
        File::options().write(true).open(&model).unwrap().set_len(100_000).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{io}");
        fs::remove_file(&model).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{io}");
    }
}
