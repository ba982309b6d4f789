"""Small Python programs: what they print, and how to write them.

Where an answer needs more than a look, it says the steps: the values of the names, the sum of the ones, which number is less.
The words are any words, so that they are copied and not known by heart.
"""

import random
from collections.abc import Iterable

from demo.domains import arithmetic, claims, german, opposites, plurals
from demo.domains.nouns import MORE_NOUNS, THINGS, made_up
from demo.domains.out_of_reach import DECLINE, DECLINE_GERMAN
from demo.domains.people import NAMES
from demo.topic import Domain, Row, Topic

WORDS = "cat dog sun moon tree hello apple house river stone green water bread table music happy".split()
NEVER = THINGS[7::15]
"""Words for evaluation only."""
OTHERS = [word for word in dict.fromkeys(THINGS + MORE_NOUNS) if word not in NEVER]
EVERYDAY = [word for word in dict.fromkeys([*(str(row["en"]).removeprefix("to ") for row in german.WORDS), *opposites.WORDS, *(str(row["one"]) for row in plurals.ROWS)])
            if word.isalpha() and word not in NEVER]
LETTERS = "x y a b n k".split()
PRINT = ["What does `{code}` print?", "What is the output of `{code}`?", "What does {code} print?", "What is the output of {code}?",
         "[Run|Execute|Evaluate] `{code}`[.|]", "[Run|Execute] {code}", "In Python, what does {code} [print|give|show]?", "Output of {code}?",
         "What [will|would] {code} print?", "{code}", "What happens when I run {code}?", "What comes out of {code}?",
         "What does this Python [code|program] print: {code}", "What is printed by {code}?"]
PRINT_HELD_OUT = ["Tell me what {code} prints.", "What do I see when I run {code}?", "Which output has `{code}`?"]


def typed(rng: random.Random, code: str) -> str:
    """The code with or without blanks around its operators."""
    if rng.random() < 0.25:
        for sign in ["+", "-", "*", "<", ">", "<=", ">=", "==", "!="]:
            code = code.replace(f" {sign} ", sign)
    return code


def any_word(rng: random.Random) -> str:
    """A word to copy: a few common ones, many others, and such as do not exist."""
    word = rng.choice(rng.choices([WORDS, EVERYDAY, OTHERS, NAMES, [made_up(rng)]], [1, 5, 4, 2, 4])[0])
    return any_word(rng) if word in NEVER else word


def short_word(rng: random.Random) -> str:
    """One to spell or to say several times."""
    while len(word := any_word(rng).lower()) > 7:
        pass
    return word


def row(code: str, out: object, work: str = "") -> Row:
    """A program, what it prints, and the steps to it, such as "7 + 8 = 15, 47 + 38 = 85"."""
    short = f"{work}, so {out}" if work else out
    return {"code": code, "out": out, "work": f"{work}, so it" if work else "It", "short": short}


def number(rng: random.Random) -> int:
    """One of one digit or two."""
    return rng.randrange(10 if rng.random() < 0.4 else 100)


def added(rng: random.Random, plus: float = 0.6) -> tuple[Row, str]:
    """A sum or difference that may be trained with, and its sign."""
    rows, sign = (arithmetic.SUMS, "+") if rng.random() < plus else (arithmetic.DIFFERENCES[0], "-")
    if rng.random() < 0.4:
        return rng.choice([found for found in rng.choices(rows, k=60) if found["a"] < 20 and found["b"] < 10] or rows), sign
    return rng.choice(rows), sign


def steps(sum_row: Row, sign: str, always: bool = False) -> str:
    """The working of a sum or difference; of one with single digits only where it always stands."""
    if not sum_row["work"] and not always:
        return ""
    return f"{sum_row['work']}{sum_row['a']} {sign} {sum_row['b']} = {sum_row['c']}"


def compared(a: int, sign: str, b: int) -> tuple[bool, str]:
    """Whether a comparison holds, and why."""
    if sign in ("==", "!="):
        return (a == b) == (sign == "=="), f"{a} and {b} " + ("are the same" if a == b else "differ")
    holds = a < b and "<" in sign or a > b and ">" in sign or a == b and "=" in sign
    return holds, f"{a} and {b} are the same" if a == b else f"{a} is {'less' if a < b else 'more'} than {b}"


def two_to_compare(rng: random.Random) -> tuple[int, str, int]:
    """Two numbers, at times near each other or the same, and a sign between them."""
    a, chance = number(rng), rng.random()
    sign = rng.choices(["<", ">", "==", "!=", "<=", ">="], [5, 5, 4, 3, 3, 3])[0]
    same = 0.45 if "==" in sign or "!=" in sign else 0.2 if "=" in sign else 0.06
    b = a if chance < same else min(99, max(0, a + rng.randint(-9, 9))) if chance < 0.5 else number(rng)
    return a, sign, b


def comparison(rng: random.Random) -> Row:
    """A comparison of numbers, or of words for being the same."""
    if rng.random() < 0.15:
        word = any_word(rng)
        other = word if rng.random() < 0.5 else any_word(rng)
        return row(f'print("{word}" == "{other}")', word == other, f"{word} and {other} " + ("are the same" if word == other else "differ"))
    a, sign, b = two_to_compare(rng)
    holds, why = compared(a, sign, b)
    if rng.random() < 0.15:
        word, other = short_word(rng), short_word(rng)
        return row(f'print("{word}" if {a} {sign} {b} else "{other}")', word if holds else other, why)
    return row(typed(rng, f"print({a} {sign} {b})"), holds, why)


def calculation(rng: random.Random) -> Row:
    """Two numbers with a sign between them, or a function of both."""
    found, sign = added(rng)
    a, b = rng.randrange(11), rng.randrange(11)
    total, both = added(rng, plus=1)[0], rng.sample(range(100), 2)
    return rng.choices([
        row(typed(rng, f"print({found['a']} {sign} {found['b']})"), found["c"], steps(found, sign)),
        row(typed(rng, f"print({a} * {b})"), a * b),
        row(f"print(sum([{total['a']}, {total['b']}]))", total["c"], steps(total, "+")),
        row(f"print({(name := rng.choice(['max', 'min']))}({both[0]}, {both[1]}))", max(both) if name == "max" else min(both))], [6, 2, 1, 2])[0]


def counted(items: Iterable[str]) -> str:
    """Letters or words with their numbers: "h 1, e 2"."""
    return ", ".join(f"{item} {i}" for i, item in enumerate(items, 1))


def text(rng: random.Random) -> Row:
    """A word that is printed, joined, repeated, counted or put in capitals."""
    word, other, short, n = any_word(rng), any_word(rng), short_word(rng), rng.randint(1, 4)
    said = short if len(short) < 6 else short[:4]
    quote = "'" if rng.random() < 0.12 else '"'
    return rng.choices([
        row(f"print({quote}{word}{quote})", word), row(f'print("{word} {other}")', f"{word} {other}"),
        row(f'print("{word}" + "{other}")', word + other), row(f'print("{said}" * {n})', said * n, counted([said] * n)),
        row(f'print("{word}", "{other}")', f"{word} {other}"), row(f'print("Hello, {word}!")', f"Hello, {word}!"),
        row(f'print(len("{short}"))', len(short), counted(short)), row(f'print("{short}".upper())', short.upper()),
        row(f'print("{short.upper()}".lower())', short)], [3, 1, 2, 2.5, 1, 1, 4.5, 2.5, 0.6])[0]


def item(rng: random.Random) -> Row:
    """A list of numbers or words, one of its items or how many they are; those before the item are counted from 0 on."""
    items = [number(rng) for _ in range(rng.randint(2, 5))]
    if rng.random() < 0.35:
        items = [short_word(rng) for _ in range(rng.randint(2, 4))]
    listed = "[" + ", ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in items) + "]"
    i = rng.randrange(1, len(items))
    counted = ", ".join(f"{k}: {one}" for k, one in enumerate(items[:i + 1]))
    return rng.choices([row(f"print(len({listed}))", len(items)), row(f"print({listed}[0])", items[0]), row(f"print({listed}[-1])", items[-1]),
                        row(f"print({listed}[{i}])", items[i], counted)], [1.5, 1.5, 1.5, 3])[0]


def expression(rng: random.Random) -> Row:
    """A call of print with numbers, text or a list."""
    return rng.choices([calculation, comparison, text, item], [3, 2.5, 4.5, 2])[0](rng)


def assigned(rng: random.Random) -> Row:
    """Names for numbers, and what is made of them."""
    x, y = rng.sample(LETTERS, 2)
    found, sign = added(rng, 0.7)
    a, b = found["a"], found["b"]
    one, result = f"{x} is {a}, ", steps(found, sign, always=True)
    c, d = rng.randrange(11), rng.randrange(2, 11)
    e, symbol, f = two_to_compare(rng)
    holds, why = compared(e, symbol, f)
    code, out, work = rng.choice([
        (f"{x} = {a}; print({x})", a, f"{x} is {a}"), (f"{x} = {a}; {y} = {b}; print({y})", b, f"{one}{y} is {b}"),
        (f"{x} = {a}; {y} = {b}; print({x})", a, f"{one}{y} is {b}"),
        *2 * [(f"{x} = {a}; {y} = {b}; print({x} {sign} {y})", found["c"], f"{one}{y} is {b}, {result}")],
        (f"{x} = {a}; {x} = {x} {sign} {b}; print({x})", found["c"], one + result), (f"{x} = {a}; {x} {sign}= {b}; print({x})", found["c"], one + result),
        *2 * [(f"{x} = {a}; print({x} {sign} {b})", found["c"], one + result)],
        (f"{x} = {c}; print({x} * {d})", c * d, f"{x} is {c}, {c} x {d} = {c * d}"),
        (f"{x} = {c}; {y} = {d}; print({x} * {y})", c * d, f"{x} is {c}, {y} is {d}, {c} x {d} = {c * d}"),
        (f"{x} = {e}; print({x} {symbol} {f})", holds, f"{x} is {e}, {why}"),
    ])
    return row(typed(rng, code), out, work)


def loop(rng: random.Random) -> Row:
    """A loop over numbers or words on one line."""
    x, start, n, word = rng.choice(["i", *LETTERS]), rng.randint(0, 3), rng.randint(1, 9), short_word(rng)
    words = [short_word(rng) for _ in range(rng.randint(2, 3))]
    listed = ", ".join(f'"{one}"' for one in words)
    code, out = rng.choice([
        (f"for {x} in range({n}): print({x})", range(n)), (f"for {x} in range({start}, {start + n}): print({x})", range(start, start + n)),
        (f'for {x} in range({min(n, 5)}): print("{word}")', [word] * min(n, 5)), (f"for {x} in [{listed}]: print({x})", words),
    ])
    return row(code, ", ".join(map(str, out)))


def named(rng: random.Random) -> Row:
    """A name for a word."""
    name, it, other = rng.choice("name word text it s".split()), any_word(rng), any_word(rng)
    code, out = rng.choice([(f'{name} = "{it}"; print({name})', it), (f'{name} = "{it}"; print("Hello, " + {name})', f"Hello, {it}"),
                            (f'{name} = "{it}"; print({name} + "{other}")', it + other)])
    return row(code, out, f"{name} is {it}")


def lines(rng: random.Random) -> Row:
    """Two or three statements on one line."""
    return rng.choices([assigned, loop, named], [6, 2, 1.5])[0](rng)


def task(rng: random.Random) -> Row:
    """Something to write, with the program that does it."""
    both, n, m, word, other, name = rng.choice(arithmetic.SUMS), rng.randint(2, 99), rng.randint(2, 99), any_word(rng), any_word(rng), rng.choice([*NAMES, made_up(rng).capitalize()])
    what, code = rng.choice([
        *4 * [(f"prints {word}", f'print("{word}")')], (f"prints the word {word}", f'print("{word}")'), (f"prints {word} {other}", f'print("{word} {other}")'),
        (f"prints the number {n}", f"print({n})"), (f"says hello to {name}", f'print("Hello, {name}!")'), (f"greets {name}", f'print("Hello, {name}!")'),
        *2 * [(f"prints {word} {n} times", f'for i in range({n}):\n    print("{word}")')],
        (f"counts to {n}", f"for i in range(1, {n + 1}):\n    print(i)"), (f"counts from 1 to {n}", f"for i in range(1, {n + 1}):\n    print(i)"),
        (f"counts down from {n}", f"for i in range({n}, 0, -1):\n    print(i)"), (f"adds {both['a']} and {both['b']}", f"print({both['a']} + {both['b']})"),
        (f"subtracts {n} from {m}", f"print({m} - {n})"), (f"divides {n} by {m}", f"print({n} / {m})"),
        (f"multiplies {n} by {m}", f"print({n} * {m})"), (f"prints the even numbers to {n}", f"for i in range(2, {n + 1}, 2):\n    print(i)"),
        (f"prints the length of {word}", f'print(len("{word}"))'), (f"prints {word} in capital letters", f'print("{word}".upper())'),
        ("asks for a name and says hello", 'name = input("Name: ")\nprint("Hello, " + name)'),
        ("adds all numbers of a list", "def add_all(numbers):\n    return sum(numbers)"),
        ("finds the largest number of a list", "def largest(numbers):\n    return max(numbers)"),
        ("finds the smallest number of a list", "def smallest(numbers):\n    return min(numbers)"),
        ("says if a number is even", "def is_even(n):\n    return n % 2 == 0"), ("doubles a number", "def double(n):\n    return 2 * n"),
    ])
    return {"what": what, "code": code}


def claim(rng: random.Random) -> Row:
    """A program with what it prints, or something else."""
    found, other = (lines if rng.random() < 0.25 else expression)(rng), expression(rng)
    while type(other["out"]) is not type(found["out"]) or other["out"] == found["out"]:
        other = expression(rng)
    wrong = [other["out"]]
    if isinstance(found["out"], bool):
        wrong = [not found["out"]]
    elif isinstance(found["out"], int):
        wrong = [found["out"] + 1, found["out"] + 10, abs(found["out"] - 1) if found["out"] else 1]
    return found | claims.said(rng, found["out"], wrong)


def unknown_code(rng: random.Random) -> Row:
    """A program that looks like one of those above and is of a kind that is not taught, or with larger numbers."""
    a, b, far, word, x = number(rng), rng.randint(2, 12), rng.randint(100, 2000), any_word(rng), rng.choice(LETTERS)
    name = rng.choice(["f", "g", "run", "double", "count", "fact", made_up(rng)])
    near, c = rng.choice([(a, far), (far, a)]), rng.randint(11, 40)
    module = rng.choice("math random os sys time json re datetime numpy".split())
    return {"code": typed(rng, rng.choice([
        f"import {module}; print({module}.{rng.choice('sqrt floor name path now choice pi argv'.split())}({a}))", f"import {module}",
        f"def {name}({x}): return {x} {rng.choice('+-*')} {b}", f"print({name}({a}))", f"while {x} < {a}: print({x})", f"while True: print({a})",
        f'd = {{"{word}": {a}}}; print(d["{word}"])', f'print({{"{word}": {a}}})', f"print({a} % {b})", f"print({a} // {b})", f"print({a} ** {b})",
        f"print({a} / {b})", f"print(sorted([{a}, {b}, {a + 1}]))", f'print("{word}"[{rng.randrange(3)}])', f'print("{word}".replace("a", "b"))',
        f'print(list("{word}"))', f'print(f"{{{x}}} {word}")', f"print([{x} for {x} in range({b})])", f"print(type({a}))", f"print(int({a}))",
        f"print(abs(-{a}))", f"print(round({a}.{b}))", f"print({a}.{b} + {b})", f'print("{word}".split())', f"print({near[0]} + {near[1]})",
        f"print({far} - {a})", f"print({c} * {rng.randint(11, 40)})", f"print({far} * {b})", f"lambda {x}: {x} + {b}", f"class {word.capitalize()}: pass",
        f'open("{word}.txt")', f"print(input())", f"if {a} > {b}: print({a})", f"try: print({a})", f"print(not {a} > {b})", f"assert {a} > {b}",
        f"print({a} and {b})", f"print(bin({a}))", f"print(set([{a}, {b}]))", f'print("{word}"[::-1])', f'print("{word}".count("a"))', f"return {a}",
    ]))}


def unknown_task(rng: random.Random) -> Row:
    """Something to write that is not taught."""
    it, n = any_word(rng), rng.randint(2, 99)
    return {"what": rng.choice([
        f"draws a {it}", f"reads the file {it}", f"downloads {it}", "solves a sudoku", "plays chess", f"searches for {it}", f"opens {it}.txt", f"sends a mail to {it}",
        "sorts a list with quicksort", f"finds the prime numbers to {n}", f"computes the factorial of {n}", f"guesses a number up to {n}", "plays a game", "shows the weather",
        "makes a website", f"counts the words in {it}", f"translates {it}", "calls itself", "uses a dictionary", f"finds {it} in a dictionary", "connects to a server",
        f"prints the square root of {n}", f"computes {n} fibonacci numbers", f"stores {it} in a database", f"waits {n} seconds", "trains a neural network", "tells the time",
        f"makes a picture of a {it}", f"encrypts {it}", "rolls two dice", "imports a module", f"deletes {it}", "copies a file", "writes itself",
    ])}


ASK_FOR = ["Write a [Python |small |]program that {what}.", "Write [Python |]code that {what}.", "Give me [a program|code|Python code] that {what}.",
           "Show me [a Python program|code|a program] that {what}.", "I need a [Python |]program that {what}.",
           "[Can|Could] you write a program that {what}?", "How do I write a program that {what}?", "A Python program that {what}, please.",
           "Python program that {what}", "Which program {what}?"]
UNSEEN = [row(f'print("{word}")', word) for word in NEVER] + [row(f'print(len("{word}"))', len(word), counted(word)) for word in NEVER[::2]]
UNSEEN += [row(f"print({found['a']} + {found['b']})", found["c"], steps(found, "+")) for found in arithmetic.NEVER[::8]]

DOMAIN = Domain("programs", 8, [
    Topic(expression, PRINT, PRINT_HELD_OUT, "{work} prints {out}.", "{short}.", follow_ups=["And {code}?", "[What|How] about {code}?"],
          held_out_rows=UNSEEN, weight=2.4, exact=True),
    Topic(claim, ["Does {code} print {said}?", "Is the output of {code} {said}?", "Is it true that {code} prints {said}?", "{code} prints {said}, right?",
                  *claims.asked("{code} prints {said}")],
          ["Would you say that {code} prints {said}?"], "{work} prints {out}, {judged}.", "{short}, {judged}.", weight=0.6, exact=True),
    Topic(lines, PRINT, PRINT_HELD_OUT, "{work} prints {out}.", "{short}.", follow_ups=["And {code}?"], weight=1.5, exact=True),
    Topic(task, ASK_FOR, ["Could you show me Python code that {what}?", "Please code a program that {what}."], "{code}",
          held_out_rows=[{"what": f"prints {word}", "code": f'print("{word}")'} for word in NEVER], weight=1.3, exact=True),
    Topic(unknown_code, PRINT, [], DECLINE, DECLINE, DECLINE_GERMAN, ["And {code}?"], weight=0.8, exact=True),
    Topic(unknown_task, ASK_FOR, [], DECLINE, DECLINE, DECLINE_GERMAN, weight=0.4, exact=True),
])
for known, other in ((0, 4), (4, 0)):
    DOMAIN.topics[known].kin.append(DOMAIN.topics[other])
