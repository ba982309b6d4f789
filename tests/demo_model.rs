//! What the shipped demo model answers, greedily. `scripts/eval_demo` asks far more; these are questions that it must not
//! get wrong, by domain. Answers are printed by the CPU device, whose bits are the same on every CPU.

mod common;

use std::path::Path;

use common::{TestCommand, foregate};

const DECLINE: &str = "I only know capitals, sums, units, dates, words, lists, stories, Python, German and Foregate.";

fn demo(command: &str) -> TestCommand {
    foregate([command]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/foregate-demo.gguf")).args([
        "--device",
        "cpu",
        "--temp",
        "0",
        "--threads",
        "1",
    ])
}

/// Answers to lines of a chat, each a line.
fn chat(system: Option<&str>, lines: &[&str]) -> Vec<String> {
    let system: Vec<&str> = system.into_iter().flat_map(|text| ["--system", text]).collect();
    let answers = demo("chat").args(system).stdin(&(lines.join("\n") + "\n")).ok();
    answers.lines().map(str::to_owned).collect()
}

/// Asks each question in a conversation of its own.
#[track_caller]
fn answers(pairs: &[(&str, &str)]) {
    let lines: Vec<&str> = pairs.iter().flat_map(|(question, _)| [*question, "/reset"]).collect();
    let expected: Vec<&str> = pairs.iter().map(|(_, answer)| *answer).collect();
    assert_eq!(chat(None, &lines), expected);
}

#[test]
fn it_is_found_when_no_model_is_named() {
    let answer = foregate(["generate", "--chat", "-p", "What is Foregate?", "--temp", "0", "--device", "cpu"]).ok();
    assert_eq!(answer.trim_end(), "Foregate runs mixture-of-experts models that do not fit in memory.");
}

#[test]
fn it_knows_facts_of_each_domain() {
    answers(&[
        ("Hello!", "Hello! What would you like to know?"),
        ("What are you?", "I am the demo model of Foregate, a very small mixture of experts."),
        ("What does --memory do?", "The flag --memory sets a ceiling for the memory of the process."),
        ("What does foregate tokenize do?", "The command tokenize prints the token ids of a text."),
        ("What is the capital of France?", "The capital of France is Paris."),
        ("Which country has Tokyo as its capital?", "The capital of Japan is Tokyo."),
        ("On which continent is Kenya?", "The continent of Kenya is Africa."),
        ("What is 6 x 7?", "6 x 7 = 42."),
        ("What is 7 - 9?", "7 - 9 = -2."),
        ("Divide 47 by 5.", "5 x 9 = 45, 47 - 45 = 2, 47 / 5 = 9, remainder 2."),
        ("How many seconds are 2 hours?", "2 hours are 120 minutes, 2 hours are 7200 seconds."),
        ("How many minutes are 3 hours?", "3 hours are 180 minutes."),
        ("How many days has April?", "April has 30 days."),
        ("Which day comes after Friday?", "After Friday comes Saturday."),
        ("What is the opposite of hot?", "The opposite of hot is cold."),
        ("What is the plural of mouse?", "The plural of mouse is mice."),
        ("What does print(2 + 3) print?", "It prints 5."),
        ("Sort 9, 2, 5.", "Sorted: 2, 5, 9."),
        ("Sort 42, 7, 19.", "By tens: 0: 7; 1: 19; 2; 3; 4: 42; 5; 6; 7; 8; 9. Sorted: 7, 19, 42."),
        ("Is 2026 a leap year?", "2026 ends in 26, 26 / 4 leaves 2: no, 2026 is not a leap year."),
        ("What does foregate tune do?", "The command tune finds the fastest settings on this machine and keeps them."),
        ("Reverse 3, 8, 5.", "Reversed: 5, 8, 3."),
        ("What is the German word for house?", "In German, house is das Haus."),
        ("Was ist die Hauptstadt von Italien?", "Die Hauptstadt von Italien ist Rom."),
    ]);
}

#[test]
fn it_says_the_fact_of_a_claim_and_does_not_know_what_there_is_not() {
    answers(&[
        ("Is Lyon the capital of France?", "The capital of France is Paris, you say Lyon, so no."),
        ("Is Brazil in Europe?", "The continent of Brazil is South America, you say Europe, so no."),
        ("Is 7 + 5 = 13?", "7 + 5 = 12, you say 13, so no."),
        ("What is the capital of Atlantis?", "I do not know that place."),
        ("whats the capital of japan", "The capital of Japan is Tokyo."),
    ]);
}

#[test]
fn it_writes_a_program_of_two_lines() {
    let answer = demo("generate").args(["--chat", "-p", "Write a Python program that counts to 5."]).ok();
    assert_eq!(answer.trim_end(), "for i in range(1, 6):\n    print(i)");
}

#[test]
fn it_tells_a_story_about_whom_it_is_asked_for() {
    let story = demo("generate").args(["--chat", "-p", "Tell me a story about a fox called Mia."]).ok();
    assert!(story.contains("Mia") && story.contains("fox") && story.trim_end().ends_with('.'), "{story}");
    assert!((6..=12).contains(&story.matches(['.', '?']).count()), "{story}");
}

#[test]
fn it_declines_what_is_out_of_its_reach_with_one_sentence() {
    answers(&[
        ("What will the weather be tomorrow?", DECLINE),
        ("What is the population of France?", DECLINE),
        ("Write a poem about love.", DECLINE),
        ("What is 345 + 678?", DECLINE),
        ("Who wrote Hamlet?", DECLINE),
    ]);
}

#[test]
fn it_declines_questions_of_other_kinds() {
    answers(&[
        ("How old is the king of Sweden?", DECLINE),
        ("Can you call me a taxi?", DECLINE),
        ("What does a litre of milk cost?", DECLINE),
        ("Is the earth flat?", DECLINE),
        ("Translate dog to French", DECLINE),
    ]);
}

#[test]
fn a_long_conversation_holds_together() {
    let lines = [
        "My name is Anna.",
        "What is the capital of Norway?",
        "And Brazil?",
        "On which continent is it?",
        "What is 47 + 38?",
        "Add 5 to that.",
        "Which month follows June?",
        "What is the plural of mouse?",
        "What is my name?",
    ];
    let expected = [
        "Nice to meet you, Anna!",
        "The capital of Norway is Oslo.",
        "The capital of Brazil is Brasilia.",
        "The continent of Brazil is South America.",
        "7 + 8 = 15, 47 + 38 = 85.",
        "5 + 5 = 10, 85 + 5 = 90.",
        "After June comes July.",
        "The plural of mouse is mice.",
        "Your name is Anna.",
    ];
    assert_eq!(chat(None, &lines), expected);
}

#[test]
fn facts_carry_over_turns() {
    let answers = chat(None, &["What is the capital of Spain?", "And Norway?", "On which continent is it?"]);
    assert_eq!(
        answers,
        ["The capital of Spain is Madrid.", "The capital of Norway is Oslo.", "The continent of Norway is Europe."]
    );
    let answers = chat(None, &["My name is Anna.", "What is 7 + 5?", "What is my name?"]);
    assert_eq!(answers, ["Nice to meet you, Anna!", "7 + 5 = 12.", "Your name is Anna."]);
}

#[test]
fn a_system_prompt_changes_the_form_of_answers() {
    let question = "What is the capital of Italy?";
    assert_eq!(chat(Some("Answer in one word."), &[question, "And France?"]), ["Rome.", "Paris."]);
    assert_eq!(chat(Some("Answer in German."), &[question]), ["Die Hauptstadt von Italien ist Rom."]);
    assert_eq!(chat(Some("Your name is Rosa."), &["What is your name?"]), ["My name is Rosa."]);
}

#[test]
fn it_adds_numbers_that_it_was_never_trained_to_add() {
    // Some of the pairs that scripts/demo/domains/arithmetic.py leaves out.
    let pairs = [(53, 58), (83, 91), (24, 68), (45, 89), (41, 69), (44, 44), (35, 42), (92, 95), (14, 67), (57, 71)];
    let questions: Vec<String> = pairs.iter().map(|(a, b)| format!("What is {a} + {b}?")).collect();
    let lines: Vec<&str> = questions.iter().flat_map(|question| [question.as_str(), "/reset"]).collect();
    let right = chat(None, &lines)
        .iter()
        .zip(pairs)
        .filter(|(said, (a, b))| said.ends_with(&format!(", {a} + {b} = {}.", a + b)))
        .count();
    assert!(10 * right >= 9 * pairs.len(), "{right} of {}", pairs.len());
}
