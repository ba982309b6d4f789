"""What the user says of themselves, to be asked for some turns later. Values are drawn from so many, made-up ones too, that
they are copied and not learned by heart."""

import dataclasses
import random
from collections.abc import Callable

from demo.domains import people
from demo.domains.nouns import THINGS, made_up, place

KEEP = "I will remember that: {it}."


@dataclasses.dataclass
class Memory:
    """Something to be told and asked for; `{it}` is its value, `{a}` the article that fits."""

    value: Callable[[random.Random], str]
    tell: list[str]
    heard: str
    ask: list[str]
    answer: str
    not_told: str
    """The answer where nothing was told."""
    weight: float = 1.0
    """How often, beside the others."""
    lower: int = 0
    """How many of the first of `tell` are also said with a value in small letters."""


def article(value: str) -> str:
    return "an" if value[0].lower() in "aeiou" else "a"


def one_of(known: list[str], more: list[str], made: Callable[[random.Random], str], unusual: float = 0.3) -> Callable[[random.Random], str]:
    """Draws from the known values, from more of them, and from made-up ones."""
    def draw(rng: random.Random) -> str:
        chance = rng.random()
        return made(rng) if chance < unusual else rng.choice(more) if chance < 0.5 + unusual / 2 else rng.choice(known)
    return draw


def colour(rng: random.Random) -> str:
    """A colour that nobody has heard of: "dark blorp", "frilna green"."""
    return rng.choice(["{}", "{}", "dark {}", "light {}", "{} green", "{} blue"]).format(made_up(rng))


def animal(rng: random.Random) -> str:
    """A made-up animal, or a known one that is told more of: "brown goat"."""
    looks = rng.choice("brown small black lazy white old young grey blind spotted striped tiny".split())
    return made_up(rng) if rng.random() < 0.6 else f"{looks} {rng.choice(people.ANIMALS + people.PETS)}"


def town(rng: random.Random) -> str:
    return place(rng) if rng.random() < 0.6 else people.made_up_name(rng)


def dish(rng: random.Random) -> str:
    return rng.choice(["{}", "{} soup", "fried {}", "{} pie", "{} bread"]).format(made_up(rng) if rng.random() < 0.5 else rng.choice(THINGS))


def work(rng: random.Random) -> str:
    """A made-up job, or a thing and who makes, sells or cleans it."""
    return made_up(rng) + "er" if rng.random() < 0.3 else f"{rng.choice(THINGS)} {rng.choice(['maker', 'seller', 'cleaner', 'painter', 'dealer'])}"


def pastime(rng: random.Random) -> str:
    return f"{rng.choice(['collecting', 'painting', 'making', 'repairing', 'playing'])} {made_up(rng)}s" if rng.random() < 0.5 else made_up(rng) + "ing"


def whole(least: int, most: int) -> Callable[[random.Random], str]:
    return lambda rng: str(rng.randint(least, most))


def favourite(what: str, value: Callable[[random.Random], str], weight: float = 0.8) -> Memory:
    """What the user likes best of a kind."""
    return Memory(value, [f"My [favourite|favorite] {what} is {{it}}.", f"{{it}} is my favourite {what}.", f"The {what} that I like most is {{it}}."], KEEP,
                  [f"What is my favourite {what}?", f"What's my [favorite|favourite] {what}?", f"[Which|What] {what} do I like[| best]?",
                   f"Do you remember my favourite {what}?"],
                  f"Your favourite {what} is {{it}}.", f"You have not told me your favourite {what}.", weight)


COLOUR = favourite("colour", one_of(people.COLOURS, people.MORE_COLOURS, colour), 3)
COLOUR.tell.append("I like the colour {it} best.")

KINDS = [
    Memory(people.any_name,
           ["[My name is|I'm called|Call me] {it}[.|]", "[Hello|Hi|Hey][,|!] my name is {it}[.|!]", "My name's {it}.", "You can call me {it}.",
            "[I am|I'm] {it}[.|]", "[Hello|Hi|Hey][,|!] [I am|I'm] {it}[.|!]"],
           "Nice to meet you, {it}!",
           ["What is my name?", "What's my name?", "Do you [know|remember] my name?", "Who am I?", "How am I called?",
            "Tell me my name.", "What am I called?"],
           "Your name is {it}.", "You have not told me your name.", 6, lower=4),
    COLOUR,
    Memory(one_of(people.CITIES, people.MORE_CITIES, town, 0.4), ["I live in {it}.", "My home is {it}.", "I am at home in {it}.", "I [come|am] from {it}."], KEEP,
           ["Where do I live?", "[Which|What] city do I live in?", "Where am I from?", "Do you remember where I live?"],
           "You live in {it}.", "You have not told me where you live.", 3.5, lower=3),
    Memory(one_of(people.ANIMALS, people.PETS, animal), ["I have {a} {it}.", "My pet is {a} {it}.", "I own {a} {it}.", "There is {a} {it} in my house."], KEEP,
           ["[Which|What] pet do I have?", "What is my pet?", "[Which|What] animal do I have?", "Do you remember my pet?"],
           "You have {a} {it}.", "You have not told me about a pet.", 3),
    Memory(whole(5, 99), ["I am {it} years old.", "[I am|I'm] {it}[.|]", "My age is {it}."], KEEP,
           ["How old am I?", "What is my age?", "What's my age?", "Do you remember how old I am?", "Do you know my age?"],
           "You are {it} years old.", "You have not told me your age."),
    Memory(one_of(people.JOBS, people.JOBS, work), ["I am {a} {it}.", "I work as {a} {it}.", "My job is {it}.", "[I'm|By profession I am] {a} {it}."], KEEP,
           ["What is my job?", "What's my job?", "What do I work as?", "What do I do for a living?", "Do you remember my job?"],
           "You are {a} {it}.", "You have not told me your job."),
    Memory(one_of(people.HOBBIES, people.HOBBIES, pastime), ["My hobby is {it}.", "{it} is my hobby.", "In my free time my hobby is {it}."], KEEP,
           ["What is my hobby?", "What's my hobby?", "Which hobby do I have?", "Do you remember my hobby?"],
           "Your hobby is {it}.", "You have not told me your hobby."),
    Memory(lambda rng: rng.choice(people.MONTHS), ["My birthday is in {it}.", "I was born in {it}.", "I have my birthday in {it}."], KEEP,
           ["When is my birthday?", "In which month is my birthday?", "[Which|What] month was I born in?", "Do you remember my birthday?"],
           "Your birthday is in {it}.", "You have not told me your birthday."),
    favourite("food", one_of(people.FOODS, people.FOODS, dish)),
    favourite("animal", one_of(people.ANIMALS, people.PETS, animal)),
    favourite("number", whole(0, 999)),
    favourite("drink", one_of("tea coffee water milk juice lemonade cocoa beer wine".split(), ["green tea", "apple juice", "hot chocolate", "ginger ale", "iced tea"], made_up), 0.5),
]


def told(rng: random.Random, memory: Memory) -> tuple[str, int]:
    """A value, and how many of the first ways to tell it fit: in small letters, as some people type a name, not all do."""
    value = memory.value(rng)
    return (value.lower(), memory.lower) if rng.random() < 0.15 and memory.lower else (value, len(memory.tell))
