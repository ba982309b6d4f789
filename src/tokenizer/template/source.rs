//! What happens to a template's text before the engine compiles it.
//!
//! None of it moves a line:
//!
//! - line ends become `\n`, as Jinja2's lexer has it;
//! - `{% generation %}` tags, which only mark text for training, become `{% with %}` tags of the same scope;
//! - the operators `%` and `~` become calls, and string literals such as the engine reads;
//! - macros that read `varargs` or `kwargs` get them as parameters;
//! - the value of every `{% set %}` is routed through a check. The check keeps a template from building what cannot be
//!   walked: a namespace that holds itself, a list nested a million deep, a list of two lists that are the same list of
//!   two lists, and so on.

use super::{operators, variadic};
use crate::error::{Error, Result};

/// Largest template that is accepted, in bytes. The largest published ones are near 20 KiB.
pub const SOURCE_BYTES_MAX: usize = 64 << 10;

/// Most tags, brackets and filters in one template. Published ones have up to 500. With the engine's recursion limit it
/// bounds how deep a value can be nested, and so the stack that walking it takes.
const OPERATIONS_MAX: usize = 4000;

/// The global function that checks a value before it gets a name. No template would use such names.
pub const CHECKED: &str = "__checked";

/// The same for an attribute of a namespace, which may not hold another one.
pub const KEPT: &str = "__checked_for_namespace";

/// The text that the engine compiles for `source`; `name` is for errors.
pub fn prepare(source: &str, name: &str) -> Result<String> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Error::Template(format!(
            "{name}: {} bytes are more than the {SOURCE_BYTES_MAX} that a template may have",
            source.len()
        )));
    }
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len() + 256);
    let mut operations = 0;
    let mut macros: Vec<variadic::Open> = Vec::new();
    let mut rest = source.as_str();
    while let Some(at) = next_opening(rest) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let tag_len = match &rest[..2] {
            "{#" => rest.find("#}").map_or(rest.len(), |end| end + 2),
            opening => {
                let close = if opening == "{%" { "%}" } else { "}}" };
                let (len, inner_operations) = tag_length(rest, close);
                operations += 1 + inner_operations;
                len
            }
        };
        let tag = &rest[..tag_len];
        rest = &rest[tag_len..];
        let (open, close, inside) = tag_inside(tag);
        if tag.starts_with("{#") {
            out.push_str(tag);
            continue;
        }
        let with_calls = operators::rewrite(inside).map_err(|refused| {
            let line = 1 + out.matches('\n').count() + refused.line;
            Error::Template(format!("{name}, line {line}: {}", refused.why))
        })?;
        let with_calls = format!("{open}{with_calls}{close}");
        if let Some(innermost) = macros.last_mut() {
            innermost.see(inside);
        }
        if tag.starts_with("{%") {
            let rewritten = rewritten_tag(&with_calls);
            match tag_words(tag).next() {
                Some("macro") => {
                    let inside = tag_inside(&rewritten).2;
                    macros.extend(variadic::Open::new(inside, out.len() + open.len()));
                    out.push_str(&rewritten);
                }
                Some("endmacro") => match macros.pop().and_then(|ended| ended.close(&mut out)) {
                    Some(statement) => out.push_str(&format!("{open}{inside}%}}{{%{statement}{close}")),
                    None => out.push_str(&rewritten),
                },
                _ => out.push_str(&rewritten),
            }
            if tag_words(tag).next() == Some("raw") {
                let end = raw_length(rest);
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        } else {
            out.push_str(&with_calls);
        }
    }
    out.push_str(rest);
    if operations > OPERATIONS_MAX {
        return Err(Error::Template(format!(
            "{name}: {operations} tags, brackets and filters are more than the {OPERATIONS_MAX} that a template may have"
        )));
    }
    Ok(out)
}

/// A template's text without its comments: what it does, and not what is said about it.
pub fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = next_opening(rest) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let comment = rest.starts_with("{#");
        let len = match comment {
            true => rest.find("#}").map_or(rest.len(), |end| end + 2),
            false => tag_length(rest, if rest.starts_with("{%") { "%}" } else { "}}" }).0,
        };
        out.push_str(if comment { "" } else { &rest[..len] });
        let raw = rest.starts_with("{%") && tag_words(&rest[..len]).next() == Some("raw");
        rest = &rest[len..];
        if raw {
            let end = raw_length(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    out + rest
}

/// Bytes of `text`, which follows `{% raw %}`, before the tag that ends it.
fn raw_length(text: &str) -> usize {
    let ends = |at: &usize| {
        let word = tag_words(&text[*at..]).next().and_then(|word| word.strip_prefix("endraw"));
        word.is_some_and(|after| matches!(after.as_bytes().first(), None | Some(b'-' | b'+' | b'%')))
    };
    text.match_indices("{%").map(|(at, _)| at).find(ends).unwrap_or(text.len())
}

/// Where the next `{%`, `{{` or `{#` begins.
fn next_opening(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| pair[0] == b'{' && matches!(pair[1], b'%' | b'{' | b'#'))
}

/// Bytes of the tag that `text` starts with, its closing included (all of `text` if it never closes), and how many
/// brackets, filters and `%` it has. A closing inside a string or inside brackets is none.
fn tag_length(text: &str, close: &str) -> (usize, usize) {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut operations) = (2, 0usize, 0);
    let mut quote = None;
    while at < bytes.len() {
        let byte = bytes[at];
        match quote {
            Some(q) => match byte {
                b'\\' => at += 1,
                _ if byte == q => quote = None,
                _ => {}
            },
            None if depth == 0 && text[at..].starts_with(close) => return (at + 2, operations),
            None => match byte {
                b'\'' | b'"' => quote = Some(byte),
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    operations += 1;
                }
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'|' | b'%' => operations += 1,
                _ => {}
            },
        }
        at += 1;
        // Stay on a character boundary: everything looked for is ASCII.
        while at < bytes.len() && !text.is_char_boundary(at) {
            at += 1;
        }
    }
    (text.len(), operations)
}

/// The words of a `{% .. %}` tag, whitespace control left out.
fn tag_words(tag: &str) -> impl Iterator<Item = &str> {
    tag_inside(tag).2.split_whitespace()
}

/// Splits a `{% .. %}` or `{{ .. }}` tag into its opening, its closing and what is between them.
fn tag_inside(tag: &str) -> (&str, &str, &str) {
    let is_control = |byte: Option<&u8>| matches!(byte, Some(b'-' | b'+'));
    let start = 2 + usize::from(is_control(tag.as_bytes().get(2)));
    let closing = if tag.starts_with("{%") { "%}" } else { "}}" };
    let closed = tag.len() >= start + 2 && tag.ends_with(closing);
    let mut end = if closed { tag.len() - 2 } else { tag.len() };
    if closed && end > start && is_control(tag.as_bytes().get(end - 1)) {
        end -= 1;
    }
    (&tag[..start], &tag[end..], &tag[start..end])
}

/// A tag as the engine shall see it.
fn rewritten_tag(tag: &str) -> String {
    let (open, close, inside) = tag_inside(tag);
    match inside.trim() {
        "generation" => return format!("{open}{}{close}", inside.replace("generation", "with")),
        "endgeneration" => return format!("{open}{}{close}", inside.replace("endgeneration", "endwith")),
        _ => {}
    }
    match assignment(inside) {
        Some((targets, value)) => {
            let check = if targets.contains('.') { KEPT } else { CHECKED };
            format!("{open}{targets}={check}(({value})){close}")
        }
        None => tag.to_owned(),
    }
}

/// Splits `set a = value`; nothing for any other statement.
fn assignment(inside: &str) -> Option<(&str, &str)> {
    let after = inside.trim_start().strip_prefix("set")?;
    if !after.starts_with([' ', '\t', '\n', '(']) {
        return None;
    }
    let (targets, value) = inside.split_once('=')?;
    let names_only = targets.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.,()".contains(c));
    names_only.then_some((targets, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(source: &str) -> String {
        prepare(source, "t").unwrap()
    }

    #[test]
    fn assigned_values_are_checked_and_other_statements_are_left_alone() {
        assert_eq!(
            prepared("{%- set ns.x = 'a %}' if b else [1, 2] -%}"),
            format!("{{%- set ns.x ={KEPT}(( 'a %}}' if b else [1, 2] ))-%}}")
        );
        assert_eq!(prepared("{% set a, b = 1, 2 %}"), format!("{{% set a, b ={CHECKED}(( 1, 2 ))%}}"));
        for same in [
            "{% set x | f(a=1) %}y{% endset %}",
            "{% set ns.x %}y{% endset %}",
            "{% if ns.x == 1 %}{% endif %}",
            "{{ ns.x }}",
        ] {
            assert_eq!(prepared(same), same);
        }
    }

    #[test]
    fn generation_tags_become_with_tags() {
        assert_eq!(prepared("{%- generation -%}x{% endgeneration +%}"), "{%- with -%}x{% endwith +%}");
    }

    #[test]
    fn raw_text_and_comments_are_left_alone() {
        for same in [
            "{% raw %}{% generation %}{% endraw %}",
            "{# {% generation %} #}",
            "{% raw %}{% set a = 1 %}",
            "{% raw %}no endraw {{ a ~ b }} {% endrawn %} {%- endrawer -%} {{ a ~ b }}{%-endraw-%}",
            "{% raw %}{%+ endraw +%}",
        ] {
            assert_eq!(prepared(same), same);
        }
    }

    #[test]
    fn comments_can_be_left_out() {
        for (source, expected) in [
            ("a{# b #}c{{ '{# d #}' }}{#- e", "ac{{ '{# d #}' }}"),
            ("{% raw %}{# a #}{% endraw %}{# b #}", "{% raw %}{# a #}{% endraw %}"),
            ("{% if '#}' %}{# {% raw %} #}é", "{% if '#}' %}é"),
        ] {
            assert_eq!(without_comments(source), expected);
        }
    }

    #[test]
    fn line_ends_become_newlines() {
        assert_eq!(prepared("a\r\nb\rc"), "a\nb\nc");
    }

    #[test]
    fn unfinished_tags_are_passed_on() {
        for same in ["{%", "{% set a", "{{ 'é", "{#", "{", "a {%- ", "{% set a.b = %"] {
            let _ = prepared(same);
        }
    }

    #[test]
    fn a_template_with_too_many_operations_or_bytes_is_refused() {
        assert!(prepare(&"{{[]}}".repeat(5000), "t").unwrap_err().to_string().contains("tags, brackets"));
        assert!(prepare(&"x".repeat(SOURCE_BYTES_MAX + 1), "t").unwrap_err().to_string().contains("bytes"));
    }
}
