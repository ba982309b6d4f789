//! Chat templates, rendered as transformers renders them: our own, and published ones where their data is at hand.

use std::path::{Path, PathBuf};

use foregate::tokenizer::template::{ChatTemplate, Conversation};
use serde_json::Value;

/// 2026-11-22 10:30 (UTC), the clock of the expected texts.
const NOW: i64 = 1_795_343_400;

/// The templates of `folder`, a path from the root of the project; none if there is no such folder.
fn templates(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jinja"));
    paths.sort();
    paths
}

/// Templates of published models; they keep their terms and are not part of the repository.
fn published() -> Vec<PathBuf> {
    let paths = templates("../shared/chat-templates");
    if paths.is_empty() {
        println!("skip: no ../shared/chat-templates");
    }
    paths
}

fn conversation(case: &Value) -> Conversation {
    Conversation { now: NOW, ..Conversation::from_json(&case.to_string()).unwrap() }
}

/// Renders every case beside each template, and compares.
fn assert_rendered_as_expected(paths: &[PathBuf]) {
    let (mut equal, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for path in paths {
        let template = ChatTemplate::from_file(path, Some("<s>"), Some("</s>")).unwrap();
        let cases = std::fs::read_to_string(path.with_extension("cases.json")).unwrap();
        for case in serde_json::from_str::<Vec<Value>>(&cases).unwrap() {
            let rendered = template.render(&conversation(&case));
            let at = format!("{}, {}", path.file_name().unwrap().display(), case["name"]);
            match (case["expected"].as_str(), rendered) {
                (Some(expected), Ok(text)) if text == expected => equal += 1,
                (Some(expected), rendered) => wrong.push(format!("{at}: expected {expected:?}, got {rendered:?}")),
                (None, Err(_)) => refused += 1,
                // What Python's sandbox or its types refuse may be rendered.
                (None, Ok(_)) if !case["error"].as_str().unwrap().starts_with("TemplateError") => refused += 1,
                (None, Ok(text)) => wrong.push(format!("{at}: expected an error, got {text:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    println!("{equal} equal, {refused} refused");
}

#[test]
fn our_templates_render_as_transformers_renders_them() {
    let paths = templates("tests/fixtures/templates");
    assert_eq!(paths.len(), 8);
    assert_rendered_as_expected(&paths);
}

#[test]
fn published_templates_render_as_transformers_renders_them() {
    assert_rendered_as_expected(&published());
}

#[test]
fn a_thousand_messages_render() {
    let message = |i: usize| {
        let role = if i.is_multiple_of(2) { "user" } else { "assistant" };
        serde_json::json!({"role": role, "content": format!("message {i}")})
    };
    let messages: Vec<_> = (0..1001).map(message).collect();
    for path in [templates("tests/fixtures/templates"), published()].concat() {
        let template = ChatTemplate::from_file(&path, Some("<s>"), Some("</s>")).unwrap();
        let started = std::time::Instant::now();
        let text = template.render(&Conversation { now: NOW, ..Conversation::new(messages.clone()).unwrap() });
        let text = text.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(!text.is_empty(), "{}", path.display());
        println!("{}: {} ms", path.file_name().unwrap().display(), started.elapsed().as_millis());
    }
}

#[test]
fn snippets_render_as_in_jinja2_or_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates/snippets.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for row in file["snippets"].as_array().unwrap() {
        let source = row["template"].as_str().unwrap();
        let conversation = Conversation {
            variables: file["variables"].as_object().unwrap().clone(),
            now: NOW,
            ..Conversation::new(Vec::new()).unwrap()
        };
        let rendered = ChatTemplate::from_source(source, None, None).and_then(|t| t.render(&conversation));
        match (row["expected"].as_str(), rendered, row["refused"].as_bool()) {
            (Some(expected), Ok(text), None) if text == expected => {}
            (Some(_), Err(_), Some(true)) | (None, Err(_), None) => {}
            (Some(expected), Ok(text), _) => {
                wrong.push(format!("{source}\n  expected {expected:?}\n  got      {text:?}"))
            }
            (Some(expected), Err(e), None) => wrong.push(format!("{source}\n  expected {expected:?}\n  got      {e}")),
            (_, got, _) => wrong.push(format!("{source}\n  expected an error, {}\n  got      {got:?}", row["error"])),
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
