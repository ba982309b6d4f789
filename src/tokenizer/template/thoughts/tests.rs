use super::*;
use Kind::{Answer, Thought};

const THINK: Format = Format::Tags("<think>", "</think>");

/// The thoughts and the answer that come out when `text` is pushed in pieces of `size` characters.
fn split(format: Format, prompt: &str, text: &str, size: usize) -> (String, String) {
    let mut splitter = Splitter::new(format, prompt);
    let characters: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    for piece in characters.chunks(size) {
        pieces.extend(splitter.push(&piece.iter().collect::<String>()));
    }
    pieces.extend(splitter.finish());
    let of = |kind| pieces.iter().filter(|(k, _)| *k == kind).map(|(_, text)| text.as_str()).collect::<String>();
    assert_eq!((of(Thought).trim(), of(Answer).as_str()), (splitter.thought(), splitter.answer()));
    (of(Thought).trim_end().to_owned(), of(Answer))
}

fn assert_split(format: Format, prompt: &str, text: &str, thought: &str, answer: &str) {
    for size in 1..=text.chars().count().max(1) {
        let expected = (thought.to_owned(), answer.to_owned());
        assert_eq!(split(format, prompt, text, size), expected, "{text:?} in pieces of {size}");
    }
}

#[test]
fn thoughts_between_tags_are_told_from_the_answer() {
    assert_split(THINK, "", "<think>\nadd them\n</think>\n\n4", "add them", "4");
    assert_split(THINK, "<|assistant|><think>\n", "add\n</think>\n\n4", "add", "4");
    assert_split(THINK, "<think>\n\n</think>\n\n", "4", "", "4");
    assert_split(THINK, "", "<think>never closed", "never closed", "");
    assert_split(Format::Tags("◁think▷", "◁/think▷"), "", "◁think▷é◁/think▷世", "é", "世");
}

#[test]
fn what_only_looks_like_a_tag_is_text() {
    assert_split(THINK, "", " a < b <thin", "", " a < b <thin");
    assert_split(THINK, "", "Write <think> and </think>.", "", "Write <think> and </think>.");
    assert_split(THINK, "<think>", "<think>a <think> b</think>c", "a <think> b", "c");
    assert_split(Format::Plain, "", "<think>a</think>", "", "<think>a</think>");
}

#[test]
fn channels_are_told_apart() {
    let prompt = "<|start|>user<|message|>2+2?<|end|><|start|>assistant";
    let text = "<|channel|>analysis<|message|>add<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>";
    assert_split(Format::Channels, prompt, text, "add", "4");
    assert_split(Format::Channels, prompt, "no channels", "", "no channels");
    assert_split(Format::Channels, prompt, "assist", "", "assist");
    assert_split(Format::Channels, &format!("{prompt}<|channel|>analysis<|message|>"), "add<|end|>", "add", "");
    let call = " to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>";
    assert_split(Format::Channels, prompt, call, "", "{}");
    let two = "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|>";
    assert_split(Format::Channels, prompt, two, "a\n\nb", "");
}

#[test]
fn special_tokens_are_markers_or_hidden() {
    let mut splitter = Splitter::new(Format::Channels, "<|start|>assistant");
    let mut out = Vec::new();
    for (special, text) in
        [(true, "<|channel|>"), (false, "analysis"), (true, "<|message|>"), (false, "add"), (true, "<|end|>")]
    {
        out.extend(if special { splitter.push_special(text) } else { splitter.push(text) });
    }
    assert_eq!(out, [(Thought, "add".to_owned())]);
    let mut splitter = Splitter::new(THINK, "");
    assert_eq!(splitter.push("a <"), [(Answer, "a ".to_owned())]);
    assert_eq!(splitter.push_special("<|im_end|>"), []);
    assert_eq!(splitter.finish(), [(Answer, "<".to_owned())]);
}

#[test]
fn the_template_says_how_thoughts_are_marked_and_kept() {
    let of = |source: &str| ChatTemplate::from_source(source, None, None).unwrap();
    let qwen = of("{% for message in messages %}{{ message.reasoning_content }}</think>{% endfor %}");
    assert_eq!(Format::of(&qwen), THINK);
    assert_eq!(assistant_message(&qwen, "t", "a")["reasoning_content"], "t");
    assert!(assistant_message(&qwen, "", "a").get("reasoning_content").is_none());
    let harmony =
        of("{{ '<|channel|>final<|message|>' }}{% if 'thinking' in messages[0] %}{{ message.thinking }}{% endif %}");
    assert_eq!(Format::of(&harmony), Format::Channels);
    assert_eq!(assistant_message(&harmony, "t", "a")["thinking"], "t");
    let opens = of("{{ messages[0].content }}{% if add_generation_prompt %}<think>\n{% endif %}");
    assert_eq!(Format::of(&opens), THINK);
    let commented =
        of("{# no <think> </think>, <|channel|>, <|message|> or message.thinking #}{{ messages[0].content }}");
    assert_eq!(Format::of(&commented), Format::Plain);
    assert!(assistant_message(&commented, "t", "a").get("thinking").is_none());
    let plain = of("{{ messages[0].content }}");
    assert_eq!(Format::of(&plain), Format::Plain);
    assert_eq!(assistant_message(&plain, "t", "a"), serde_json::json!({"role": "assistant", "content": "a"}));
}
