#!/usr/bin/env python3
"""Render the chat templates of tests/fixtures/templates as transformers does (needs PyPI: transformers, jinja2).

Writes NAME.cases.json beside each NAME.jinja: a list of {name, messages, tools, add_generation_prompt, variables, expected},
with `error` in place of `expected` where the template refuses the conversation.  bos_token is "<s>", eos_token "</s>", the
clock stands at 2026-11-22 10:30.
"""
import datetime
import json
import pathlib

from transformers.utils import chat_template_utils

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/fixtures/templates"

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_path",
            "description": "Way from <a> to <b> & back",
            "parameters": {
                "type": "object",
                "properties": {
                    "from": {"type": "string", "description": "Where it starts,\nlike \"Łódź\""},
                    "mode": {"type": "string", "enum": ["walk", "rail"]},
                    "stops": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "minutes": {"type": "number"}}}},
                },
                "required": ["from"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}, "required": []}}},
]


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def call(name, arguments):
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


SYSTEM = {"role": "system", "content": "  Be kind.  "}
CALLED = assistant("", tool_calls=[call("find_path", {"from": "Łódź", "stops": [{"name": "a", "minutes": 2.0}]}), call("now", "{}")])
CASES = [
    ("one question", [user("What is a router?")], None, True, {}),
    ("several turns", [SYSTEM, user("Hi there"), assistant("Hello."), user("And now?\nTwo lines, a Äpfel.")], None, True, {}),
    ("finished", [user("abx 1"), assistant("B 42", thinking="count")], None, False, {}),
    ("odd text", [user("  {{ x }} {% y %} <|im_end|> é世🙂\t\u2028 \r\n end\u00a0 ")], None, True, {"system_default": ""}),
    ("empty system", [{"role": "system", "content": ""}, user("42")], None, True, {"effort": "high"}),
    ("parts", [user([{"type": "text", "text": "See"}, {"type": "image"}, {"type": "text", "text": "this"}])], None, True, {}),
    ("thinking off", [user("2+2?")], None, True, {"enable_thinking": False}),
    ("thinking on", [user("2+2?")], None, True, {"enable_thinking": True}),
    ("thoughts in the past", [user("2+2?"), assistant("<think>\nadd\n</think>\n\n4"), user("3+3?")], None, True, {}),
    ("thoughts at the end", [user("2+2?"), assistant("<think>\nadd\n</think>\n\n4"), assistant("5", reasoning_content="\nadd one\n")], None, False, {}),
    ("tools offered", [user("To Łódź?")], TOOLS, True, {}),
    ("tools called", [user("To Łódź?"), CALLED, {"role": "tool", "tool_call_id": "call_1", "content": "{\"km\": 7}"}, {"role": "tool", "content": "10:30"}], TOOLS, True, {}),
    ("a tool nobody called", [user("a"), {"role": "tool", "content": "b"}], None, True, {}),
    ("a channel in the content", [user("a"), assistant("<|channel|>final<|message|>b")], None, True, {}),
    ("two users in a row", [user("a"), user("b"), user("c")], None, True, {}),
    ("no content", [user("a"), assistant(None)], None, False, {}),
]


class FixedDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2026, 11, 22, 10, 30)


def main():
    chat_template_utils.datetime = FixedDatetime
    for path in sorted(FOLDER.glob("*.jinja")):
        template = chat_template_utils._compile_jinja_template(path.read_text(encoding="utf-8"))
        rows = []
        for name, messages, tools, add_generation_prompt, variables in CASES:
            row = dict(name=name, messages=messages, tools=tools, add_generation_prompt=add_generation_prompt, variables=variables)
            try:
                row["expected"] = template.render(
                    messages=json.loads(json.dumps(messages)), tools=tools, add_generation_prompt=add_generation_prompt,
                    bos_token="<s>", eos_token="</s>", **variables)
            except Exception as e:
                row["error"] = f"{type(e).__name__}: {e}"
            rows.append(row)
        path.with_suffix(".cases.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(path.name, sum("expected" in row for row in rows), "rendered", [row["error"] for row in rows if "error" in row])


if __name__ == "__main__":
    main()
