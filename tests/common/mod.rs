//! Runs the program and looks at what it says.

#![allow(dead_code, missing_docs)]

pub mod oracle;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory of the test's own, gone when the test ends.
pub struct Dir(tempfile::TempDir);

impl Dir {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file into the directory.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("a file in a temporary directory");
        path
    }
}

/// One run of the program, built argument by argument.
pub struct TestCommand {
    command: Command,
    stdin: Option<Vec<u8>>,
}

/// `foregate` with these arguments, in an environment that names no model and no home.
pub fn foregate<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> TestCommand {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foregate"));
    command
        .args(args)
        .env_remove("FOREGATE_MODEL")
        .env("FOREGATE_WARM_START", "off")
        .env("FOREGATE_PROFILE", "off")
        .env("XDG_STATE_HOME", std::env::temp_dir().join("foregate-test-state"));
    TestCommand { command, stdin: None }
}

impl TestCommand {
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, key: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = Some(text.as_ref().to_vec());
        self
    }

    /// As the last arguments of another program, which runs it.
    pub fn behind(self, mut outer: Command) -> Self {
        outer.arg(self.command.get_program()).args(self.command.get_args());
        for (key, value) in self.command.get_envs() {
            match value {
                Some(value) => outer.env(key, value),
                None => outer.env_remove(key),
            };
        }
        if let Some(dir) = self.command.get_current_dir() {
            outer.current_dir(dir);
        }
        Self { command: outer, stdin: self.stdin }
    }

    /// In a process that ignores SIGINT, as the jobs do that a script starts with `&`.
    pub fn ignoring_interrupts(self) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' INT; exec \"$@\"", "sh"]);
        self.behind(shell)
    }

    /// The command itself, for tests that hold its pipes.
    pub fn into_command(self) -> Command {
        self.command
    }

    pub fn run(mut self) -> Run {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = self.command.spawn().expect("the program starts");
        let writer = self.stdin.take().map(|text| {
            let mut pipe = child.stdin.take().expect("a piped stdin");
            // A program that has gone before it read everything is no failure of the test.
            std::thread::spawn(move || drop(pipe.write_all(&text)))
        });
        let output = child.wait_with_output().expect("the program ends");
        if let Some(writer) = writer {
            writer.join().expect("the writer of stdin");
        }
        Run { command: format!("{:?}", self.command), output }
    }

    /// Runs, expects exit code 0 and returns stdout.
    pub fn ok(self) -> String {
        let run = self.run();
        run.expect_code(0);
        run.stdout()
    }

    /// Runs, expects this exit code and an empty stdout, and returns stderr.
    pub fn fails(self, code: i32) -> String {
        let run = self.run();
        run.expect_code(code);
        assert_eq!(run.stdout(), "", "{}: a failure says nothing on stdout", run.command);
        run.stderr()
    }
}

/// What a run left.
pub struct Run {
    command: String,
    pub output: Output,
}

impl Run {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub fn expect_code(&self, code: i32) {
        let got = self.output.status.code();
        assert_eq!(got, Some(code), "{}\nstdout: {}\nstderr: {}", self.command, self.stdout(), self.stderr());
    }
}

/// A random model of 240 KB with a tokenizer and a chat template.
pub fn tiny_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat/tiny.gguf")
}

/// Data beside the checkout that only some machines have; prints a skip and gives `None` elsewhere.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}
