//! Templates of published models, rendered as transformers renders them. The data is not part of the repository.

use std::path::{Path, PathBuf};

use foregate::tokenizer::template::{ChatTemplate, Conversation};
use serde_json::Value;

/// 2026-11-22 10:30 (UTC), the clock of the expected texts.
const NOW: i64 = 1_795_343_400;

fn templates() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/chat-templates");
    let entries = std::fs::read_dir(&folder).ok()?;
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jinja"));
    paths.sort();
    Some(paths)
}

fn conversation(case: &Value) -> Conversation {
    Conversation { now: NOW, ..Conversation::from_json(&case.to_string()).unwrap() }
}

#[test]
fn published_templates_render_as_transformers_renders_them() {
    let Some(paths) = templates() else {
        println!("skip: no ../shared/chat-templates");
        return;
    };
    let (mut equal, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for path in &paths {
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
    assert!(!paths.is_empty() && equal > 0, "nothing was compared");
    println!("{equal} equal, {refused} refused");
}

#[test]
fn a_thousand_messages_render() {
    let Some(paths) = templates() else {
        println!("skip: no ../shared/chat-templates");
        return;
    };
    let message = |i: usize| {
        let role = if i.is_multiple_of(2) { "user" } else { "assistant" };
        serde_json::json!({"role": role, "content": format!("message {i}")})
    };
    let messages: Vec<_> = (0..1001).map(message).collect();
    for path in paths {
        let template = ChatTemplate::from_file(&path, Some("<s>"), Some("</s>")).unwrap();
        let started = std::time::Instant::now();
        let text = template.render(&Conversation { now: NOW, ..Conversation::new(messages.clone()).unwrap() });
        let text = text.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(text.contains("message 1000"), "{}", path.display());
        println!("{}: {} ms", path.file_name().unwrap().display(), started.elapsed().as_millis());
    }
}
