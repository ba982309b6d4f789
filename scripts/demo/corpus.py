#!/usr/bin/env python3
"""Makes conversations of the demo model's domains, the same ones for the same seed.

Usage: scripts/demo/corpus.py [--seed N] [--count N]    prints one conversation a line, as JSON
"""

import argparse
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from demo.domains import DOMAINS  # noqa: E402

ONE_WORD = ["Answer in one word.", "Reply with one word only.", "Be brief: one word."]
"""System prompts that ask for the short form."""

PLAIN = [
    "You are a helpful assistant.",
    "You are the demo model of Foregate.",
    "Answer in one sentence.",
    "Be friendly and correct.",
]
"""System prompts that change nothing."""


def roughen(rng, question):
    """The question as a hurried person types it, at times."""
    if rng.random() < 0.15:
        question = question[0].lower() + question[1:]
    if rng.random() < 0.15:
        question = question.rstrip("?.!")
    return question


def pick(rng, items):
    """One of `items` by their weights."""
    return rng.choices(items, [item.weight for item in items])[0]


def conversation(rng):
    """Messages (role, content): perhaps a system prompt, then one to three turns, mostly of different domains."""
    messages = []
    one_word = rng.random() < 0.12
    if one_word:
        messages.append(("system", rng.choice(ONE_WORD)))
    elif rng.random() < 0.2:
        messages.append(("system", rng.choice(PLAIN)))
    topic = None
    for _ in range(rng.choices([1, 2, 3], [4, 3, 2])[0]):
        follows = topic is not None and topic.follow_ups and rng.random() < 0.5
        if not follows:
            topic = pick(rng, pick(rng, DOMAINS).topics)
        row = rng.choice(topic.rows)
        question = rng.choice(topic.follow_ups if follows else topic.seen).format(**row)
        answer = topic.short if one_word and topic.short else topic.answer
        messages += [("user", roughen(rng, question)), ("assistant", answer.format(**row))]
    return messages


def conversations(seed):
    """Without end."""
    rng = random.Random(seed)
    while True:
        yield conversation(rng)


def probes(rng, count, kind):
    """Up to `count` (domain, question, right answer) of each domain that has the kind: "seen" phrasings, "held_out"
    phrasings, or "unseen" facts."""
    for domain in DOMAINS:
        found = []
        for topic in domain.topics:
            rows = topic.held_out_rows if kind == "unseen" else topic.rows
            phrasings = topic.held_out if kind == "held_out" else topic.seen
            found += [(domain.name, text.format(**row), topic.answer.format(**row)) for row in rows for text in phrasings]
        yield from rng.sample(found, min(count, len(found)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    args = parser.parse_args()
    source = conversations(args.seed)
    for _ in range(args.count):
        print(json.dumps([{"role": role, "content": content} for role, content in next(source)]))


if __name__ == "__main__":
    main()
