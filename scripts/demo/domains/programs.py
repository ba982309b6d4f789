"""Small Python programs: what they print, and how to write them."""

import random

from demo.domains import claims
from demo.topic import Domain, Row, Topic

WORDS = "cat dog sun moon tree hello apple house river stone green water bread table music happy".split()
PRINT = ["What does `{code}` print?", "What is the output of `{code}`?", "What does {code} print?", "What is the output of {code}?",
         "[Run|Execute|Evaluate] `{code}`[.|]", "[Run|Execute] {code}", "In Python, what does {code} [print|give|show]?", "Output of {code}?",
         "What [will|would] {code} print?", "{code}", "What happens when I run {code}?", "What comes out of {code}?",
         "What does this Python [code|program] print: {code}", "What is printed by {code}?"]
PRINT_HELD_OUT = ["Tell me what {code} prints.", "What do I see when I run {code}?", "Which output has `{code}`?"]


def typed(rng: random.Random, code: str) -> str:
    """The code with or without blanks around its operators."""
    if rng.random() < 0.25:
        for sign in "+-*<>":
            code = code.replace(f" {sign} ", sign)
    return code


def expression(rng: random.Random) -> Row:
    """A call of print with numbers, text or a list."""
    a, b, n = rng.randint(0, 12), rng.randint(0, 12), rng.randint(1, 5)
    word, other = rng.choice(WORDS), rng.choice(WORDS)
    items = [rng.randint(0, 20) for _ in range(rng.randint(2, 4))]
    code, out = rng.choice([
        (f"print({a} + {b})", a + b), (f"print({max(a, b)} - {min(a, b)})", max(a, b) - min(a, b)),
        (f"print({a % 11} * {b % 11})", (a % 11) * (b % 11)), (f"print({a} > {b})", a > b), (f"print({a} < {b})", a < b),
        (f"print({a} == {b if rng.random() < 0.5 else a})", None), (f'print("{word}")', word),
        (f'print("{word}" + "{other}")', word + other), (f'print("{word[:3]}" * {n})', word[:3] * n),
        (f'print(len("{word}"))', len(word)), (f'print("{word}".upper())', word.upper()), (f"print(max({a}, {b}))", max(a, b)),
        (f"print(min({a}, {b}))", min(a, b)), (f"print(len({items}))", len(items)), (f"print({items}[0])", items[0]),
        (f"print({items}[-1])", items[-1]), (f"print({items}[1])", items[1]), (f"print(sum({items[:2]}))", sum(items[:2])),
    ])
    if out is None:
        left, right = code[6:-1].split(" == ")
        out = left == right
    return {"code": typed(rng, code), "out": out}


def lines(rng: random.Random) -> Row:
    """Two or three statements on one line."""
    a, b, n = rng.randint(0, 12), rng.randint(0, 12), rng.randint(1, 9)
    x, y = rng.sample(["x", "y", "a", "b", "n"], 2)
    start = rng.randint(0, 3)
    code, out = rng.choice([
        (f"{x} = {a}; print({x})", a), (f"{x} = {a}; {y} = {b}; print({x} + {y})", a + b), (f"{x} = {a}; {x} = {x} + {n}; print({x})", a + n),
        (f"{x} = {a}; {x} += {n}; print({x})", a + n), (f"{x} = {a}; {y} = {b}; print({y})", b), (f"{x} = {a}; print({x} + {n})", a + n),
        (f"for {x} in range({n}): print({x})", ", ".join(map(str, range(n)))),
        (f"for {x} in range({start}, {start + n}): print({x})", ", ".join(map(str, range(start, start + n)))),
    ])
    return {"code": typed(rng, code), "out": out}


def task(rng: random.Random) -> Row:
    """Something to write, with the program that does it."""
    n, m, word = rng.randint(2, 20), rng.randint(2, 20), rng.choice(WORDS)
    what, code = rng.choice([
        (f"prints {word}", f'print("{word}")'), (f"prints the word {word}", f'print("{word}")'),
        (f"prints {word} {n} times", f'for i in range({n}):\n    print("{word}")'),
        (f"counts to {n}", f"for i in range(1, {n + 1}):\n    print(i)"), (f"counts from 1 to {n}", f"for i in range(1, {n + 1}):\n    print(i)"),
        (f"counts down from {n}", f"for i in range({n}, 0, -1):\n    print(i)"), (f"adds {n} and {m}", f"print({n} + {m})"),
        (f"multiplies {n} by {m}", f"print({n} * {m})"), (f"prints the even numbers to {n}", f"for i in range(2, {n + 1}, 2):\n    print(i)"),
        (f"prints the length of {word}", f'print(len("{word}"))'), (f"prints {word} in capital letters", f'print("{word}".upper())'),
        ("asks for a name and says hello", 'name = input("Name: ")\nprint("Hello, " + name)'),
        ("adds all numbers of a list", "def add_all(numbers):\n    return sum(numbers)"),
        ("finds the largest number of a list", "def largest(numbers):\n    return max(numbers)"),
        ("says if a number is even", "def is_even(n):\n    return n % 2 == 0"), ("doubles a number", "def double(n):\n    return 2 * n"),
    ])
    return {"what": what, "code": code}



def claim(rng: random.Random) -> Row:
    """A program with what it prints, or something else."""
    row, other = expression(rng), expression(rng)
    while str(other["out"]) == str(row["out"]):
        other = expression(rng)
    wrong = [other["out"]]
    if isinstance(row["out"], bool):
        wrong = [not row["out"]]
    elif isinstance(row["out"], int):
        wrong = [row["out"] + 1, row["out"] + 10, abs(row["out"] - 1) if row["out"] else 1]
    return row | claims.said(rng, row["out"], wrong)


DOMAIN = Domain("programs", 2.0, [
    Topic(expression, PRINT, PRINT_HELD_OUT, "It prints {out}.", "{out}.", follow_ups=["And {code}?", "[What|How] about {code}?"], weight=2),
    Topic(claim, ["Does {code} print {said}?", "Is the output of {code} {said}?", "Is it true that {code} prints {said}?", "{code} prints {said}, right?"],
          ["Would you say that {code} prints {said}?"], "It prints {out}, {judged}.", "{out}, {judged}.", weight=0.4),
    Topic(lines, PRINT, PRINT_HELD_OUT, "It prints {out}.", "{out}.", follow_ups=["And {code}?"], weight=1.2),
    Topic(task, ["Write a [Python |small |]program that {what}.", "Write [Python |]code that {what}.", "Give me [a program|code|Python code] that {what}.",
                 "Show me [a Python program|code|a program] that {what}.", "I need a [Python |]program that {what}.",
                 "[Can|Could] you write a program that {what}?", "How do I write a program that {what}?", "A Python program that {what}, please.",
                 "Python program that {what}", "Which program {what}?"],
          ["Could you show me Python code that {what}?", "Please code a program that {what}."], "{code}"),
])
