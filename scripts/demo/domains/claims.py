"""Claims to say yes or no to, half of them false. The answer gives the fact first: then the verdict needs only to compare the
two, "The capital of France is Paris, so no."
"""

import random

from demo.topic import Row


def verdict(right: bool) -> Row:
    return {"so": "yes" if right else "no"}


def said(rng: random.Random, right: object, wrong: list) -> Row:
    """The right value, or one of the wrong ones, and whether it is right."""
    true = rng.random() < 0.5
    return {"said": right if true else rng.choice(wrong), **verdict(true)}
