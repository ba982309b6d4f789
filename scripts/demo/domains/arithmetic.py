"""Sums, differences, products and quotients of numbers to 99. One sum in ten is never trained with.

Before a sum or difference of longer numbers the answer says that of the ones ("6 + 5 = 11, 16 + 55 = 71."): a small model
learns this from far fewer examples than the result at once, whose first digit already depends on the carry. It is said even
where one word is asked for.
"""

import random

from demo.domains import claims
from demo.topic import Domain, Row, Topic, split

TOP = 99


def pairs_left_out() -> set[tuple[int, int]]:
    """Pairs (a, b), a <= b, of which neither a + b nor b + a is trained with: one in ten."""
    pairs = [(a, b) for a in range(TOP + 1) for b in range(a, TOP + 1)]
    return set(random.Random(7).sample(pairs, len(pairs) // 10))


LEFT_OUT = pairs_left_out()


def plus(a: int, b: int) -> Row:
    work = f"{a % 10} + {b % 10} = {a % 10 + b % 10}, " if max(a, b) > 9 else ""
    return {"a": a, "b": b, "c": a + b, "work": work, "short": f"{work}{a} + {b} = {a + b}" if work else a + b}


def minus(a: int, b: int) -> Row:
    """For a >= b; a ten is borrowed where the ones need it."""
    ones = a % 10 + (10 if a % 10 < b % 10 else 0)
    work = f"{ones} - {b % 10} = {ones - b % 10}, " if a > 9 else ""
    return {"a": a, "b": b, "c": a - b, "work": work, "short": f"{work}{a} - {b} = {a - b}" if work else a - b}


def sums(left_out: bool) -> list[Row]:
    return [plus(a, b) for a in range(TOP + 1) for b in range(TOP + 1)
            if ((min(a, b), max(a, b)) in LEFT_OUT) == left_out]


SUMS = sums(left_out=False)
NEVER = [row for row in sums(left_out=True) if max(row["a"], row["b"]) > 20]
"""Sums for evaluation; those of smaller numbers come up in Python programs."""
SMALL = [row for row in SUMS if row["a"] < 10 and row["b"] < 10]
DIFFERENCES = split([minus(a, b) for a in range(TOP + 1) for b in range(a + 1)], 10)
BELOW_ZERO = [{"a": a, "b": b, "c": a - b} for a in range(10) for b in range(a + 1, 11)]
PRODUCTS = [{"a": a, "b": b, "c": a * b} for a in range(11) for b in range(11)]
QUOTIENTS = [{"a": a * b, "b": b, "c": a} for a in range(1, 11) for b in range(1, 11)]
QUOTIENTS += [{"a": 2 * a, "b": 2, "c": a} for a in range(11, 51)]
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
IN_WORDS = [{"a": a, "b": b, "c": a + b, "A": NUMBERS[a], "B": NUMBERS[b]} for a in range(13) for b in range(13)]
HALVES = [{"a": 2 * half, "c": half} for half in range(1, 51)]
DOUBLES = [{"a": a, "c": 2 * a} for a in range(1, 51)]
THREE = [{"a": a, "b": b, "d": d, "ab": a + b, "c": a + b + d} for a in range(1, 10) for b in range(1, 10) for d in range(1, 10)]


def two_numbers(rng: random.Random) -> Row:
    a, b = rng.sample(range(TOP + 1), 2)
    return {"a": a, "b": b, "more": max(a, b), "less": min(a, b)}


def claim(rng: random.Random) -> Row:
    """A sum, difference or product with its result, or with another one."""
    rows, sign, spoken = rng.choice([(SUMS, "+", "plus"), (SMALL, "+", "plus"), (DIFFERENCES[0], "-", "minus"), (PRODUCTS, "x", "times")])
    row = rng.choice(rows)
    right, digits = row["c"], str(row["c"])
    wrong = [other for other in (right + 1, right - 1, right + 2, right - 2, right + 10, right - 10, int(digits[::-1])) if other != right and other >= 0]
    return {"work": "", **row, "sign": sign, "spoken": spoken, **claims.said(rng, right, wrong)}


def compared(right: int, told: int) -> Row:
    """The verdict on which of two numbers it is: neither is a result, so "not 7" says it better than "you say 7"."""
    return {"judged": "so yes" if told == right else f"not {told}, so no"}


def more_claim(rng: random.Random) -> Row:
    """Two numbers, and whether the first is the larger."""
    row = two_numbers(rng)
    return row | compared(row["more"], row["a"])


def less_claim(rng: random.Random) -> Row:
    row = two_numbers(rng)
    return row | compared(row["less"], row["a"])


def add_to(rng: random.Random, row: Row) -> Row | None:
    """One more number on top of the last result."""
    a, b = row["c"], rng.randint(1, 20)
    fits = a <= TOP and (min(a, b), max(a, b)) not in LEFT_OUT
    return plus(a, b) if fits else None


def take_from(rng: random.Random, row: Row) -> Row | None:
    """A number less than the last result."""
    if not 1 <= row["c"] <= TOP:
        return None
    b = rng.randint(1, min(row["c"], 20))
    return minus(row["c"], b)


PLUS = ["What is {a} + {b}?", "{a} + {b}", "{a} + {b} =", "{a} + {b} = ?", "{a}+{b}", "{a}+{b}=", "What's {a} + {b}?",
        "[How much is|What is|What's|What does] {a} plus {b}[?|]", "Add {a} and {b}.", "Add {a} to {b}.", "{a} plus {b}[?|]",
        "[What is|Tell me|Give me|Say] the sum of {a} and {b}[?|.]", "[Compute|Calculate|Work out|Solve] {a} + {b}[.|]",
        "How much is {a} and {b}?", "[Can you|Could you] add {a} and {b}?", "What do {a} and {b} make[| together]?",
        "I have {a} apples and get {b} more. How many do I have?", "If I add {a} to {b}, what do I get?"]
PLUS_HELD_OUT = ["Can you work out {a} + {b}?", "Please calculate {a} plus {b}.", "What do I get if I add {a} and {b}?",
                 "Could you tell me the sum of {a} and {b}?", "How much do {a} and {b} make?"]
MINUS = ["What is {a} - {b}?", "{a} - {b}", "{a} - {b} =", "{a}-{b}", "[How much is|What is|What's] {a} minus {b}?",
         "{a} minus {b}[?|]", "Take {b} from {a}.", "Subtract {b} from {a}.", "What is {b} less than {a}?",
         "[Compute|Calculate|Work out|Solve] {a} - {b}[.|]", "[What is|Tell me] the difference of {a} and {b}[?|.]",
         "I have {a} apples and eat {b}. How many are left?", "What is left of {a} if I take {b} away?"]
TIMES = ["What is {a} x {b}?", "{a} x {b}", "{a} x {b} =", "{a} * {b}", "[How much is|What is|What's] {a} times {b}?",
         "{a} times {b}[?|]", "Multiply {a} by {b}.", "[What is|Tell me] the product of {a} and {b}[?|.]", "{a}*{b}",
         "[Compute|Calculate|Work out|Solve] {a} x {b}[.|]", "What is {a} * {b}?", "Multiply {a} and {b}."]

DOMAIN = Domain("arithmetic", 6.5, [
    Topic(SUMS, PLUS, PLUS_HELD_OUT, "{work}{a} + {b} = {c}.", "{short}.", "{work}{a} + {b} = {c}.",
          ["And {a} + {b}?", "And {a} plus {b}?", "[What|How] about {a} + {b}?", "Now {a} + {b}."],
          then=add_to, then_asks=["Add {b} to that.", "[And|Now] plus {b}[?|.]", "Now add {b}.", "And {b} more?"],
          held_out_rows=NEVER, weight=5),
    Topic(SMALL, PLUS, PLUS_HELD_OUT, "{a} + {b} = {c}.", "{c}.", "{a} + {b} = {c}.", ["And {a} + {b}?"], weight=2),
    Topic(DIFFERENCES[0], MINUS,
          ["Can you work out {a} - {b}?", "What do I get if I take {b} from {a}?", "Please calculate {a} minus {b}."],
          "{work}{a} - {b} = {c}.", "{short}.", "{work}{a} - {b} = {c}.", ["And {a} - {b}?", "[What|How] about {a} - {b}?"],
          then=take_from, then_asks=["Take {b} from that.", "[And|Now] minus {b}[?|.]", "Now subtract {b}."],
          held_out_rows=DIFFERENCES[1], weight=4.5),
    Topic(PRODUCTS, TIMES, ["Can you work out {a} x {b}?", "What do I get if I multiply {a} by {b}?"],
          "{a} x {b} = {c}.", "{c}.", "{a} x {b} = {c}.", ["And {a} x {b}?", "And {a} times {b}?"], weight=1.8),
    Topic(BELOW_ZERO, MINUS[:8], [], "{a} - {b} = {c}.", "{c}.", "{a} - {b} = {c}.", weight=0.6),
    Topic(QUOTIENTS, ["What is {a} / {b}?", "{a} / {b}", "{a} / {b} =", "{a}/{b}", "[How much is|What is|What's] {a} divided by {b}?", "{a} : {b}",
                      "Divide {a} by {b}.", "{a} divided by {b}[?|]", "[Compute|Calculate|Work out|Solve] {a} / {b}[.|]", "How often does {b} fit into {a}?"],
          ["Can you work out {a} / {b}?", "What do I get if I divide {a} by {b}?"],
          "{a} / {b} = {c}.", "{c}.", "{a} / {b} = {c}.", ["And {a} / {b}?", "And {a} divided by {b}?"], weight=0.9),
    Topic(THREE, ["What is {a} + {b} + {d}?", "{a} + {b} + {d}", "{a} + {b} + {d} =", "{a}+{b}+{d}", "[How much is|What is] {a} plus {b} plus {d}?",
                  "Add {a}, {b} and {d}.", "[What is|Tell me] the sum of {a}, {b} and {d}[?|.]"],
          ["Can you work out {a} + {b} + {d}?"], "{a} + {b} = {ab}, {a} + {b} + {d} = {c}.", "{a} + {b} = {ab}, {a} + {b} + {d} = {c}.", "{a} + {b} = {ab}, {a} + {b} + {d} = {c}.", weight=0.8),
    Topic(claim, ["Is {a} {sign} {b} = {said}[?|]", "Is {a} {sign} {b} {said}?", "Is it true that {a} {sign} {b} = {said}?", "{a} {sign} {b} = {said}, right?", "Is {a} {spoken} {b} {said}?",
                  "Does {a} {spoken} {b} make {said}?", "Is it true that {a} {spoken} {b} is {said}?", "Is it [right|correct] that {a} {sign} {b} is {said}?", "{a} {sign} {b} = {said}?",
                  "Does {a} {sign} {b} equal {said}?", "{a} {spoken} {b} is {said}, isn't it?", "I say that {a} {sign} {b} = {said}. Is that [true|right|correct]?"],
          ["Would you say that {a} {sign} {b} = {said}?", "True or false: {a} {sign} {b} = {said}?"],
          "{work}{a} {sign} {b} = {c}, {judged}.", "{work}{a} {sign} {b} = {c}, {judged}.", weight=2.2),
    Topic(more_claim, ["Is {a} [larger|bigger|greater|more] than {b}?", "Is it true that {a} is [larger|bigger|greater] than {b}?", "{a} is [larger|more] than {b}, right?", "Is {a} > {b}?"],
          ["Would you say that {a} is larger than {b}?"], "{more} is larger, {judged}.", "{more}, {judged}.", weight=0.3),
    Topic(less_claim, ["Is {a} [smaller|less] than {b}?", "Is it true that {a} is [smaller|less] than {b}?", "{a} is [smaller|less] than {b}, right?", "Is {a} < {b}?"],
          ["Would you say that {a} is smaller than {b}?"], "{less} is smaller, {judged}.", "{less}, {judged}.", weight=0.3),
    Topic(two_numbers, ["Which is [larger|bigger|greater|more], {a} or {b}?", "What is [larger|bigger|more], {a} or {b}?", "[Which|What] number is [larger|bigger|greater]: {a} or {b}?",
                        "{a} or {b}: which is larger?", "[Larger|Bigger], {a} or {b}?"],
          ["Tell me which is larger, {a} or {b}."], "{more} is larger.", "{more}.", follow_ups=["And {a} or {b}?"], weight=0.3),
    Topic(two_numbers, ["Which is [smaller|less], {a} or {b}?", "What is [smaller|less], {a} or {b}?", "[Which|What] number is smaller: {a} or {b}?",
                        "{a} or {b}: which is smaller?"],
          ["Tell me which is smaller, {a} or {b}."], "{less} is smaller.", "{less}.", follow_ups=["And {a} or {b}?"], weight=0.3),
    Topic(IN_WORDS, ["[What is|How much is|What's] {A} plus {B}?", "{A} plus {B}[?|]", "Add {A} and {B}.", "What is the sum of {A} and {B}?", "{A} and {B}?"],
          ["What do I get if I add {A} and {B}?"], "{a} + {b} = {c}.", "{c}.", "{a} + {b} = {c}.", weight=0.4),
    Topic(HALVES, ["What is half of {a}?", "[Half|The half] of {a}?", "[Tell me|Give me] half of {a}.", "Halve {a}.",
                   "How much is half of {a}?"],
          ["Could you halve {a}?"],
          "Half of {a} is {c}.", "{c}.", follow_ups=["And half of {a}?"], weight=0.5),
    Topic(DOUBLES, ["What is twice {a}?", "Double {a}.", "What is the double of {a}?", "[Tell me|Give me] twice {a}.",
                    "How much is twice {a}?", "What is two times {a}?"], ["Could you double {a}?"],
          "Twice {a} is {c}.", "{c}.", follow_ups=["And twice {a}?"], weight=0.5),
])
