//! The program as a shell sees it: help, usage errors, exit codes, pipes.

mod common;

use std::io::Read;
use std::process::Stdio;

use common::{Dir, foregate};

/// Every command that `--help` lists.
fn commands() -> Vec<String> {
    let help = foregate(["--help"]).ok();
    let list = help.split("Commands:\n").nth(1).expect("a list of commands").split("\n\n").next().unwrap().to_owned();
    list.lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

#[test]
fn help_goes_to_stdout_and_names_the_exit_codes() {
    let help = foregate(["--help"]).ok();
    assert!(help.contains("Usage: foregate <COMMAND>"), "{help}");
    assert!(help.contains("Exit codes: 0 done, 1 failed, 2 bad usage, 130 ended by Ctrl-C."), "{help}");
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = commands();
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        let help = foregate([&command, "--help"]).ok();
        assert!(help.contains("Example") && help.contains(&format!("foregate {command}")), "{command}: {help}");
    }
}

#[test]
fn version_is_the_crates() {
    assert_eq!(foregate(["--version"]).ok(), format!("foregate {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_usage_exits_with_2_and_says_why_on_stderr() {
    assert!(foregate([] as [&str; 0]).fails(2).contains("Usage"));
    assert!(foregate(["frobnicate"]).fails(2).contains("frobnicate"));
    assert!(foregate(["completions", "tcsh"]).fails(2).contains("tcsh"));
    assert!(foregate(["man", "--frob"]).fails(2).contains("--frob"));
}

#[test]
fn completions_exist_for_each_shell_and_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = foregate(["completions", shell]).ok();
        assert!(commands().iter().all(|c| script.contains(c)), "{shell}: {script}");
    }
}

#[test]
fn man_pages_are_written_for_the_program_and_each_command() {
    assert!(foregate(["man"]).ok().contains(".TH foregate 1"));
    let dir = Dir::new();
    let pages = dir.path().join("share/man/man1");
    foregate(["man", "--dir"]).arg(&pages).ok();
    assert!(pages.join("foregate.1").is_file());
    for command in commands() {
        assert!(pages.join(format!("foregate-{command}.1")).is_file(), "{command}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_a_failure_that_names_it() {
    let dir = Dir::new();
    let inside_a_file = dir.file("file", "").join("man");
    let error = foregate(["man", "--dir"]).arg(&inside_a_file).fails(1);
    assert!(error.starts_with(&format!("error: {}: ", inside_a_file.display())), "{error}");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child =
        foregate(["completions", "zsh"]).into_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success() && stderr.is_empty(), "{status}: {stderr}");
}
