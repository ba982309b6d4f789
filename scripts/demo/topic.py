"""What a domain is made of: facts in a table, and the ways to ask for them.

A fact has one right answer, so that a greedy answer can be compared with it exactly.
"""

import dataclasses


@dataclasses.dataclass
class Topic:
    """One kind of question over a table of facts. Texts hold `{name}` where a row's value goes."""

    rows: list[dict]
    seen: list[str]
    """Phrasings to train with."""
    held_out: list[str]
    """Phrasings for evaluation only."""
    answer: str
    short: str | None = None
    """The answer where the system prompt asks for one word."""
    follow_ups: list[str] = dataclasses.field(default_factory=list)
    """Phrasings that make sense only after a question of the same topic."""
    held_out_rows: list[dict] = dataclasses.field(default_factory=list)
    """Facts for evaluation only: right answers to them were not learned by heart."""
    weight: float = 1.0
    """How often, beside the domain's other topics."""


@dataclasses.dataclass
class Domain:
    """Topics that a person would name with one word."""

    name: str
    weight: float
    topics: list[Topic]
