"""What the user says of themselves, to be asked for some turns later."""

import dataclasses

from demo.domains.people import ANIMALS, CITIES, COLOURS, NAMES


@dataclasses.dataclass
class Memory:
    """Something to be told and asked for; `{it}` is its value."""

    values: list[str]
    tell: list[str]
    heard: str
    ask: list[str]
    answer: str
    not_told: str
    """The answer where nothing was told."""


KINDS = [
    Memory(NAMES, ["[My name is|I am|I'm called|Call me] {it}[.|]", "[Hello|Hi|Hey][,|!] [my name is|I am|I'm] {it}[.|!]", "I'm {it}.",
                   "My name's {it}.", "You can call me {it}."],
           "Nice to meet you, {it}!",
           ["What is my name?", "What's my name?", "Do you [know|remember] my name?", "Who am I?", "How am I called?",
            "Tell me my name.", "What am I called?"],
           "Your name is {it}.", "You have not told me your name."),
    Memory(COLOURS, ["My [favourite|favorite] colour is {it}.", "I like the colour {it} best.", "{it} is my favourite colour.",
                     "The colour that I like most is {it}."],
           "I will remember that: {it}.",
           ["What is my favourite colour?", "What's my [favorite|favourite] colour?", "[Which|What] colour do I like[| best]?",
            "Do you remember my favourite colour?"],
           "Your favourite colour is {it}.", "You have not told me your favourite colour."),
    Memory(CITIES, ["I live in {it}.", "I [come|am] from {it}.", "My home is {it}.", "I am at home in {it}."],
           "I will remember that: {it}.",
           ["Where do I live?", "[Which|What] city do I live in?", "Where am I from?", "Do you remember where I live?"],
           "You live in {it}.", "You have not told me where you live."),
    Memory(ANIMALS, ["I have a {it}.", "My pet is a {it}.", "I own a {it}.", "There is a {it} in my house."],
           "I will remember that: {it}.",
           ["[Which|What] pet do I have?", "What is my pet?", "[Which|What] animal do I have?", "Do you remember my pet?"],
           "You have a {it}.", "You have not told me about a pet."),
]
