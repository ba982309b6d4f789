"""Claims to say yes or no to, half of them false. The answer gives the fact first and then what was said, where that is something
else: so the verdict is a comparison that stands in the answer, "The capital of France is Paris, not Lyon, so no."

An answer ends with the field `judged`: "... is {right}, {judged}."
"""

import random

from demo.topic import Row


def judge(right: object, told: object) -> Row:
    """What was said, and the verdict behind the right value: "so yes", "not Lyon, so no" or "you say 13, so no"."""
    if str(told) == str(right):
        return {"said": told, "so": "yes", "judged": "so yes"}
    contrast = f"you say {told}" if str(right).lstrip("-").isdigit() else f"not {told}"
    return {"said": told, "so": "no", "judged": f"{contrast}, so no"}


def verdict(right: bool) -> Row:
    """Where nothing was said that stands against something else, as of leap years."""
    return {"so": "yes" if right else "no"}


def said(rng: random.Random, right: object, wrong: list) -> Row:
    """The right value, or one of the wrong ones, and whether it is right."""
    return judge(right, right if rng.random() < 0.5 else rng.choice(wrong))
