//! `foregate chat` without a terminal, on a tiny random model.

mod common;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use common::{Dir, TestCommand, foregate, tiny_model};

fn chat(args: &[&str]) -> TestCommand {
    foregate(["chat"]).arg(tiny_model()).args(["--device", "cpu"]).args(args)
}

#[test]
fn each_line_is_a_turn_and_each_answer_ends_its_line() {
    let one = chat(&["-n", "6", "--temp", "0"]).stdin("hello\n").ok();
    assert!(one.len() > 1 && one.ends_with('\n'), "{one:?}");
    let two = chat(&["-n", "6", "--temp", "0"]).stdin("hello\n\nand?").ok();
    assert!(two.starts_with(&one) && two.len() > one.len(), "an empty line is no turn: {two:?}");
}

#[test]
fn the_conversation_is_remembered_until_it_is_reset() {
    let args = ["-n", "6", "--temp", "0"];
    let one = chat(&args).stdin("hello\n").ok();
    assert_eq!(chat(&args).stdin("hello\n/reset\nhello\n").ok(), one.repeat(2));
    assert_ne!(chat(&args).stdin("hello\nhello\n").ok(), one.repeat(2));
}

#[test]
fn what_the_kv_cache_holds_is_not_computed_again_and_changes_nothing() {
    let run = chat(&["-n", "6", "--temp", "0", "--stats"]).stdin("hello\nwhat now?\n").run();
    run.expect_code(0);
    let stderr = run.stderr();
    let prefills: Vec<usize> =
        stderr.lines().filter_map(|line| line.strip_prefix("prefill: ")?.split(' ').next()?.parse().ok()).collect();
    let prompt = "<|im_start|>user\nwhat now?<|im_end|>\n<|im_start|>assistant\n";
    let new = foregate(["tokenize"]).arg(tiny_model()).args(["-p", prompt]).ok().split(' ').count();
    assert_eq!(prefills.len(), 2, "{stderr}");
    assert!(prefills[1] <= new + 10, "{} tokens computed for {new} new ones", prefills[1]);
}

#[test]
fn a_system_prompt_is_a_flag_or_a_command() {
    let args = ["-n", "6", "--temp", "0"];
    let flag = chat(&[&args[..], &["-s", "be brief"]].concat()).stdin("hello\n").ok();
    assert_eq!(chat(&args).stdin("/system be brief\nhello\n").ok(), flag);
    assert_ne!(chat(&args).stdin("hello\n").ok(), flag);
}

#[test]
fn commands_answer_on_stderr_and_exit_leaves() {
    let run = chat(&["-n", "4"]).stdin("/help\n/stats\nhi\n/stats\n/exit\nnever answered\n").run();
    run.expect_code(0);
    assert_eq!(run.stdout().trim_end_matches('\n').lines().count(), run.stdout().lines().count());
    let stderr = run.stderr();
    for part in ["/reset", "no answer yet", "decode: 3 tokens"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn a_message_that_does_not_fit_is_refused_and_the_conversation_goes_on() {
    let long = "word ".repeat(40);
    let input = format!("{long}\nhi\n");
    let run = chat(&["-n", "4", "--ctx", "40", "--temp", "0"]).stdin(&input).run();
    run.expect_code(1);
    assert!(run.stderr().contains("context of 40") && run.stderr().contains("/reset"), "{}", run.stderr());
    let alone = chat(&["-n", "4", "--ctx", "40", "--temp", "0"]).stdin("hi\n").ok();
    assert_eq!(run.stdout(), alone, "the refused message is not kept");
}

#[test]
fn a_line_that_no_context_could_hold_is_left_out_and_the_next_is_answered() {
    let run = chat(&["-n", "6", "--temp", "0"]).stdin("a".repeat(3_000_000) + "\nhello\n").run();
    run.expect_code(1);
    assert_eq!(run.stdout(), chat(&["-n", "6", "--temp", "0"]).stdin("hello\n").ok());
    let stderr = run.stderr();
    assert!(stderr.contains("bytes is left out") && stderr.contains("1 of the lines got no answer"), "{stderr}");
}

#[test]
fn a_full_context_cuts_the_answer_with_a_message() {
    let run = chat(&["--ctx", "40", "--temp", "0"]).stdin("hi\n").run();
    run.expect_code(0);
    assert!(run.stderr().contains("context of 40 tokens is full"), "{}", run.stderr());
}

#[test]
fn a_template_that_refuses_the_conversation_says_so() {
    let dir = Dir::new();
    let template = dir.file("template", "{{ raise_exception('no users here') }}");
    let run = chat(&["--chat-template", template.to_str().unwrap()]).stdin("hi\n").run();
    run.expect_code(1);
    assert!(run.stderr().contains("no users here"), "{}", run.stderr());
}

#[test]
fn thoughts_are_told_on_stderr_and_kept_out_of_stdout() {
    let dir = Dir::new();
    let template = dir.file("template", "{{ messages[0].content }}<think>");
    let run = chat(&["-n", "8", "--temp", "0", "--chat-template", template.to_str().unwrap()]).stdin("hi\n").run();
    run.expect_code(0);
    assert_eq!(run.stdout(), "\n", "the prompt opens the thoughts, and nothing closes them");
    let raw = foregate(["generate", "--device", "cpu", "-n", "8", "--temp", "0", "-p", "hi<think>"]).arg(tiny_model());
    let text = raw.ok();
    assert!(run.stderr().contains(text.trim()), "{text:?}: {}", run.stderr());
}

#[test]
fn a_template_cannot_come_from_where_messages_come_from() {
    assert!(chat(&["--chat-template", "-"]).stdin("hi\n").fails(2).contains("--chat-template"));
}

#[test]
fn the_model_of_the_environment_is_used() {
    let named = chat(&["-n", "4", "--temp", "0"]).stdin("hi\n").ok();
    let args = ["chat", "--device", "cpu", "-n", "4", "--temp", "0"];
    assert_eq!(foregate(args).env("FOREGATE_MODEL", tiny_model()).stdin("hi\n").ok(), named);
}

#[test]
fn without_a_model_the_demo_model_of_the_clone_answers() {
    let answer = foregate(["chat", "--device", "cpu", "--temp", "0"]).stdin("Who carried the lamp?\n").ok();
    assert!(answer.split_whitespace().count() >= 3 && answer.ends_with(".\n"), "{answer:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_answer_and_not_the_program() {
    let mut child = chat(&["--ctx", "30000", "--temp", "0.9", "--seed", "1"])
        .into_command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdin.write_all(b"go on forever\n").unwrap();
    stdout.read_exact(&mut [0; 8]).unwrap();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    stdin.write_all(b"/stats\n").unwrap();
    drop(stdin);
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    assert!(stderr.contains("foregate: stopped") && stderr.contains("decode: "), "{stderr}");
}

#[test]
fn a_line_that_is_no_text_is_left_out_and_the_next_is_answered() {
    let args = ["-n", "6", "--temp", "0"];
    let run = chat(&args).stdin(b"one \xff\nhello\n").run();
    run.expect_code(1);
    assert!(run.stderr().contains("not UTF-8") && run.stderr().contains("1 of the lines"), "{}", run.stderr());
    assert_eq!(run.stdout(), chat(&args).stdin("hello\n").ok());
}

#[test]
fn a_command_that_is_none_is_not_sent_and_a_path_is_text() {
    let args = ["-n", "6", "--temp", "0"];
    let run = chat(&args).stdin("/bogus\nhello\n").run();
    run.expect_code(1);
    assert!(run.stderr().contains("no such command: /help"), "{}", run.stderr());
    assert_eq!(run.stdout(), chat(&args).stdin("hello\n").ok());
    assert!(chat(&args).stdin("/etc/passwd is what?\n").ok().len() > 1);
}

#[cfg(unix)]
#[test]
fn ctrl_c_between_the_lines_of_a_pipe_ends_the_program() {
    let mut child = chat(&["-n", "4"])
        .into_command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"/stats\n").unwrap();
    let mut said = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    while !said.contains("no answer yet") {
        assert!(std::io::BufRead::read_line(&mut stderr, &mut said).unwrap() > 0, "{said}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
