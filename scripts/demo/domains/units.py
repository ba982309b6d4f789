"""Measures of length, weight, volume and time in other units."""

import random

from demo.domains import claims
from demo.topic import Domain, Row, Topic, split

UNITS = """kilometre metre 1000 km m, metre centimetre 100 m cm, centimetre millimetre 10 cm mm, kilogram gram 1000 kg g,
    ton kilogram 1000 t kg, litre millilitre 1000 l ml, hour minute 60 h min, minute second 60 min s, day hour 24 - -,
    week day 7 - -, year month 12 - -, decade year 10 - -, century year 100 - -, yard foot 3 yd ft, foot inch 12 ft in,
    pound ounce 16 lb oz, dozen egg 12 - -, kilobyte byte 1000 kB -, megabyte kilobyte 1000 MB kB,
    gigabyte megabyte 1000 GB MB"""
IRREGULAR = {"foot": "feet", "inch": "inches", "century": "centuries", "dozen": "dozen"}


def many(unit):
    return IRREGULAR.get(unit, unit + "s")


def amount(n, unit):
    return f"{n} {unit if n == 1 else many(unit)}"


def rows():
    """Amounts to 12, and to 99 where only zeros are added."""
    for large, small, factor, large_sign, small_sign in (item.split() for item in UNITS.split(",")):
        factor = int(factor)
        for n in range(1, 100 if factor in (10, 100, 1000) else 13):
            yield {
                "n": n, "from": amount(n, large), "are": "is" if n == 1 else "are", "to": amount(n * factor, small),
                "small": many(small), "large": many(large), "count": n * factor,
                "one": ("an " if large == "hour" else "a ") + large,
                "signs": f"{n} {large_sign}" if small_sign != "-" else amount(n, large),
                "sign": small_sign if small_sign != "-" else many(small),
                "factor": factor,
            }


ALL = list(rows())
ONES = [row for row in ALL if row["n"] == 1]
SMALL = [row for row in ALL if row["n"] <= 12]
LARGE = split([row for row in ALL if row["n"] > 12], 10)
BACK = split([row for row in ALL if row["n"] > 1 and row["factor"] in (10, 100, 1000)], 10)

ASK = ["How many {small} are [in |]{from}?", "[Convert|Change|Turn] {from} [to|into] {small}.", "{from} in {small}[?|]",
       "How many {small} do {from} have?", "How many {small} make {from}?", "What {are} {from} in {small}?",
       "[Tell me|Say|Give me] {from} in {small}.", "{from} {are} how many {small}?", "How many {small} is {from}?",
       "[Express|Write] {from} in {small}.", "I have {from}. How many {small} is that?", "{signs} in {sign}[?|]",
       "How many {small} [are there in|does one have in|equal] {from}?", "{from} to {small}[?|]"]
HELD_OUT = ["Can you convert {from} to {small}?", "How much is {from} in {small}?", "What is {from} when given in {small}?",
            "How many {small} would {from} be?"]
AND = ["And {from}?", "[What|How] about {from}?", "And how many are {from}?"]


def claim(rng: random.Random) -> Row:
    """An amount in another unit, or a wrong one: a zero too many or too few, or one unit more."""
    row = rng.choice(SMALL)
    count, factor = int(str(row["count"])), int(str(row["factor"]))
    wrong = [count * 10, count + factor, count // 10 if count % 10 == 0 else count + 2, count - factor if row["n"] != 1 else 2 * count]
    return row | claims.said(rng, count, wrong)


DOMAIN = Domain("units", 1.4, [
    Topic(ONES, ["How many {small} are [in|there in] {one}?", "How many {small} has {one}?",
                 "How many {small} make {one}?", "{one} has how many {small}?", "How many {small} is {one}?",
                 "What is {one} in {small}?", "How many {small} does {one} have?"],
          ["Do you know how many {small} are in {one}?", "How many {small} would {one} have?",
           "Can you tell me how many {small} {one} has?"],
          "{from} is {to}.", "{count}.", weight=1.5),
    Topic(SMALL, ASK, HELD_OUT, "{from} {are} {to}.", "{count}.", follow_ups=AND, weight=2),
    Topic(LARGE[0], ASK, HELD_OUT, "{from} {are} {to}.", "{count}.", follow_ups=AND, held_out_rows=LARGE[1]),
    Topic(BACK[0], ["How many {large} are {to}?", "[Convert|Change|Turn] {to} [to|into] {large}.", "{to} in {large}[?|]",
                    "How many {large} make {to}?", "What are {to} in {large}?", "[Tell me|Say] {to} in {large}.",
                    "{to} are how many {large}?", "I have {to}. How many {large} is that?"],
          ["Can you convert {to} to {large}?", "How much is {to} in {large}?"],
          "{to} are {from}.", "{n}.", held_out_rows=BACK[1]),
    Topic(claim, ["Is {from} {said} {small}?", "Are {from} {said} {small}?", "Is it true that {from} {are} {said} {small}?", "{from} {are} {said} {small}, right?",
                  "Are there {said} {small} in {from}?", "Does {from} have {said} {small}?"],
          ["Would you say that {from} {are} {said} {small}?"], "{from} {are} {to}, {judged}.", "{count}, {judged}.", weight=0.8),
])
