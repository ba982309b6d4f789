"""Sums, differences, products and quotients of numbers to 99. One sum in ten is never trained with. What lies just past these,
sums above 99 or products of larger factors, is declined.

Before a sum or difference of longer numbers the answer says that of the ones ("6 + 5 = 11, 16 + 55 = 71."): a small model
learns this from far fewer examples than the result at once, whose first digit already depends on the carry. It is said even
where one word is asked for. A quotient is worked out by the largest product that fits, tens first, be there a remainder or not.
"""

import random

from demo.domains import claims
from demo.domains.out_of_reach import DECLINE, DECLINE_GERMAN
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


def below_zero(a: int, b: int) -> Row:
    """For a < b: the larger difference first, then its sign turned. That of small numbers is said at once."""
    other = minus(b, a)
    work = f"{other['work']}{b} - {a} = {b - a}, " if b > 10 else ""
    return {"a": a, "b": b, "c": a - b, "work": work, "short": f"{work}{a} - {b} = {a - b}" if work else a - b}


def parted(a: int, b: int) -> Row:
    """A quotient by the largest products that fit: of tens, then of ones, "5 x 3 = 15, 17 - 15 = 2, "."""
    work, rest, whole = "", a, a // b
    for part in [part for part in (whole // 10 * 10, whole % 10) if part] or [0]:
        product = b * part
        work += f"{b} x {part} = {product}, "
        if rest != product:
            work += f"{rest} - {product} = {rest - product}, "
        rest -= product
    left, rest_german = (f", remainder {rest}", f", Rest {rest}") if rest else ("", "")
    return {"a": a, "b": b, "c": whole, "work": work, "rest": left, "rest_german": rest_german, "short": f"{work}{a} / {b} = {whole}{left}"}


def sums(left_out: bool) -> list[Row]:
    return [plus(a, b) for a in range(TOP + 1) for b in range(TOP + 1)
            if ((min(a, b), max(a, b)) in LEFT_OUT) == left_out]


SUMS = sums(left_out=False)
NEVER = [row for row in sums(left_out=True) if max(row["a"], row["b"]) > 20]
"""Sums for evaluation; those of smaller numbers come up in Python programs."""
SMALL = [row for row in SUMS if row["a"] < 10 and row["b"] < 10]
DIFFERENCES = split([minus(a, b) for a in range(TOP + 1) for b in range(a + 1)], 10)
SMALL_BELOW_ZERO = [below_zero(a, b) for a in range(10) for b in range(a + 1, 11)]
BELOW_ZERO = [[below_zero(row["b"], row["a"]) for row in rows if row["a"] > 10 and row["a"] != row["b"]] for rows in DIFFERENCES]
"""Split as the differences that they are worked out by."""
PRODUCTS = [{"a": a, "b": b, "c": a * b} for a in range(11) for b in range(11)]
QUOTIENTS = [parted(a * b, b) for a in range(11) for b in range(2, 11)] + [parted(2 * a, 2) for a in range(11, 50)]
QUOTIENTS += [{"a": a, "b": 1, "c": a, "work": "", "rest": "", "rest_german": "", "short": a} for a in range(TOP + 1)]
EVEN = {(row["a"], row["b"]) for row in QUOTIENTS}
PARTED = split([parted(a, b) for a in range(1, TOP + 1) for b in range(2, 11) if (a, b) not in EVEN], 10)
BY_ZERO = [{"a": a, "b": 0} for a in range(TOP + 1)]
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
IN_WORDS = [{"a": a, "b": b, "c": a + b, "A": NUMBERS[a], "B": NUMBERS[b]} for a in range(13) for b in range(13)]
LESS_IN_WORDS = [row | {"c": row["a"] - row["b"]} for row in IN_WORDS if row["b"] <= row["a"]]
TIMES_IN_WORDS = [row | {"c": row["a"] * row["b"]} for row in IN_WORDS if max(row["a"], row["b"]) < 11]
LARGE_NUMBERS = """thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty twenty-one twenty-five thirty forty fifty sixty seventy eighty
    ninety""".split()
HALVES = [{"a": 2 * half, "c": half} for half in range(51)] + [{"a": 2 * half + 1, "c": f"{half}.5"} for half in range(50)]
DOUBLES = [{"a": a, "c": 2 * a} for a in range(1, TOP + 2)]
THREE = [{"a": a, "b": b, "d": d, "ab": a + b, "c": a + b + d} for a in range(1, 10) for b in range(1, 10) for d in range(1, 10)]


def two_numbers(rng: random.Random) -> Row:
    a, b = rng.sample(range(TOP + 1), 2)
    return {"a": a, "b": b, "more": max(a, b), "less": min(a, b)}


def difference_below_zero(rng: random.Random) -> Row:
    return rng.choice(SMALL_BELOW_ZERO if rng.random() < 0.3 else BELOW_ZERO[0])


def quotient(rng: random.Random) -> Row:
    """One that comes out evenly, or by more than tables, or not."""
    return rng.choice(QUOTIENTS if rng.random() < 0.3 else PARTED[0])


def large(rng: random.Random) -> int:
    """A number past those that are known, most often just past."""
    return rng.randint(100, 199) if rng.random() < 0.6 else rng.randint(100, 999) if rng.random() < 0.6 else rng.randint(1000, 9999)


def large_sum(rng: random.Random) -> Row:
    """A large number with another one, in either order."""
    pair = [large(rng), large(rng) if rng.random() < 0.3 else rng.randint(1, TOP)]
    rng.shuffle(pair)
    a, b = pair
    return {"a": a, "b": b, "sign": rng.choice("+-"), "said": max(1, a + b + rng.choice([0, 0, 1, 10]))}


def large_product(rng: random.Random) -> Row:
    """A factor of 11 to 20, at times a larger one, with another one."""
    pair = [rng.randint(11, 20) if rng.random() < 0.7 else rng.randint(21, 99), rng.randint(2, 10) if rng.random() < 0.7 else rng.randint(11, 30)]
    rng.shuffle(pair)
    a, b = pair
    return {"a": a, "b": b, "sign": "x", "said": a * b + rng.choice([0, 0, 1, 10])}


def large_quotient(rng: random.Random) -> Row:
    """Too large a dividend or divisor."""
    if rng.random() < 0.5:
        return {"a": rng.randint(101, 199) if rng.random() < 0.6 else large(rng) + 1, "b": rng.randint(2, 10)}
    return {"a": rng.randint(20, 199), "b": rng.randint(11, 20) if rng.random() < 0.7 else rng.randint(21, 60)}


def large_in_words(rng: random.Random) -> Row:
    """Numbers written out of which at least one is above twelve."""
    pair = [rng.choice(LARGE_NUMBERS), rng.choice(NUMBERS + LARGE_NUMBERS)]
    rng.shuffle(pair)
    return {"A": pair[0], "B": pair[1]}


def large_one(rng: random.Random) -> Row:
    """Past what is halved and doubled: above 100, or with a point."""
    return {"a": large(rng) + 1 if rng.random() < 0.85 else f"{rng.randint(0, 20)}.{rng.randint(1, 9)}"}


def other_operation(rng: random.Random) -> Row:
    """Small numbers for operations that are not known."""
    return {"a": rng.randint(2, 20), "b": rng.randint(2, 12), "d": rng.randint(2, 9), "q": rng.choice([4, 9, 16, 25, 36, 49, 64, 81, 100, rng.randint(2, 100)]),
            "p": rng.choice([5, 10, 20, 25, 50, rng.randint(1, 99)]), "x": f"{rng.randint(0, 20)}.{rng.randint(1, 9)}", "y": f"{rng.randint(0, 9)}.{rng.randint(1, 9)}",
            "t": rng.randint(11, 20)}


def claim(rng: random.Random) -> Row:
    """A sum, difference or product with its result, or with another one."""
    rows, sign, spoken = rng.choice([(SUMS, "+", "plus"), (SMALL, "+", "plus"), (DIFFERENCES[0], "-", "minus"), (PRODUCTS, "x", "times"),
                                     (PRODUCTS, "x", "times"), (QUOTIENTS, "/", "divided by")])
    row = rng.choice(rows)
    right, digits = row["c"], str(row["c"])
    wrong = [other for other in (right + 1, right - 1, right + 2, right - 2, right + 10, right - 10, int(digits[::-1])) if other != right and other >= 0]
    return {"work": "", **row, "sign": sign, "spoken": spoken, **claims.said(rng, right, wrong)}


def more_claim(rng: random.Random) -> Row:
    """Two numbers, and whether the first is the larger."""
    row = two_numbers(rng)
    return row | claims.judge(row["more"], row["a"])


def less_claim(rng: random.Random) -> Row:
    row = two_numbers(rng)
    return row | claims.judge(row["less"], row["a"])


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

DIVIDE = ["What is {a} / {b}?", "{a} / {b}", "{a} / {b} =", "{a}/{b}", "[How much is|What is|What's] {a} divided by {b}?", "{a} : {b}", "Divide {a} by {b}.",
          "{a} divided by {b}[?|]", "[Compute|Calculate|Work out|Solve] {a} / {b}[.|]", "How often does {b} fit into {a}?",
          "{a} over {b}", "[How many times|How often] [does {b} go|goes {b}] into {a}?", "Share {a} among {b}.", "[What is|Tell me] the quotient of {a} and {b}[?|.]",
          "Divide {a} into {b} parts.", "[Can you|Could you] divide {a} by {b}?"]
DIVIDE_HELD_OUT = ["Can you work out {a} / {b}?", "What do I get if I divide {a} by {b}?"]
AND_DIVIDE = ["And {a} / {b}?", "And {a} divided by {b}?"]
CLAIM = ["Is {a} {sign} {b} = {said}[?|]", "Is {a} {sign} {b} {said}?", "Is it true that {a} {sign} {b} = {said}?", "{a} {sign} {b} = {said}, right?", "Is {a} {spoken} {b} {said}?",
         "Does {a} {spoken} {b} make {said}?", "Is it true that {a} {spoken} {b} is {said}?", "Is it [right|correct] that {a} {sign} {b} is {said}?", "{a} {sign} {b} = {said}?",
         "Does {a} {sign} {b} equal {said}?", "{a} {spoken} {b} is {said}, isn't it?", "I say that {a} {sign} {b} = {said}. Is that [true|right|correct]?",
         *claims.asked("{a} {sign} {b} = {said}"), *claims.asked("{a} {spoken} {b} is {said}")]
LARGER = ["Which is [larger|bigger|greater|more], {a} or {b}?", "What is [larger|bigger|more], {a} or {b}?", "[Which|What] number is [larger|bigger|greater]: {a} or {b}?",
          "{a} or {b}: which is larger?", "[Larger|Bigger], {a} or {b}?"]
HALVE = ["What is half of {a}?", "[Half|The half] of {a}?", "[Tell me|Give me] half of {a}.", "Halve {a}.",
         "How much is half of {a}?"]
DOUBLE = ["What is twice {a}?", "Double {a}.", "What is the double of {a}?", "[Tell me|Give me] twice {a}.",
          "How much is twice {a}?", "What is two times {a}?"]
IN_WORDS_ASKED = ["[What is|How much is|What's] {A} plus {B}?", "{A} plus {B}[?|]", "Add {A} and {B}.", "What is the sum of {A} and {B}?", "{A} and {B}?"]
LESS_ASKED = ["[What is|How much is|What's] {A} minus {B}?", "{A} minus {B}[?|]", "Take {B} from {A}.", "Subtract {B} from {A}."]
TIMES_ASKED = ["[What is|How much is|What's] {A} times {B}?", "{A} times {B}[?|]", "Multiply {A} by {B}.", "What is the product of {A} and {B}?"]
UNKNOWN = ["What is {q} squared?", "{a} squared[?|]", "What is {a} cubed?", "[What is|Compute] {a} to the power of {d}[?|.]", "{a}^{d}", "What is {a}^{d}?", "What is {a} ** {d}?",
           "What is the [square |cube |]root of {q}?", "[Square root|Root] of {q}?", "[What is|How much is|What's] {p} percent of {q}?", "{p}% of {q}", "What is {p} % of {q}?",
           "[What is|How much is] {x} + {b}?", "{x} + {y}", "What is {b} + {x}?", "{x} - {y}", "[What is|How much is] {x} [x|times] {d}?", "{x} / {d}", "What is {x} plus {y}?",
           "Is {a} a prime number?", "Is {q} [even|odd|prime|a square number]?", "What is {q} modulo {d}?", "What is a [third|quarter|fifth|tenth] of {q}?",
           "What is the factorial of {d}?", "Solve x + {a} = {q}.", "What is the average of {a} and {q}?", "What is -{a} + {b}?", "-{a} - {b}", "What is 1/{b} + 1/{d}?",
           "What is {a} - {b} - {d}?", "{a} + {b} - {d}", "What is {d} x {b} + {a}?", "{d} x {b} x {a}", "What is {t} + {b} + {d}?", "{d} + {t} + {t}", "{d} + {d} + {b} + {a}",
           "How much is {t} plus {b} plus {d}?", "What is the sum of {d}, {t} and {b}?", "Round {x}.", "What is {a} in binary?",
           "Which numbers divide {q}?", "What is the greatest common divisor of {a} and {q}?"]


def past(rows, seen: list[str], weight: float, follow_ups: list[str], german: str | None = DECLINE_GERMAN) -> Topic:
    """What is asked like something that is known, and is past it."""
    return Topic(rows, seen, [], DECLINE, DECLINE, german, follow_ups, weight=weight)


DOMAIN = Domain("arithmetic", 5.5, [
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
    Topic(difference_below_zero, MINUS[:10], [], "{work}{a} - {b} = {c}.", "{short}.", "{work}{a} - {b} = {c}.", ["And {a} - {b}?"],
          held_out_rows=BELOW_ZERO[1], weight=1.8),
    Topic(quotient, DIVIDE, DIVIDE_HELD_OUT, "{work}{a} / {b} = {c}{rest}.", "{short}.", "{work}{a} / {b} = {c}{rest_german}.", AND_DIVIDE,
          held_out_rows=PARTED[1], weight=4),
    Topic(BY_ZERO, DIVIDE, DIVIDE_HELD_OUT, "Nothing can be divided by 0.", "Nothing can be divided by 0.", "Durch 0 kann man nicht teilen.", AND_DIVIDE, weight=0.25),
    Topic(THREE, ["What is {a} + {b} + {d}?", "{a} + {b} + {d}", "{a} + {b} + {d} =", "{a}+{b}+{d}", "[How much is|What is] {a} plus {b} plus {d}?",
                  "Add {a}, {b} and {d}.", "[What is|Tell me] the sum of {a}, {b} and {d}[?|.]"],
          ["Can you work out {a} + {b} + {d}?"], "{a} + {b} = {ab}, {a} + {b} + {d} = {c}.", "{a} + {b} = {ab}, {a} + {b} + {d} = {c}.", "{a} + {b} = {ab}, {a} + {b} + {d} = {c}.", weight=0.8),
    Topic(claim, CLAIM,
          ["Would you say that {a} {sign} {b} = {said}?", "True or false: {a} {sign} {b} = {said}?"],
          "{work}{a} {sign} {b} = {c}, {judged}.", "{work}{a} {sign} {b} = {c}, {judged}.", weight=2.2),
    Topic(more_claim, ["Is {a} [larger|bigger|greater|more] than {b}?", "Is it true that {a} is [larger|bigger|greater] than {b}?", "{a} is [larger|more] than {b}, right?", "Is {a} > {b}?",
                       *claims.asked("{a} is larger than {b}")],
          ["Would you say that {a} is larger than {b}?"], "{more} is larger, {judged}.", "{more}, {judged}.", weight=0.3),
    Topic(less_claim, ["Is {a} [smaller|less] than {b}?", "Is it true that {a} is [smaller|less] than {b}?", "{a} is [smaller|less] than {b}, right?", "Is {a} < {b}?",
                       *claims.asked("{a} is smaller than {b}")],
          ["Would you say that {a} is smaller than {b}?"], "{less} is smaller, {judged}.", "{less}, {judged}.", weight=0.3),
    Topic(two_numbers, LARGER,
          ["Tell me which is larger, {a} or {b}."], "{more} is larger.", "{more}.", follow_ups=["And {a} or {b}?"], weight=0.3),
    Topic(two_numbers, ["Which is [smaller|less], {a} or {b}?", "What is [smaller|less], {a} or {b}?", "[Which|What] number is smaller: {a} or {b}?",
                        "{a} or {b}: which is smaller?"],
          ["Tell me which is smaller, {a} or {b}."], "{less} is smaller.", "{less}.", follow_ups=["And {a} or {b}?"], weight=0.3),
    Topic(IN_WORDS, IN_WORDS_ASKED,
          ["What do I get if I add {A} and {B}?"], "{a} + {b} = {c}.", "{c}.", "{a} + {b} = {c}.", weight=0.4),
    Topic(LESS_IN_WORDS, LESS_ASKED, [], "{a} - {b} = {c}.", "{c}.", "{a} - {b} = {c}.", weight=0.2),
    Topic(TIMES_IN_WORDS, TIMES_ASKED, [], "{a} x {b} = {c}.", "{c}.", "{a} x {b} = {c}.", weight=0.2),
    Topic(HALVES, HALVE,
          ["Could you halve {a}?"],
          "Half of {a} is {c}.", "{c}.", follow_ups=["And half of {a}?"], weight=0.5),
    Topic(DOUBLES, DOUBLE, ["Could you double {a}?"],
          "Twice {a} is {c}.", "{c}.", follow_ups=["And twice {a}?"], weight=0.5),
    past(large_sum, PLUS, 1, ["And {a} + {b}?", "And {a} plus {b}?"]),
    past(large_sum, MINUS, 0.8, ["And {a} - {b}?"]),
    past(large_product, TIMES, 0.8, ["And {a} x {b}?", "And {a} times {b}?"]),
    past(large_quotient, DIVIDE, 0.6, AND_DIVIDE),
    past(lambda rng: rng.choice([large_sum, large_product])(rng), CLAIM[:4], 0.3, [], None),
    past(large_sum, LARGER[:2], 0.1, [], None),
    past(large_one, HALVE, 0.25, ["And half of {a}?"], None),
    past(large_one, DOUBLE, 0.25, ["And twice {a}?"], None),
    past(large_in_words, IN_WORDS_ASKED[:4] + LESS_ASKED + TIMES_ASKED, 0.3, []),
    past(other_operation, UNKNOWN, 1, []),
])


for one in DOMAIN.topics:
    # What is known and what is past it follow each other in conversations.
    one.kin += [other for other in DOMAIN.topics if other.seen[0] == one.seen[0] and (other.answer == DECLINE) != (one.answer == DECLINE)]
