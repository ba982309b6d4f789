#!/usr/bin/env python3
"""Looks for what is held out in the conversations that the model is trained on: phrasings, and questions about sums,
plurals, leap years and subjects that are left out, and names and themes of stories. Prints what it finds; "What is the number of days in June?" looks like
a phrasing of another domain, and all else should not be there.

Usage: scripts/demo/held_out.py [--seed N] [--count N]
"""

import argparse
import collections
import itertools
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from demo import corpus  # noqa: E402
from demo.domains import DOMAINS, people, stories  # noqa: E402
from demo.domains.arithmetic import LEFT_OUT  # noqa: E402
from demo.topic import ways  # noqa: E402


def pattern(phrasing):
    """Of a whole question, whatever stands in the braces and around it, and however it is typed."""
    return re.sub(r"\\\{[A-Za-z_0-9]+\\\}", ".{1,40}", re.escape(phrasing.rstrip("?.!")))


def sentences():
    """{pattern: (domain, phrasing)} of all phrasings held out."""
    found = {}
    for domain in DOMAINS:
        for topic in domain.topics:
            for phrasing in topic.held_out:
                for way in ways(phrasing):
                    found[pattern(way).lower()] = (domain.name, way)
    return found


def facts():
    """(question in a phrasing seen, domain) of all facts held out."""
    for domain in DOMAINS:
        for topic in domain.topics:
            for row in topic.held_out_rows:
                for phrasing in topic.seen:
                    for way in ways(phrasing):
                        yield way.format(**row).lower().rstrip("?.! ="), domain.name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10000)
    args = parser.parse_args()
    looked_for = sentences()
    names = list(looked_for.values())
    # One expression of all is far faster than one after another.
    any_of = re.compile("|".join(f"({one})" for one in looked_for))
    held_out = dict(facts())
    words = re.compile(r"\b(" + "|".join(map(re.escape, people.NEVER_NAMES)) + r")\b", re.IGNORECASE)
    themes = re.compile(r"\b(?:story|tale|one)\b.* about (" + "|".join(re.escape(stories.the(theme.text)) for theme in stories.NEVER) + r")[.?!]?$", re.IGNORECASE)
    found, example, asked = collections.Counter(), {}, 0
    for messages in itertools.islice(corpus.conversations(args.seed), args.count):
        for role, text in messages:
            name = words.search(text)
            if name:
                found["people", "a name"] += 1
                example.setdefault(("people", "a name"), name[0])
            if role != "user":
                continue
            asked += 1
            plain = text.lower().rstrip("?.! =")
            match = any_of.fullmatch(plain)
            if match:
                what = names[match.lastindex - 1]
            elif themes.search(text.replace(" about an ", " about the ").replace(" about a ", " about the ")):
                what = ("stories", "a theme")
            elif plain in held_out:
                what = (held_out[plain], "a fact")
            elif any((min(int(a), int(b)), max(int(a), int(b))) in LEFT_OUT and max(int(a), int(b)) > 20
                     for a, b in re.findall(r"(?<![\d+] )\b(\d{1,2}) ?\+ ?(\d{1,2})\b(?! ?\+)", text) if "print" not in text):
                what = ("arithmetic", "a sum")
            else:
                continue
            found[what] += 1
            example.setdefault(what, text)
    print(f"{asked} questions, {len(looked_for)} phrasings and {len(held_out)} questions about facts held out")
    for what, count in found.most_common():
        print(f"{count} of {what[0]}, {what[1]!r}: {example[what]!r}")


if __name__ == "__main__":
    main()
