"""Days of the week, months and leap years.

A leap year is known by the rest of its last two digits divided by four; of a century's, by that of its first two. The answer says
the rest before the verdict. Days and months after or before others are counted one by one, and a week is taken away first where
there are more than seven days; what is further away is declined, and so are the weekdays of dates.
"""

import random

from demo.domains import claims
from demo.domains.out_of_reach import DECLINE
from demo.topic import Domain, Row, Topic, split

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
GERMAN_DAYS = "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split()
LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
COUNTS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()

DAY_ROWS = [
    {"day": day, "next": DAYS[(i + 1) % 7], "last": DAYS[i - 1], "i": i, "tag": GERMAN_DAYS[i],
     "folgetag": GERMAN_DAYS[(i + 1) % 7]} for i, day in enumerate(DAYS)]
MONTH_ROWS = [
    {"month": month, "next": MONTHS[(i + 1) % 12], "last": MONTHS[i - 1], "i": i, "number": i + 1, "nth": ORDINALS[i],
     "length": LENGTHS[i], "note": " or 29 in a leap year" if i == 1 else ""} for i, month in enumerate(MONTHS)]


def steps(names: list[str], kind: str, i: int, n: int, number: object, way: int) -> Row:
    """So many days or months after (way 1) or before (-1) another one, counted one by one."""
    name = names[i]
    count = ", ".join(names[(i + way * k) % len(names)] for k in range(1, n + 1))
    then = names[(i + way * n) % len(names)]
    return {kind: name, "n": number, "s": "" if n == 1 else "s", "then": then, "count": count, "short": count if n > 2 else then}


def long_steps(i: int, n: int, number: object, way: int) -> Row:
    """Eight to fourteen days: a week leads to the same day, and the others are counted."""
    row, word = steps(DAYS, "day", i, n - 7, number, way), "after" if way == 1 else "before"
    count = f"7 days {word} {row['day']} comes {row['day']}, {n} - 7 = {n - 7}, {row['count']}"
    return row | {"s": "s", "count": count, "short": count}


STEP_ROWS, BACK_ROWS = ([steps(DAYS, "day", i, n, number, way) for i in range(7) for n in range(1, 8) for number in (n, COUNTS[n])]
                        for way in (1, -1))
LONG_ROWS, LONG_BACK_ROWS = ([long_steps(i, n, number, way) for i in range(7) for n in range(8, 15) for number in (n, n, COUNTS[n])]
                             for way in (1, -1))
MONTHS_LATER, MONTHS_EARLIER = ([steps(MONTHS, "month", i, n, number, way) for i in range(12) for n in range(1, 7) for number in (n, COUNTS[n])]
                                for way in (1, -1))


def leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def year(number: int) -> Row:
    ends = number % 100
    rest, four = (ends or number // 100) % 4, f"{ends or number // 100:02} / 4"
    verdict = f"yes, {number} is a leap year" if leap(number) else f"no, {number} is not a leap year"
    return {"year": number, "is": leap(number), "work": f"{number} ends in {ends:02}, {four} leaves {rest}", "rest": f"{four} leaves {rest}",
            "verdict": verdict, **claims.verdict(leap(number))}


YEARS = split([year(number) for number in range(1900, 2101)], 8)
MORE_YEARS = [year(number) for number in range(1000, 3000) if not 1900 <= number <= 2100]
"""So many that the rule is easier to learn than they are."""
CENTURIES = [row for row in YEARS[0] + MORE_YEARS if row["year"] % 100 == 0]


def days_claim(rng: random.Random) -> Row:
    """A month with its number of days, or another number."""
    row = rng.choice([row for row in MONTH_ROWS if row["length"] != 28])
    return row | claims.said(rng, row["length"], [28, 30 if row["length"] == 31 else 31])


def after_claim(rng: random.Random) -> Row:
    """A day or month with the one after it, or another one, often the one before."""
    rows = rng.choice([DAY_ROWS, MONTH_ROWS])
    row = rng.choice(rows)
    names = [other["next"] for other in rows if other["next"] != row["next"]]
    return {"X": row.get("day") or row["month"], "next": row["next"], **claims.said(rng, row["next"], [row["last"], rng.choice(names)])}


def number_claim(rng: random.Random) -> Row:
    """A month with its number in the year, or another month."""
    row = rng.choice(MONTH_ROWS)
    return row | claims.said(rng, row["month"], [month for month in MONTHS if month != row["month"]])


def too_many(names: list[str], kind: str, known: int):
    """More days or months than those that are counted, most often just more."""
    words = [word for word in "seven eight nine ten eleven twelve fifteen sixteen eighteen twenty thirty fifty".split()
             if word not in COUNTS[:known + 1]]

    def row(rng: random.Random) -> Row:
        n = rng.randint(known + 1, 2 * known + 2) if rng.random() < 0.7 else rng.randint(known + 1, 200)
        return {kind: rng.choice(names), "s": "s", "n": rng.choice(words) if rng.random() < 0.3 else n}
    return row


def date(rng: random.Random) -> Row:
    """A day of a year, of which no weekday is known."""
    month = rng.randrange(12)
    return {"d": rng.randint(1, LENGTHS[month]), "month": MONTHS[month], "other": rng.choice(MONTHS), "day": rng.choice(DAYS), "n": rng.randint(2, 60),
            "year": rng.randint(1900, 2100), "number": rng.randint(13, 40)}


def next_in(rows: list[Row]):
    """The row after the one that the last answer named."""
    return lambda rng, row: rows[(row["i"] + 1) % len(rows)]


def leaps_and_others(rng: random.Random) -> Row:
    """As many leap years as other years."""
    wanted, chance = rng.random() < 0.5, rng.random()
    years = CENTURIES if chance < 0.15 else YEARS[0] if chance < 0.6 else MORE_YEARS
    return rng.choice([row for row in years if row["is"] == wanted])


AFTER = ["[What|Which] {kind} [comes|is] after {X}?", "[Which|What] {kind} follows {X}?", "What [comes|is] after {X}?",
         "[Tell me|Name|Say] the {kind} after {X}.", "[What is|What's] the [next {kind} after|{kind} after|{kind} following] {X}?",
         "The {kind} after {X}?", "After {X} comes [what|which {kind}]?", "{X} is followed by which {kind}?",
         "[What|Which] is the next {kind} after {X}?", "What comes next after {X}?"]
AFTER_HELD_OUT = ["Can you tell me which {kind} comes after {X}?", "Which {kind} do we get after {X}?",
                  "What is the {kind} that follows {X}?", "Name the {kind} that comes after {X}."]
BEFORE = ["[What|Which] {kind} [comes|is] before {X}?", "[Which|What] {kind} precedes {X}?", "What [comes|is] before {X}?",
          "[Tell me|Name|Say] the {kind} before {X}.", "[What is|What's] the {kind} [before|right before|just before] {X}?",
          "The {kind} before {X}?", "Before {X} comes [what|which {kind}]?"]
BEFORE_HELD_OUT = ["Can you tell me which {kind} comes before {X}?", "What is the {kind} that precedes {X}?"]


def about(phrasings: list[str], kind: str) -> list[str]:
    return [phrasing.replace("{kind}", kind).replace("{X}", "{" + kind + "}") for phrasing in phrasings]


LATER = ["Today is {day}. [What|Which] day [is it|comes|will it be] in {n} day{s}?", "[What|Which] day is {n} day{s} after {day}?",
         "{n} day{s} after {day} is [what|which] day?", "If today is {day}, [what|which] day is it in {n} day{s}?",
         "[What|Which] day comes {n} day{s} after {day}?", "It is {day}. Which day is {n} day{s} later?",
         "Go on {n} day{s} from {day}[.|. Which day is it?]", "Count {n} day{s} forward from {day}.", "From {day}, {n} day{s} on: [what|which] day?",
         "What is {day} plus {n} day{s}?"]
LATER_HELD_OUT = ["Tell me the day that is {n} day{s} after {day}.", "If it is {day} now, which day will it be {n} day{s} from now?"]
EARLIER = ["[What|Which] day is {n} day{s} before {day}?", "{n} day{s} before {day} is [what|which] day?", "[What|Which] day comes {n} day{s} before {day}?",
           "Today is {day}. [What|Which] day was it {n} day{s} ago?", "If today is {day}, [what|which] day was it {n} day{s} ago?",
           "It is {day}. Which day was {n} day{s} earlier?", "{n} day{s} before {day}?", "[Which|What] day was {n} day{s} before {day}?",
           "Go back {n} day{s} from {day}[.|. Which day is it?]", "Count {n} day{s} back from {day}.", "From {day}, {n} day{s} back: [what|which] day?",
           "What is {day} minus {n} day{s}?"]
EARLIER_HELD_OUT = ["Tell me the day that is {n} day{s} before {day}.", "If it is {day} now, which day was it {n} day{s} back?"]
MONTH_LATER = ["[What|Which] month is {n} month{s} after {month}?", "{n} month{s} after {month} is [what|which] month?", "[What|Which] month comes {n} month{s} after {month}?",
               "It is {month}. [What|Which] month [is it|comes] in {n} month{s}?", "If it is {month}, [what|which] month is it in {n} month{s}?", "{n} month{s} after {month}?"]
MONTH_EARLIER = ["[What|Which] month is {n} month{s} before {month}?", "{n} month{s} before {month} is [what|which] month?", "[What|Which] month comes {n} month{s} before {month}?",
                 "It is {month}. [What|Which] month was it {n} month{s} ago?", "If it is {month}, [what|which] month was it {n} month{s} ago?", "{n} month{s} before {month}?"]
DATES = ["[What|Which] day [was|is] {d} {month} {year}?", "[What|Which] day of the week [was|is] {month} {d}, {year}?", "[What|Which] weekday was {d} {month} {year}?",
         "On [what|which] day [was|is|does] {d} {month} {year}[| fall]?", "Was {d} {month} {year} a {day}?", "Is {month} {d} a {day}?", "What day is {d} {month}?",
         "What day of the week is {month} {d}?", "How many days are between {d} {month} and {d} {other}?", "How many days is it from {d} {month} to the end of the year?",
         "What date is {n} days after {d} {month}?", "{d} {month} {year}?", "[What|Which] date is it today?", "[What|Which] day is it today?", "What day is Christmas in {year}?",
         "When is Easter in {year}?", "[What|Which] is month number {number}?", "[What|Which] is month {number}?", "How many {day}s are in {month} {year}?",
         "How many weeks are in {month}?", "In [what|which] season is {month}?", "Which day of the year is {d} {month}?", "Which day is the first of {month} {year}?"]


DOMAIN = Domain("calendar", 3.4, [
    Topic(MONTH_ROWS, ["How many days [has|are in|are there in] {month}?", "How long is {month}?",
                       "[Number of days|Days] in {month}?", "{month} has how many days?", "[Tell me|Say] how many days {month} has.",
                       "How many days does {month} have?", "How many days are in the month of {month}?",
                       "[What is|What's] the number of days in {month}?", "[What|Which] length has {month}?",
                       "How many days [long |]is {month}?", "Count the days of {month}.",
                       "What does {month} have, how many days?", "{month}: how many days?", "With how many days does {month} come?"],
          ["Do you know how many days {month} has?", "Of how many days does {month} consist?", "Can you tell me the length of {month}?",
           "In days, how long is {month}?"],
          "{month} has {length} days{note}.", "{length}.", follow_ups=["And {month}?", "[What|How] about {month}?"],
          same=["How many days does it have?", "How long is it?"], weight=1.5),
    Topic(DAY_ROWS, about(AFTER, "day") + ["Today is {day}. What [day is|is] tomorrow?", "If today is {day}, what is tomorrow?",
                                           "It is {day}. Which day is tomorrow?"],
          about(AFTER_HELD_OUT, "day") + ["If it is {day} today, which day will tomorrow be?"],
          "After {day} comes {next}.", "{next}.", "Nach {tag} kommt {folgetag}.", follow_ups=["And after {day}?"],
          then=next_in(DAY_ROWS), then_asks=["And the day after that?", "And then?", "And after that?", "What comes next?"]),
    Topic(DAY_ROWS, about(BEFORE, "day") + ["Today is {day}. What [day was|was] yesterday?", "If today is {day}, what was yesterday?"],
          about(BEFORE_HELD_OUT, "day"), "Before {day} comes {last}.", "{last}.", follow_ups=["And before {day}?"], weight=0.8),
    Topic(MONTH_ROWS, about(AFTER, "month"), about(AFTER_HELD_OUT, "month"), "After {month} comes {next}.", "{next}.",
          follow_ups=["And after {month}?"], then=next_in(MONTH_ROWS),
          then_asks=["And the month after that?", "And then?", "And after that?", "What comes next?"]),
    Topic(MONTH_ROWS, about(BEFORE, "month"), about(BEFORE_HELD_OUT, "month"), "Before {month} comes {last}.", "{last}.",
          follow_ups=["And before {month}?"], weight=0.8),
    Topic(MONTH_ROWS, ["[What|Which] is the {nth} month[| of the year]?", "[Which|What] month is the {nth}?", "[Name|Tell me|Say] the {nth} month.",
                       "The {nth} month[| of the year]?", "[What|Which] month comes {nth}?", "[What|Which] is month number {number}?",
                       "[What|Which] is month {number}?"],
          ["What do you call the {nth} month of the year?", "Can you name the {nth} month?"],
          "The {nth} month is {month}.", "{month}.", follow_ups=["And the {nth}?"], weight=0.8),
    Topic(STEP_ROWS, LATER, LATER_HELD_OUT, "{count}: {n} day{s} after {day} comes {then}.", "{short}.", weight=1.6),
    Topic(BACK_ROWS, EARLIER, EARLIER_HELD_OUT, "{count}: {n} day{s} before {day} comes {then}.", "{short}.", weight=1.4),
    Topic(LONG_ROWS, LATER, LATER_HELD_OUT, "{count}: {n} day{s} after {day} comes {then}.", "{short}.", weight=1),
    Topic(LONG_BACK_ROWS, EARLIER, EARLIER_HELD_OUT, "{count}: {n} day{s} before {day} comes {then}.", "{short}.", weight=0.7),
    Topic(MONTHS_LATER, MONTH_LATER, ["Tell me the month that is {n} month{s} after {month}."],
          "{count}: {n} month{s} after {month} comes {then}.", "{short}.", weight=0.9),
    Topic(MONTHS_EARLIER, MONTH_EARLIER, ["Tell me the month that is {n} month{s} before {month}."],
          "{count}: {n} month{s} before {month} comes {then}.", "{short}.", weight=0.9),
    Topic(too_many(DAYS, "day", 14), LATER + EARLIER, [], DECLINE, DECLINE, weight=0.7),
    Topic(too_many(MONTHS, "month", 6), MONTH_LATER + MONTH_EARLIER, [], DECLINE, DECLINE, weight=0.5),
    Topic(date, DATES, [], DECLINE, DECLINE, weight=0.7),
    Topic(leaps_and_others, ["Is {year} a leap year?", "Was {year} a leap year?", "{year}: leap year or not?", "Will {year} be a leap year?",
                             "Tell me if {year} is a leap year.", "Is the year {year} a leap year?", "Do we call {year} a leap year?", "{year} leap year[?|]",
                             "Leap year {year}[?|]", "{year} is a leap year, right?", "Is {year} one of the leap years?", "Has {year} 366 days?", "Does {year} have a February 29?",
                             *claims.asked("{year} is a leap year", ("Is it [true",))],
          ["Can you say whether {year} is a leap year?", "Is it true that {year} is a leap year?"],
          "{work}: {verdict}.", "{rest}: {so}.", follow_ups=["And {year}?", "[What|How] about {year}?"],
          held_out_rows=YEARS[1], weight=2.6),
    Topic(days_claim, ["Has {month} {said} days?", "Does {month} have {said} days?", "Is it true that {month} has {said} days?", "{month} has {said} days, right?",
                       "Are there {said} days in {month}?", *claims.asked("{month} has {said} days")],
          ["Would you say that {month} has {said} days?"], "{month} has {length} days, {judged}.", "{length}, {judged}.", weight=0.5),
    Topic(after_claim, ["Does {said} come after {X}?", "Is {said} right after {X}?", "Is it true that {said} comes after {X}?",
                        "After {X} comes {said}, right?", "Does {said} follow {X}?", *claims.asked("{said} comes after {X}")],
          ["Would you say that {said} comes after {X}?"], "After {X} comes {next}, {judged}.", "{next}, {judged}.", weight=0.6),
    Topic(number_claim, ["Is {said} the {nth} month?", "Is the {nth} month {said}?", "Is it true that {said} is the {nth} month?", "{said} is month number {number}, right?",
                         *claims.asked("{said} is the {nth} month")],
          ["Would you say that {said} is the {nth} month?"], "The {nth} month is {month}, {judged}.", "{month}, {judged}.", weight=0.4),
    Topic([{}], ["How many days are in a year?", "How many days has a year?", "How many days does a year have?", "How long is a year?"],
          ["A year has how many days?"], "A year has 365 days or 366 in a leap year.", "365.", weight=0.15),
    Topic([{}], ["How many days has a leap year?", "How many days are in a leap year?", "How long is a leap year?"],
          ["A leap year has how many days?"], "A leap year has 366 days.", "366.", weight=0.15),
    Topic([{}], ["How many weeks are in a year?", "How many weeks has a year?", "How many weeks does a year have?"], ["A year has how many weeks?"],
          "A year has 52 weeks.", "52.", weight=0.15),
    Topic([{}], ["What is a leap year?", "Explain leap years.", "What does leap year mean?", "Tell me what a leap year is."],
          ["Can you explain what a leap year is?"], "A leap year has one day more: February has 29 days.", weight=0.2),
    Topic([{}], ["[What|Which] is the first month of the year?", "Which month begins the year?"], ["Which month does the year start with?"],
          "The first month is January.", "January.", weight=0.1),
    Topic([{}], ["[What|Which] is the last month of the year?", "Which month ends the year?"], ["Which month does the year end with?"],
          "The last month is December.", "December.", weight=0.1),
    Topic([{}], ["[Name|List|Tell me|Say] the days of the week.", "What are the days of the week?", "Which days has a week?"],
          ["Can you list the days of the week?"], ", ".join(DAYS[:-1]) + " and Sunday.", weight=0.2),
    Topic([{}], ["[Name|List|Tell me|Say] the months of the year.", "What are the months of the year?", "Which months has a year?", "[Name|List] all months."],
          ["Can you list the months of the year?"], ", ".join(MONTHS[:-1]) + " and December.", weight=0.2),
])
