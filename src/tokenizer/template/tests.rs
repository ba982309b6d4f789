//! Templates that mean harm, and details that published ones do not reach.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

fn conversation() -> Conversation {
    Conversation { now: 1_795_343_400, ..Conversation::new(vec![json!({"role": "user", "content": "hi"})]).unwrap() }
}

fn render(source: &str) -> Result<String> {
    let limits = Limits { time: Duration::from_secs(15), ..Limits::for_messages(1, 100) };
    ChatTemplate::from_source(source, Some("<s>"), Some("</s>"))?.render_within(&conversation(), limits)
}

#[track_caller]
fn assert_renders(source: &str, expected: &str) {
    assert_eq!(render(source).unwrap(), expected, "{source}");
}

#[track_caller]
fn assert_refused(source: &str, why: &str) {
    let started = Instant::now();
    let message = render(source).unwrap_err().to_string();
    assert!(message.contains(why), "{}: {message}", &source[..source.len().min(200)]);
    assert!(started.elapsed() < Duration::from_secs(120), "took {:?}", started.elapsed());
}

#[test]
fn endless_work_is_stopped() {
    let loops = "{% for i in range(100000) %}".repeat(3) + &"{% endfor %}".repeat(3);
    assert_refused(&loops, "steps");
    assert_refused("{% for i in range(1000000000) %}{% endfor %}", "too many elements");
    assert_refused("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion");
    assert_refused("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "recursion");
    assert_refused("{% include 'chat_template' %}", "line 1");
}

#[test]
fn texts_do_not_grow_without_bound() {
    let doubling = |grow: &str| {
        format!(
            "{{% set ns = namespace(x='aaaaaaaa') %}}{{% for i in range(60) %}}{{% set ns.x = {grow} %}}{{% endfor %}}"
        )
    };
    assert_refused(&doubling("ns.x ~ ns.x"), "text");
    assert_refused(&doubling("ns.x + ns.x"), "text");
    assert_refused(&doubling("ns.x * 2"), "text");
    assert_refused(&doubling("ns.x.replace('a', 'aa')"), "text");
    assert_refused(&doubling("ns.x|replace('a', ns.x)"), "text");
    assert_refused(&doubling("[ns.x, ns.x]|join"), "text");
    assert_refused(&doubling("ns.x.join([ns.x, ns.x])"), "text");
    assert_refused(&doubling("'{}{}'.format(ns.x, ns.x)"), "text");
    assert_refused(&doubling("'%s%s'|format(ns.x, ns.x)"), "text");
    for huge in [
        "'a' * 1000000000",
        "'{:1000000000}'.format(1)",
        "'%1000000000d'|format(1)",
        "'a'.zfill(1000000000)",
        "'a'.center(1000000000)",
        "'a'|indent(1000000000)",
        "[1]|tojson(indent=1000000000)",
        "[1]|batch(1000000000, 0)",
    ] {
        assert!(render(&format!("{{{{ {huge} }}}}")).is_err(), "{huge}");
    }
    assert_refused("{% for i in range(20) %}{{ 'a' * 1000000 }}{% endfor %}", "16 MiB");
}

#[test]
fn values_that_hold_themselves_or_are_nested_deep_are_refused() {
    assert_refused("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}", "namespace");
    assert_refused("{% set ns = namespace() %}{% set ns.x = [{'a': ns}] %}{{ ns ~ '' }}", "namespace");
    assert_refused("{% set ns = namespace() %}{% for x in [1] %}{% set ns.x = loop %}{% endfor %}", "loop");
    let nest = "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
    assert_refused(nest, "nested more than");
    assert_refused(&format!("{{% set x = [] %}}{}", "{% set x = [x] %}".repeat(1000)), "nested more than");
    assert_refused(&format!("{{{{ {}1{} }}}}", "[".repeat(1000), "]".repeat(1000)), "recursion");
    assert_refused(&"{% if true %}".repeat(1000), "recursion");
    assert_refused(&format!("{{{{ 1 % {}", "[".repeat(60_000)), "brackets nested more than");
}

#[test]
fn the_deepest_value_that_macros_build_can_be_walked() {
    // Filters nest without brackets, and so without the parser's limit.
    let deeper = format!("[x]{}", "|batch(1)|list".repeat(1000));
    for walk in ["{{ x | replace('a', 'b') | length }}", "{{ x == [x] }}", "{{ {x: 1} | length }}"] {
        let step = format!("{{% if n %}}{{{{ m({deeper}, n - 1) }}}}{{% else %}}{walk}{{% endif %}}");
        let rendered = render(&format!("{{% macro m(x, n) %}}{step}{{% endmacro %}}{{{{ m([], 60) }}}}"));
        assert!(rendered.is_ok(), "{walk}: {rendered:?}");
    }
}

#[test]
fn a_value_that_prints_as_far_more_than_it_holds_is_stopped() {
    assert_refused(&format!("{{% set x = [1] %}}{}{{{{ x ~ '' }}}}", "{% set x = [x, x] %}".repeat(60)), "steps");
    let long = "{% set x = ['a' * 1000000] %}{% set x = [x, x, x, x, x] %}{% set x = [x, x, x, x, x] %}";
    assert_refused(long, "16 MiB");
    // Loops give names without an assignment.
    let doubled = "{% for x in [[x, x]] %}".repeat(60);
    let ends = "{% endfor %}".repeat(60);
    for walk in ["{{ x }}", "{{ x|string }}", "{{ x|tojson }}", "{{ [x]|join }}", "{{ x|trim }}"] {
        assert!(render(&format!("{doubled}{walk}{ends}")).is_err(), "{walk}");
    }
    assert_refused(&format!("{doubled}{{{{ x in [[x, x]] }}}}{{{{ x == [x, x] or x ~ '' }}}}{ends}"), "");
}

#[test]
fn errors_name_the_line() {
    for (source, why) in [
        ("a\n{% if %}", "template, line 2: syntax error"),
        ("a\n\n{{ x.y.z }}", "template, line 3: undefined value"),
        ("\n{{ raise_exception('no ' ~ 1) }}", "template, line 2: refused the conversation: no 1"),
        (
            "{% macro m() %}\n{{ raise_exception('no') }}{% endmacro %}\n{{ m() }}",
            "line 2: refused the conversation: no",
        ),
        ("\n\n\n{{ 'a'|nothing }}", "line 4: unknown filter"),
        ("{% for x in messages %}", "line 1: syntax error"),
        ("{{ 'a'.index('b') }}", "substring not found"),
        ("{{ undefined_thing|tojson }}", "undefined is not JSON"),
        ("{{ '\\u12' }}", "line 1"),
        ("a\n{{ b ~\n'\\N{BULLET}' }}", "template, line 3: characters by name"),
        ("{% set a %}\n{{ '\\U0001F60' }}{% endset %}", "template, line 2: `\\U` without the number"),
    ] {
        assert_refused(source, why);
    }
}

#[test]
fn what_jinja2_has_beyond_the_engine_works() {
    for (source, expected) in [
        ("{{ nothing|length }}{{ none is iterable }}{{ 'a' is sequence }}{{ {} is sequence }}", "0FalseTrueTrue"),
        ("{{ range is callable }}{{ 1 is callable }}{% macro m() %}{% endmacro %}{{ m is callable }}", "TrueFalseTrue"),
        ("{% set j = joiner(sep='|') %}{{ j() }}a{{ j() }}b", "a|b"),
        ("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}", "aba"),
        ("{{ {'B': 1, 'a': 2}|dictsort(true) }}", "[('B', 1), ('a', 2)]"),
        (
            "{{ {'B': 1, 'a': 2}|dictsort }}{{ {'a': 2, 'b': 1}|dictsort(by='value') }}",
            "[('a', 2), ('B', 1)][('b', 1), ('a', 2)]",
        ),
        ("{{ {'a': 1}.copy() }}{{ [1, 2].copy() }}{{ [1, 2].index(2) }}{{ [1, 1].count(1) }}", "{'a': 1}[1, 2]12"),
        (
            "{{ (1, 'a')|tojson }}{{ {1: none, 'b': [true, 1e16]}|tojson }}",
            "[1, \"a\"]{\"1\": null, \"b\": [true, 1e+16]}",
        ),
        ("{{ 'é<\u{1f642}'|tojson(ensure_ascii=true) }}", "\"\\u00e9<\\ud83d\\ude42\""),
        ("{{ {'b': 1, 'a': []}|tojson(separators=(',', ':'), sort_keys=true) }}", "{\"a\":[],\"b\":1}"),
        ("{{ bos_token }}{{ eos_token }}{{ tools is none }}{{ nothing }}", "<s></s>True"),
        ("{{ strftime_now('%d %b %Y %H:%M %-d %j %A %p %Q %%') }}", "22 Nov 2026 10:30 22 326 Sunday AM %Q %"),
        ("{% generation %}{{ 1 }}{% endgeneration %}", "1"),
        (
            "{% for x in range(9) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
            "02",
        ),
    ] {
        assert_renders(source, expected);
    }
}

#[test]
fn string_methods_are_pythons() {
    for (source, expected) in [
        ("'a b  c'.split()", "['a', 'b', 'c']"),
        ("' a b  c '.split(None, 1)", "['a', 'b  c ']"),
        ("' a b  c '.rsplit(maxsplit=1)", "[' a b', 'c']"),
        ("'a-b-c'.split('-', 1)", "['a', 'b-c']"),
        ("'a-b-c'.rsplit('-', 1)", "['a-b', 'c']"),
        ("'a-b-c'.partition('-')", "('a', '-', 'b-c')"),
        ("'a-b-c'.rpartition('-')", "('a-b', '-', 'c')"),
        ("'abc'.removeprefix('a').removesuffix('c')", "b"),
        ("'é世a'.index('a')", "2"),
        ("'abcabc'.find('b', 2)", "4"),
        ("'abcabc'.find('c', 0, -4)", "-1"),
        ("'-42'.zfill(5)", "-0042"),
        ("'ab'.center(5, '*')", "**ab*"),
        ("'ab'.rjust(3) ~ 'ab'.ljust(3) ~ '|'", " abab |"),
        ("'a\\r\\nb\\x0bc\\n'.splitlines()", "['a', 'b', 'c']"),
        ("'a\\nb'.splitlines(true)", "['a\\n', 'b']"),
        ("'\\x1c a \\x1f'.strip()", "a"),
        ("'xxaxx'.lstrip('x') ~ 'xxaxx'.rstrip('x')", "axxxxa"),
        ("'abc'.startswith(('x', 'b'), 1)", "True"),
        ("'aaa'.replace('a', 'b', 2)", "bba"),
        ("'{:>4}|{x}'.format(1, x='y')", "   1|y"),
        ("', '.join(['a', 'b'])", "a, b"),
        ("'aBc'.swapcase() ~ 'STRASSE'.casefold()", "AbCstrasse"),
        ("'٣'.isdecimal() ~ ''.isspace()", "TrueFalse"),
    ] {
        assert_renders(&format!("{{{{ {source} }}}}"), expected);
    }
}
