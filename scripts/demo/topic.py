"""What a domain is made of: facts in a table, and the ways to ask for them.

A fact has one right answer, so that a greedy answer can be compared with it exactly. A phrasing holds `{name}` where a
row's value goes, and alternatives in brackets: "[What is|Name] the capital of {country}".
"""

import dataclasses
import itertools
import random
import re
from collections.abc import Callable

Row = dict[str, object]

ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")


def say(rng: random.Random, phrasing: str) -> str:
    """One way to say it: an alternative of each bracket, at random."""
    return ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), phrasing)


def ways(phrasing: str) -> list[str]:
    """All ways to say it."""
    parts = ALTERNATIVES.split(phrasing)
    parts[1::2] = [part.split("|") for part in parts[1::2]]
    return ["".join(chosen) for chosen in itertools.product(*[p if isinstance(p, list) else [p] for p in parts])]


@dataclasses.dataclass
class Topic:
    """One kind of question over a table of facts."""

    rows: list[Row] | Callable[[random.Random], Row]
    """The facts to train with; where they are too many to list, what makes one."""
    seen: list[str]
    """Phrasings to train with."""
    held_out: list[str]
    """Phrasings for evaluation only."""
    answer: str
    short: str | None = None
    """The answer where the system prompt asks for one word."""
    german: str | None = None
    """The answer where the system prompt asks for German."""
    follow_ups: list[str] = dataclasses.field(default_factory=list)
    """Phrasings that make sense only after a question of the same topic, about another row."""
    same: list[str] = dataclasses.field(default_factory=list)
    """Phrasings about the row that was last spoken of, in a topic with the same rows."""
    then: Callable[[random.Random, Row], Row | None] | None = None
    """The row that a question about the last answer leads to, if there is one."""
    then_asks: list[str] = dataclasses.field(default_factory=list)
    """Phrasings of such a question."""
    held_out_rows: list[Row] = dataclasses.field(default_factory=list)
    """Facts for evaluation only: right answers to them were not learned by heart."""
    weight: float = 1.0
    """How often, beside the domain's other topics."""
    exact: bool = False
    """Whether the question's letters matter, so that it is never typed carelessly."""

    kin: "list[Topic]" = dataclasses.field(default_factory=list)
    """Topics whose rows the follow-ups may also be about: known after unknown, and the other way round."""

    def row(self, rng: random.Random) -> Row:
        return self.rows(rng) if callable(self.rows) else rng.choice(self.rows)


@dataclasses.dataclass
class Domain:
    """Topics that a person would name with one word."""

    name: str
    weight: float
    topics: list[Topic]


def table(text: str, *names: str) -> list[Row]:
    """Rows from "a b, c d": words are split at blanks, and "_" stands for a blank inside a value."""
    return [
        dict(zip(names, (word.replace("_", " ") for word in item.split()), strict=True)) for item in text.split(",")
    ]


def split(rows: list[Row], one_in: int) -> tuple[list[Row], list[Row]]:
    """Facts to train with, and one in `one_in` left out, the same ones each time."""
    left_out = random.Random(20).sample(range(len(rows)), len(rows) // one_in)
    chosen = set(left_out)
    return [row for i, row in enumerate(rows) if i not in chosen], [rows[i] for i in sorted(left_out)]
