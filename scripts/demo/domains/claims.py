"""Claims to say yes or no to, half of them false. The answer gives the fact first and then what was said, be it the same or not:
so the verdict compares two values that stand in the answer, "The capital of France is Paris, you say Lyon, so no."

An answer ends with the field `judged`: "... is {right}, {judged}."
"""

import random

from demo.topic import Row


def judge(right: object, told: object) -> Row:
    """What was said, and the verdict behind the right value: "you say Paris, so yes"."""
    so = "yes" if str(told) == str(right) else "no"
    return {"said": told, "so": so, "judged": f"you say {told}, so {so}"}


def verdict(right: bool) -> Row:
    """Where nothing was said that stands against something else, as of leap years."""
    return {"so": "yes" if right else "no"}


def said(rng: random.Random, right: object, wrong: list) -> Row:
    """The right value, or one of the wrong ones, and whether it is right."""
    return judge(right, right if rng.random() < 0.5 else rng.choice(wrong))
