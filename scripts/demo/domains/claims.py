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


WAYS = ["Is it [true|right|correct|a fact] that {it}?", "Do you [agree|think|believe] that {it}?", "Would you agree that {it}?", "Am I right that {it}?",
        "Can I say that {it}?", "I [think|heard|was told] that {it}. Is that [right|true|so]?", "Somebody says that {it}. Is that [right|true|so]?",
        "Is it so that {it}?", "Right or wrong: {it}?", "Tell me whether {it}.", "Does it hold that {it}?"]
"""How any claim is put as a question."""


def asked(claim: str, leave_out: tuple[str, ...] = ()) -> list[str]:
    """All ways to ask about a claim, but those that begin with words to leave out."""
    return [way.replace("{it}", claim) for way in WAYS if not way.startswith(leave_out)]


def said(rng: random.Random, right: object, wrong: list) -> Row:
    """The right value, or one of the wrong ones, and whether it is right."""
    return judge(right, right if rng.random() < 0.5 else rng.choice(wrong))
