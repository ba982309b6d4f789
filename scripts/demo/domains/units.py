"""Measures of length, weight, volume and time in other units.

An hour in seconds is said by way of minutes. Larger amounts than those that are known, units that do not measure the same and what
does not come out evenly are declined.
"""

import random

from demo.domains import claims
from demo.domains.out_of_reach import DECLINE
from demo.topic import Domain, Row, Topic, split

UNITS = """kilometre metre 1000 km m, metre centimetre 100 m cm, centimetre millimetre 10 cm mm, kilogram gram 1000 kg g,
    ton kilogram 1000 t kg, litre millilitre 1000 l ml, hour minute 60 h min, minute second 60 min s, day hour 24 - -,
    week day 7 - -, year month 12 - -, decade year 10 - -, century year 100 - -, yard foot 3 yd ft, foot inch 12 ft in,
    pound ounce 16 lb oz, dozen egg 12 - -, kilobyte byte 1000 kB -, megabyte kilobyte 1000 MB kB,
    gigabyte megabyte 1000 GB MB"""
STEPS = """hour minute second, day hour minute, week day hour, kilometre metre centimetre, metre centimetre millimetre, ton kilogram gram,
    yard foot inch, decade year month, megabyte kilobyte byte, gigabyte megabyte kilobyte"""
"""Two steps of those above."""
TOO_FAR = """day second, week minute, kilometre millimetre, year day, year hour, decade day, century month, century day, ton ounce, gigabyte byte, week second,
    litre gram, hour metre, kilogram metre, kilometre hour, day gram, minute metre, dozen foot, pound gram, yard metre, foot centimetre, inch millimetre"""
"""Three steps, and units of other kinds."""
IRREGULAR = {"foot": "feet", "inch": "inches", "century": "centuries", "dozen": "dozen"}


def many(unit):
    return IRREGULAR.get(unit, unit + "s")


def amount(n, unit):
    return f"{n} {unit if n == 1 else many(unit)}"


FACTORS = {(large, small): (int(factor), large_sign, small_sign)
           for large, small, factor, large_sign, small_sign in (item.split() for item in UNITS.split(","))}
SIGNS = {unit: sign for (large, small), (_, *signs) in FACTORS.items() for unit, sign in zip((large, small), signs) if sign != "-"}
EASY = (10, 100, 1000)
"""Factors that only add zeros."""


def conversion(n, large: str, small: str, factor: int) -> Row:
    """An amount of the larger unit in the smaller one."""
    signs = large in SIGNS and small in SIGNS
    return {
        "n": n, "from": amount(n, large), "are": "is" if n == 1 else "are", "to": amount(n * factor, small),
        "small": many(small), "large": many(large), "count": n * factor,
        "one": ("an " if large in ("hour", "inch", "ounce") else "a ") + large,
        "signs": f"{n} {SIGNS[large]}" if signs else amount(n, large),
        "sign": SIGNS[small] if signs else many(small),
        "factor": factor, "short": n * factor,
    }


def rows():
    """Amounts to 12, and to 99 where only zeros are added."""
    for (large, small), (factor, _, _) in FACTORS.items():
        for n in range(1, 100 if factor in EASY else 13):
            yield conversion(n, large, small, factor)


def two_steps():
    """Amounts to 10, and to 99 where only zeros are added, by way of the unit between."""
    for large, middle, small in (item.split() for item in STEPS.split(",")):
        first, second = FACTORS[large, middle][0], FACTORS[middle, small][0]
        for n in range(1, 100 if first in EASY and second in EASY else 11):
            row = conversion(n, large, small, first * second)
            way = f"{row['from']} {row['are']} {amount(n * first, middle)}, "
            yield row | {"way": way, "short": f"{way}{row['from']} {row['are']} {row['to']}"}


ALL = list(rows())
ONES = [row for row in ALL if row["n"] == 1]
SMALL = [row for row in ALL if row["n"] <= 12]
LARGE = split([row for row in ALL if row["n"] > 12], 10)
BACK = split([row for row in ALL if row["n"] > 1 and row["factor"] in EASY], 10)
BACK_SMALL = [row for row in ALL if row["n"] == 1 or row["factor"] not in EASY]
TWO_STEPS = list(two_steps())
ONE_BY_STEPS = [row for row in TWO_STEPS if row["n"] == 1]
LIMITS = {(large, small): 100 if factor in EASY else 13 for (large, small), (factor, _, _) in FACTORS.items()}
LIMITS |= {(large, small): 100 if row["factor"] in EASY + (10000, 100000, 1000000) else 11
           for (large, _, small), row in zip((item.split() for item in STEPS.split(",")), ONE_BY_STEPS, strict=True)}
"""The first amount of each pair of units that is not known."""

ASK = ["How many {small} are [in |]{from}?", "[Convert|Change|Turn] {from} [to|into] {small}.", "{from} in {small}[?|]",
       "How many {small} do {from} have?", "How many {small} make {from}?", "What {are} {from} in {small}?",
       "[Tell me|Say|Give me] {from} in {small}.", "{from} {are} how many {small}?", "How many {small} is {from}?",
       "[Express|Write] {from} in {small}.", "I have {from}. How many {small} is that?", "{signs} in {sign}[?|]",
       "How many {small} [are there in|does one have in|equal] {from}?", "{from} to {small}[?|]"]
HELD_OUT = ["Can you convert {from} to {small}?", "How much is {from} in {small}?", "What is {from} when given in {small}?",
            "How many {small} would {from} be?"]
AND = ["And {from}?", "[What|How] about {from}?", "And how many are {from}?"]
AND_BACK = ["And {to}?", "[What|How] about {to}?"]


ASK_ONE = ["How many {small} are [in|there in] {one}?", "How many {small} has {one}?",
           "How many {small} make {one}?", "{one} has how many {small}?", "How many {small} is {one}?",
           "What is {one} in {small}?", "How many {small} does {one} have?"]
ONE_HELD_OUT = ["Do you know how many {small} are in {one}?", "How many {small} would {one} have?",
                "Can you tell me how many {small} {one} has?"]
ASK_BACK = ["How many {large} are {to}?", "[Convert|Change|Turn] {to} [to|into] {large}.", "{to} in {large}[?|]",
            "How many {large} make {to}?", "What are {to} in {large}?", "[Tell me|Say] {to} in {large}.",
            "{to} are how many {large}?", "I have {to}. How many {large} is that?"]
BACK_HELD_OUT = ["Can you convert {to} to {large}?", "How much is {to} in {large}?"]


def by_steps(rng: random.Random) -> Row:
    """Those where zeros alone are added are many, so the others come first."""
    few = [row for row in TWO_STEPS if row["n"] <= 10]
    return rng.choice(few if rng.random() < 0.75 else TWO_STEPS)


def one_unit(rng: random.Random) -> Row:
    """One unit, in another that is too far from it. How many days are in a year is asked elsewhere."""
    large, small = rng.choice([pair for pair in TOO_FAR.split(",") if pair.split() != ["year", "day"]]).split()
    return conversion(1, large, small, 1)


def too_much(rng: random.Random) -> Row:
    """An amount past those that are known, most often just past, or one of units that are too far from each other."""
    if rng.random() < 0.25:
        large, small = rng.choice(TOO_FAR.split(",")).split()
        return conversion(rng.randint(2, 20), large, small, 1)
    (large, small), limit = rng.choice(list(LIMITS.items()))
    if rng.random() < 0.12:
        return conversion(f"{rng.randint(0, 12)}.{rng.randint(1, 9)}", large, small, 1)
    return conversion(rng.randint(limit, 2 * limit) if rng.random() < 0.7 else rng.randint(limit, 10 * limit), large, small, 1)


def uneven(rng: random.Random) -> Row:
    """An amount that is no whole number of the larger unit, or is past those that are known."""
    (large, small), (factor, _, _) = rng.choice(list(FACTORS.items()))
    most = 99 if factor in EASY else 12
    count = rng.randint(2, 12 * factor) if rng.random() < 0.6 else rng.randint(2, 40) * factor // rng.choice([2, 4, 5]) + rng.randint(0, 1)
    if rng.random() < 0.2:
        count = factor * rng.randint(most + 1, 2 * most)
    known = count % factor == 0 and count // factor <= most
    return uneven(rng) if known or count < 2 else {"to": amount(count, small), "large": many(large)}


def past(rows, seen: list[str], weight: float, follow_ups: list[str]) -> Topic:
    """What is asked like something that is known, and is past it."""
    return Topic(rows, seen, [], DECLINE, DECLINE, follow_ups=follow_ups, weight=weight)


def claim(rng: random.Random) -> Row:
    """An amount in another unit, or a wrong one: a zero too many or too few, or one unit more."""
    row = rng.choice(SMALL)
    count, factor = int(str(row["count"])), int(str(row["factor"]))
    wrong = [count * 10, count + factor, count // 10 if count % 10 == 0 else count + 2, count - factor if row["n"] != 1 else 2 * count]
    return row | claims.said(rng, count, wrong)


DOMAIN = Domain("units", 3.4, [
    Topic(ONES, ASK_ONE, ONE_HELD_OUT, "{from} is {to}.", "{count}.", weight=1.5),
    Topic(ONE_BY_STEPS, ASK_ONE, ONE_HELD_OUT, "{way}{from} is {to}.", "{short}.", weight=0.8),
    Topic(SMALL, ASK, HELD_OUT, "{from} {are} {to}.", "{count}.", follow_ups=AND, weight=2),
    Topic(LARGE[0], ASK, HELD_OUT, "{from} {are} {to}.", "{count}.", follow_ups=AND, held_out_rows=LARGE[1]),
    Topic(by_steps, ASK, HELD_OUT, "{way}{from} {are} {to}.", "{short}.", follow_ups=AND, weight=1.2),
    Topic(BACK[0], ASK_BACK, BACK_HELD_OUT, "{to} are {from}.", "{n}.", follow_ups=AND_BACK, held_out_rows=BACK[1]),
    Topic(BACK_SMALL, ASK_BACK, BACK_HELD_OUT, "{to} are {from}.", "{n}.", follow_ups=AND_BACK, weight=1.2),
    Topic([conversion(1, "year", "day", 365)], ASK, HELD_OUT, "{from} is {to}.", "{count}.", weight=0.1),
    past(too_much, ASK, 1.1, AND),
    past(one_unit, ASK_ONE, 0.25, []),
    past(uneven, ASK_BACK, 0.9, AND_BACK),
    Topic(claim, ["Is {from} {said} {small}?", "Are {from} {said} {small}?", "Is it true that {from} {are} {said} {small}?", "{from} {are} {said} {small}, right?",
                  "Are there {said} {small} in {from}?", "Does {from} have {said} {small}?", *claims.asked("{from} {are} {said} {small}")],
          ["Would you say that {from} {are} {said} {small}?"], "{from} {are} {to}, {judged}.", "{count}, {judged}.", weight=1),
])

for one in DOMAIN.topics:
    # What is known and what is past it follow each other in conversations.
    one.kin += [other for other in DOMAIN.topics if other.seen is one.seen and (other.answer == DECLINE) != (one.answer == DECLINE)]
