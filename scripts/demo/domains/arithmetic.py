"""Sums, differences and products of small numbers. One fact in ten is never trained with."""

from demo.topic import Domain, Topic


def split(rows):
    """Facts to train with, and those left out: spread evenly, the same ones each time."""
    left_out = [row for row in rows if (7 * row["a"] + 3 * row["b"]) % 10 == 4]
    return [row for row in rows if row not in left_out], left_out


ADD = split([{"a": a, "b": b, "c": a + b} for a in range(13) for b in range(13)])
SUBTRACT = split([{"a": a, "b": b, "c": a - b} for a in range(13) for b in range(a + 1)])
MULTIPLY = split([{"a": a, "b": b, "c": a * b} for a in range(11) for b in range(11)])

DOMAIN = Domain("arithmetic", 1.8, [
    Topic(ADD[0], ["What is {a} + {b}?", "{a} + {b}", "{a} + {b} =", "How much is {a} plus {b}?", "Add {a} and {b}.",
                   "What is {a} plus {b}?", "What is the sum of {a} and {b}?"],
          ["Can you work out {a} + {b}?", "Please calculate {a} plus {b}."],
          "{a} + {b} = {c}.", "{c}.", ["And {a} + {b}?"], ADD[1], weight=2),
    Topic(SUBTRACT[0], ["What is {a} - {b}?", "{a} - {b}", "{a} - {b} =", "How much is {a} minus {b}?",
                        "What is {a} minus {b}?", "Take {b} from {a}."], ["Can you work out {a} - {b}?"],
          "{a} - {b} = {c}.", "{c}.", ["And {a} - {b}?"], SUBTRACT[1]),
    Topic(MULTIPLY[0], ["What is {a} x {b}?", "{a} x {b}", "{a} x {b} =", "How much is {a} times {b}?",
                        "What is {a} times {b}?", "Multiply {a} by {b}."], ["Can you work out {a} x {b}?"],
          "{a} x {b} = {c}.", "{c}.", ["And {a} x {b}?"], MULTIPLY[1]),
])
