#!/usr/bin/env python3
"""Render small pieces of Jinja as transformers does (needs PyPI: transformers, jinja2).

Writes tests/fixtures/templates/snippets.json: a list of {template, expected}, with `error` in place of `expected` where Jinja2
refuses the template, and `refused` beside it where Foregate may refuse what Jinja2 renders (the README's Limits).
"""
import json
import pathlib

from transformers.utils import chat_template_utils

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/fixtures/templates/snippets.json"

LONG = "The quick brown-fox jumps over a well-known, lazy dog--or so they say; a-b-c e-mail x--y 12-34 supercalifragilistic-expialidocious."
SPECIAL = "ǆ Ǉ ǌ ǳ ß ŉ ǰ և ᾳ ᾲ ᾷ ᾀ ᾼ ῌ ῼ ﬁ ﬀ ﬅ ﬓ ა ΑΣ ΣΑΣ ΑΣ.Σ İı ǅ ſ ᏸꭰᎠ ﬃx o'neil 1st éA"

# Inside of {{ .. }}.
EXPRESSIONS = """
'%s' % 'a'
'%s and %s' % ('a', 1)
'%s' % (1,)
'%s' % [1, 'a', none, true, 1.5]
'%s' % {'a': "it's"}
'%s|%s|%s' % (none, true, 1e16)
'%d %i %5d|%-5d|%05d|%+d|% d' % (1, 2, 3, 4, 5, 6, 7)
'%d' % 3.9
'%d' % -3.9
'%d' % true
'%x %X %#x %o' % (255, 255, 255, 8)
'%.2f %8.3f|%-8.1f|%08.2f|%e|%g|%G' % (3.14159, 2.71828, 1.25, -1.5, 12345.678, 0.00001, 1e20)
'%f' % 1
'%5s|%-5s|%.2s' % ('ab', 'cd', 'efg')
'%c%c' % ('x', 65)
'100%%' % ()
'%d%%' % 50
'%(a)s-%(b)03d' % {'a': 'x', 'b': 7}
'%(a)s' % {'a': [1, 2]}
'plain' % {'a': 1}
'plain' % ()
'plain' % 1
'%s %s' % 'a'
'%s' % (1, 2)
'%d' % 'a'
'%(a)s' % {'b': 1}
'%(a)s' % 1
'%r' % 'a'
'%*d' % (5, 1)
'%q' % 1
'%' % 1
'%s' % nothing
'%s: %s' % ('a'|upper, 3 * 4)
'a' ~ '%s' % 1 ~ 'b'
('%s' % 1) + '%s' % 2
'%s' % 'a' * 3
(7 % 3, -7 % 3, 7 % -3, 7.5 % 2, -7.5 % 2, 7 % 2.5)
(7 % 4 % 2, 2 * 7 % 4, 2 + 7 % 4, 7 % 2 ** 2, -7 % 4 * 2)
7 % true
7 % 0
7.0 % 0
7 % 'a'
[1] % 2
none % 2
5 % 3 == 2 and 4 % 2 == 0
'odd' if 7 % 2 else 'even'
[1 % 2, {'a': 5 % 3}, (7 % 4)]
range(7 % 4)|list
[1, 2, 3][4 % 3]
'abc'[4 % 3:]
5 % 3 is odd
'%s' % 'x' is string
7 % 1e-1 < 1
'%s|%s'|format('a', 1)
'%(a)s'|format(a=2)
'%s'|format([1, 'a', 1.0])
'%s %s'|format(none, true)
'%.1f'|format(2)
'a<b & "c" \\'d\\''|escape
'a<b & "c" \\'d\\''|e
'<'|e|e
'<'|forceescape|forceescape
'<'|safe|e
[1, '<']|e
3|escape
('<'|e) ~ '<'
('<'|safe) ~ '<'
['<'|e, '<']|join
['<', '<']|join('<'|e)
('<'|e) * 2
('<'|e)|upper
('<'|e)|replace('&', '<')
('<'|e)|length
('%s'|e) % '<'
('%s'|e)|format('<')
('<'|e)|trim ~ '<'
('<'|e).strip() ~ '<'
{'a': '<'|e}|tojson
('<'|e)|tojson
('<'|e) == '&lt;'
['<'|e]
{'a': 1}|attr('a')
{'a': 1}|attr('a') is defined
{'items': 1}|attr('items') is defined
'x'|attr('a') is defined
namespace(a=3)|attr('a')
namespace(a=3)|attr('b') is defined
nothing|attr('a')
[{'a': 1}]|map(attribute='a')|list
'ǆ'.title()
'hello wORLD it\\'s a-b (c) [d] {e} <f> 2x'.title()
'hello wORLD it\\'s a-b (c) [d] {e} <f> 2x'|title
('ǆungla'|capitalize, 'ǆungla'.capitalize(), 'ΑΣ ΑΣ'|title, 'ΑΣ ΑΣ'.title(), 'ΑΣ'|lower, 'ß'|upper)
S.title()
S|title
S|capitalize
S.capitalize()
S.casefold()
S.swapcase()
S.upper()
S.lower()
S|upper
S|lower
'é'.encode()
'é'.encode('utf-8')
'é'.encode('UTF-8', 'ignore')|length
'é'.encode(encoding='utf8')
'é'.encode('latin-1')
"a'b\\n\\t\\\\".encode()
'é'.encode().decode()
'é'.encode('utf-8').decode('utf-8')
'ab'.encode()[0]
'ab'.encode()|list
'ab'.encode() == 'ab'
'ab'.encode() is string
'ab'.encode()|tojson
'ab'.encode() ~ ''
'ab'|center(7) ~ '|'
'ab'|center(width=5) ~ '|'
'ab'|center|length
'abcdef'|center(3)
12|center(6) ~ '|'
1|filesizeformat
0|filesizeformat
1.5|filesizeformat
999|filesizeformat
1000|filesizeformat
1023|filesizeformat(true)
1024|filesizeformat(binary=true)
1500000|filesizeformat
123456789012345|filesizeformat
123456789012345|filesizeformat(true)
1e30|filesizeformat
-5|filesizeformat
-5000|filesizeformat
'12345'|filesizeformat
'x'|filesizeformat
none|filesizeformat
'<p>a  <b>b</b>\\n c</p>'|striptags
'a < b <i>c</i>'|striptags
'a <!-- x > y --> b'|striptags
'a <!-- x > y'|striptags
'x&amp;y &lt;z&gt; &#39;q&#x27; &quot; &eacute;'|striptags
'a & b && c &1; &; AT&T'|striptags
'AT&amp'|striptags
'&notanentity;'|striptags
'&nbsp;x'|striptags
'&#128;'|striptags
'&amp;lt;'|striptags
'<<b>a'|striptags
'>a<'|striptags
''|striptags
3|striptags
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(11, false, '...', 0)
'foo bar baz qux'|truncate(length=9, leeway=0, end='!')
'foo bar baz qux'|truncate(5, leeway=0, killwords=true, end='')
L|truncate
L|truncate(40)
'ééééé ééééé ééééé'|truncate(8, leeway=0)
'abcdefghijkl'|truncate(5, leeway=0)
'abc'|truncate(2)
'abc'|truncate(2, leeway=0)
none|truncate
'a b/c?d=é&~x._-+%'|urlencode
{'a b': 'c/d', 'é': 1}|urlencode
[('a', 1), ('b', 'x y')]|urlencode
{'a': none}|urlencode
12|urlencode
none|urlencode
L|wordwrap
L|wordwrap(20)
L|wordwrap(10)
L|wordwrap(5)
L|wordwrap(1)
L|wordwrap(10, false)
L|wordwrap(10, break_on_hyphens=false)
L|wordwrap(10, false, break_on_hyphens=false)
L|wordwrap(20, wrapstring='|')
L|wordwrap(20, true, '<br>', false)
'a\\n\\n  b  c   d\\ne'|wordwrap(3)
'  lead and trail  '|wordwrap(6)
'a\\tb  c'|wordwrap(3)
''|wordwrap
'\\n'|wordwrap
'éé-éé ôô--ôô 世界-世界 a1-b2'|wordwrap(4)
'----- -- a-- --b'|wordwrap(3)
'abc'|wordwrap(0)
3|wordwrap
{'a': 1, 'b': none, 'c': '<"', 'd': nothing}|xmlattr
{'a': 1}|xmlattr(false)
{'a': 1, 'b': 2}|xmlattr(autospace=false)
{}|xmlattr
{'a b': 1}|xmlattr
{'a=': 1}|xmlattr
{'a': '<'|e}|xmlattr
[1]|xmlattr
'a b_c d-e'|wordcount
{'b': 1, 'a': 2}|pprint
[3, 1]|random
'http://x'|urlize
'a b'|indent
'a\\nb\\n\\nc'|indent(2)
'a\\nb\\n\\nc'|indent(2, true, true)
'a\\nb'|indent('> ', first=true)
'a\\n'|indent
[1, 2, 3, 4, 5]|batch(2)|list
[1, 2, 3]|batch(2, 0)|list
[1, 2, 3, 4, 5]|slice(2)|list
[1, 2, 3]|slice(2, 0)|list
([1, 2]|first, [1, 2]|last, []|first is defined)
([3, 1, 2]|sort, ['b', 'A', 'c']|sort, [3, 1]|sort(reverse=true), ['b', 'A', 'c']|sort(case_sensitive=true))
[{'a': 2}, {'a': 1}]|sort(attribute='a')
[1, 1, 2, 'a', 'A']|unique|list
([1, 2, 3]|sum, [{'a': 1}, {'a': 2}]|sum(attribute='a'), [1]|sum(start=5))
([1, 2, 3]|max, [1, 2, 3]|min, ['b', 'A']|min)
([1, 2, 3]|select('odd')|list, [1, 2, 3]|reject('odd')|list)
([1, 2]|reverse|list, 'abc'|reverse)
('3'|int, 'x'|int, 'x'|int(7), '0x1f'|int(0, 16), 3.9|int, none|int, '1_000'|int)
('3.5'|float, 'x'|float, 'x'|float(1.5), 3|float)
(2.567|round, 2.567|round(2), 2.5|round, 3.5|round, 2.1|round(method='ceil'), 2.9|round(0, 'floor'), 7|round)
(-3|abs, -3.5|abs)
('abc'|list, {'a': 1}|list, {'a': 1}|items|list)
('  a '|trim ~ '|', 'xax'|trim('x'))
('a-b'|replace('-', '+'), 'aaa'|replace('a', 'b', 2))
('ab'|string, 1|string, [1]|string)
(nothing|default('x'), ''|default('x'), ''|default('x', true), none|d('y'))
[{'g': 1, 'v': 'a'}, {'g': 2, 'v': 'b'}, {'g': 1, 'v': 'c'}]|groupby('g')|list
(10 / 4, 10 // 4, -7 // 2, 2 ** 10, 2 ** -1, 7 / 7)
(1 == 1.0, 1 == true, 'a' < 'b', [1, 2] == (1, 2), [1] < [2])
(1 is divisibleby 1, 'a' is lower, none is none, 1 is number, true is number, true is integer, 1.0 is float)
('a' in 'abc', 1 in [1], 'a' in {'a': 1}, 2 not in [1])
([1, 2] + [3], 'a' 'b', 'ab' * 2, [0] * 2)
(true and 1, 0 or 'x', not 1, none or none)
1 < 2 < 3
('é世'|length, 'é世'[::-1], [1, 2, 3][-1], 'abc'[1:], 'abc'[:-1], 'abc'[5:])
(dict(a=1), dict([('a', 1)]))
('{0} {1}'.format(1, 'a'), '{a}'.format(a=2), '{:>5}|{:<5}|{:^5}'.format(1, 2, 3), '{:.2f} {:,} {:05d} {:x}'.format(1.5, 1234567, 42, 255))
'{!r}'.format('a')
('a,b'.split(','), 'a b'.upper(), 'A'.lower(), 'abc'.find('z'), 'a'.isalpha(), '1'.isdigit(), 'a1'.isalnum(), 'Ab'.istitle())
'a'.isascii()
'a'.isidentifier()
'a'.isprintable()
'a\\tb'.expandtabs()
'ab'.translate({97: 'x'})
('é'.encode().hex(), 'a\\xa0'.isprintable(), ''.isprintable(), '\\u2028'.isprintable(), 'a_1'.isidentifier(), '1a'.isidentifier())
'é1'.isidentifier()
('' ~ 0.00001, 'x' ~ 1e22 ~ none ~ [1e16, 'é\\xa0\\u200b\\u2028'] ~ nothing ~ true)
(1 ~ 3 * 2 ~ -4 ** 2 ~ 7 // 2 ~ 7.5 / 2, '1' + 2 ~ 3 + '4')
1 + 2 ~ 3
(1 ~ 2 is string, 1 ~ 2 is not in ['12'], 1 ~ 2 in ['12'], 1 ~ 2 == '12', not 1 ~ 2)
'a' ~ ('b' if 1 ~ 2 else 'c') ~ {'k': 1 ~ 2} ~ [3 ~ 4][0] ~ 'x'|upper ~ 7 % 4 % 2 ~ 'n: %s' % 1e-7
(('<'|e) ~ ('<'|e))|e
'{:.1%}'.format(0.5)
([1e16][:1], [1e16, 2][::-1], (1e16, 2)[:1], ['é\\xa0\\u200b\\u2028'][:])
([1e16] + [1e-7], ([1] + [2])[:1] + ['\\xa0'], (1,) + (1e16,), [1e16] * 2, ([1] + [1e16]) * 2, [[1e16][:]][:])
[1e16][:] ~ ([1e-7] + [2])
[1e16][:]|string ~ ([1e16][:])|join
'%s' % [1e16][:]
[{'g': 1e16, 'v': 'a'}, {'g': 1e16, 'v': '\\xa0'}]|groupby('g')
{'a': 1e16, 'b': []}.items()
{'a': 1e16}.keys() ~ {'a': 1e16}.values() ~ {}.items()
[{'a': 1}.items()]
({'a': 1}.items()|length, {'a': 1, 'b': 2}.values()|sum, {'a': 1}.keys()|first, 'a' in {'a': 1}.keys(), {'b': 1, 'a': 2}.items()|sort)
{'a': 1}.items()|tojson
{'a': 1}.items(1)
(1e22|upper, 1e22|lower, none|upper, [1e16]|lower)
'{}|{}|{}'.format(1e16, none, true)
'\\U0001F600|\\a|\\v|\\/|\\777|\\101|\\é|\\世|\\s|\\x41|\\b|\\f'
"\\U00000022\\U00000027\\U0000005c"
'\\U0000007b% raw %}'
['\\a\\v']
'\\N{BULLET}'
'\\U0001F60'
'\\U00110000'
([1][:] is sequence, ([1] + [2]) is sequence, {}.items() is sequence, {}.keys() is iterable, {}.values() is mapping)
([1, 1][:].index(1), [1, 1][:].count(1), ([1] + [2]).copy(), ([1] + [2])[-1], [1, 2][:] == [1, 2], ([1] + [2])|tojson)
({'a': 1}.get('b', 2), {'a': 1}.keys()|list, {'a': 1}.values()|list, {'a': 1}.items()|list)
""".strip().split("\n")

# Whole templates.
TEMPLATES = [
    "{% set x = '%s' % 'a' %}{{ x }}",
    "{% set n = 7 % 4 %}{% if n % 2 %}odd{% elif n % 3 == 0 %}three{% endif %}",
    "{% for x in range(9) if x % 4 == 1 %}{{ x }}{% if loop.index0 % 2 == 0 %},{% endif %}{% endfor %}",
    "{%- if (loop is defined) != (3 % 2 == 0) -%} a {%- endif -%}",
    "{% set f = '%s=%d' %}{{ f % ('a', 1) }}{{ f\n % ('b', 2) }}",
    "{% macro m(a, b=5 % 3) %}{{ a % b }}{% endmacro %}{{ m(7) }}{{ m(7, b=4 % 5) }}",
    "{{ '{% raw %} %}' % () }}{% raw %}{{ a % b }}{% endraw %}{# a % b #}",
    "{% macro m(a) %}{{ a }}|{{ varargs }}|{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}",
    "{% macro m(a) %}{{ a }}|{{ varargs }}|{{ kwargs }}{% endmacro %}{{ m(1) }}",
    "{% macro m() %}{% for v in varargs %}{{ v }},{% endfor %}{% for k, v in kwargs.items() %}{{ k }}={{ v }};{% endfor %}{% endmacro %}{{ m(1, 'a', k=2) }}",
    "{% macro m(a, b='x') %}{{ a }}{{ b }}{{ varargs|length }}{{ kwargs|tojson }}{% endmacro %}{{ m(b=1, a=2, c=3) }}{{ m(1, 2, 3) }}{{ m() }}",
    "{% macro m(n) %}{{ varargs|join('+') }}{% if n %}({{ m(n - 1, n, *varargs) }}){% endif %}{% endmacro %}{{ m(2) }}",
    "{% macro m(n) %}{{ varargs|length }}{% if n %}({{ m(n - 1, n, n) }}){% endif %}{% endmacro %}{{ m(2) }}",
    "{% macro m(a) %}{{ caller() }}{{ kwargs }}{% endmacro %}{% call m(1, x=2) %}c{% endcall %}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, x=2) }}",
    "{% set kwargs = {'a': 1} %}{% set varargs = [2] %}{{ kwargs.a }}{{ varargs[0] }}",
    "{% macro m(kwargs) %}{{ kwargs }}{% endmacro %}{{ m(3) }}",
    "{% macro m(varargs, x) %}{{ varargs }}{{ x }}{% endmacro %}{{ m(3, x=1) }}",
    "{% macro m() %}{{ {'kwargs': 1}.kwargs }}{{ 'varargs' }}{% endmacro %}{{ m() }}",
    "{% macro outer() %}{% macro inner() %}{{ varargs }}{% endmacro %}{{ inner(1) }}{% endmacro %}{{ outer() }}",
    "{{ varargs is defined }}{{ kwargs }}",
    "{% filter upper %}a{{ '%s' % 'b' }}{% endfilter %}",
    "{% set x %}<{{ 1 % 2 }}>{% endset %}{{ x|e }}",
    "{% autoescape true %}{{ '<' }}{% endautoescape %}",
    "{{ 'a\\\nb' ~ 1 }}",
    "{% print 1 %}",
    "{% set x = 1 ~ 2 %}{% set x = x ~ 3e-7, x %}{{ x }}{% if x ~ '' == '1' %}{% elif 1 ~ '' == '1' %}b{% endif %}",
    "{% for k, v in {'a': 1e-7}.items() %}{{ loop.length }}{{ loop.last }}{{ k ~ v }}{% endfor %}",
    "{% for x in [1, 2] if x ~ '' == '2' %}{{ '%}' ~ x }}{% endfor %}",
    "{% macro m(a, b=1 ~ 2) %}{{ caller() }}{{ a ~ b ~ varargs }}{% endmacro %}{% call m('x' ~ 1e-7, 2, 3) %}c{% endcall %}",
    "{% set ns = namespace(x='') %}{% for c in 'abc' %}{% set ns.x = ns.x ~ c ~ loop.index / 4 %}{% endfor %}{{ ns.x }}",
    "{% raw %}{{ '\\a' ~ 1 }}{% endraw %}{# '\\N{DOT}' ~ #}\\a",
    "{% for c in 'é'.encode() %}{{ c }} {% endfor %}",
]

# Parts of templates that Foregate refuses.
REFUSED = [
    "%r", "%*d", "latin-1", "AT&amp'", "&notanentity", "&#128;", "|pprint", "|random", "|urlize", "attr('items')", "{!r}",
    "autoescape", "translate(", "é1'.isidentifier()", "{:.1%}", "N{BULLET}", "{% print", "expandtabs", "'x'|int", "'x'|float", "dict([", "istitle",
]


def main():
    rows = []
    names = {"S": SPECIAL, "L": LONG}
    for source in [f"{{{{ {expression} }}}}" for expression in EXPRESSIONS] + TEMPLATES:
        row = {"template": source}
        try:
            row["expected"] = chat_template_utils._compile_jinja_template(source).render(**names)
        except Exception as e:
            row["error"] = f"{type(e).__name__}: {e}"
        if any(part in source for part in REFUSED) and "expected" in row:
            row["refused"] = True
        rows.append(row)
    OUT.write_text(json.dumps({"variables": names, "snippets": rows}, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(sum("expected" in row for row in rows), "rendered")
    for row in rows:
        if "error" in row:
            print(row["template"], row["error"])


if __name__ == "__main__":
    main()
