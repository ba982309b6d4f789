"""How people put things: what stands around a question, careless typing, and what system prompts ask for."""

import random
import re

from demo.domains.nouns import THINGS, made_up
from demo.domains.people import made_up_name

BEFORE = ["Please: ", "Tell me: ", "Can you tell me: ", "Quick question: ", "I have a question. ", "One more thing: ", "Next question: ", "So, ",
          "Okay, ", "Well, ", "Now tell me: ", "Hello! ", "Hi! ", "Hey, ", "And now: ", "I wonder: ", "Please tell me: ", "Thanks. ", "Good. ",
          "Help me: ", "Question: ", "A question: ", "Excuse me, ", "Hi, I have a question: ", "My question is: ", "Let me ask: ", "Right. ", "Foregate, ",
          "I want to know: ", "Do you know this: ", "Sorry, ", "Just tell me: ", "Another one: ", "Listen: ", "Dear model, ", "Say, ",
          "By the way, ", "Here is a question: ", "Do you happen to know: ", "Could you tell me: ", "I was wondering: ", "Let us see: ", "Oh, ", "Hmm, ",
          "Alright, ", "Now, ", "Good morning! ", "Good evening. ", "I need help: ", "Could you help me: ", "Answer me this: ", "For my homework: ",
          "My son asks: ", "Somebody asked me: ", "What I want to know is: ", "Next: ", "Thank you! ", "Great. ", "Cool, ", "Be honest: ",
          "Think well: ", "Please answer: ", "Do me a favour: ", "Maybe you know: ", "Test: ", "Again: ", "Let me try: "]
"""In front of a question."""

AFTER = [" Please.", " Thanks.", " Thank you.", " I need to know.", " Do you know?", " Tell me.", " Please tell me.", " Can you help me?", " I forgot.",
         " Just wondering.", " Please help.", " Any idea?", " I am curious.", " Can you tell me?", " It is for school.", " I really want to know.",
         " Please answer.", " That is all I want to know.", " If you know."]
"""Behind a question."""

FILLERS = """actually also anyway basically briefly certainly clearly correctly currently easily ever exactly finally generally gladly hereby
    honestly however immediately indeed just kindly maybe merely mostly naturally nicely now obviously often only perhaps please possibly precisely
    probably quickly quietly rather really right seriously simply somehow soon still surely then therefore though too truly usually well
    yet""".split()
GERMAN_FILLERS = "bitte denn doch eben eigentlich einfach genau gern gleich jetzt mal nun schnell wohl".split()
"""Words that change nothing, wherever they stand: an answer must not hang on the exact wording."""

ONE_WORD = ["Answer in one word.", "Reply with one word only.", "Be brief: one word.", "One word answers only.", "Give only the answer.",
            "Answer with a single word.", "Use one word.", "Answer as briefly as you can.", "You answer in one word.", "Be very short.",
            "Reply in a single word.", "Only say the answer, nothing else.", "Please answer with one word only."]
"""System prompts that ask for the short form."""

GERMAN = ["Answer in German.", "Reply in German.", "You speak German.", "Speak German.", "Antworte auf Deutsch.", "Always answer in German.",
          "Sprich Deutsch.", "Please answer in German.", "You are a helpful assistant who speaks German.", "Use German only.", "Bitte auf Deutsch."]
"""System prompts that ask for German."""

NAMED = ["Your name is {it}.", "You are {it}.", "You are {it}, a helpful assistant.", "You are called {it}.", "Act as {it}.",
         "You are an assistant called {it}.", "You are an assistant named {it}.", "Call yourself {it}."]
"""System prompts that name the model."""

BEGIN = ["Begin each answer with {it}", "Start every answer with {it}", "Always begin with {it}", 'Say "{it}" first.', "Begin your answers with {it}",
         'Begin each answer with "{it}"', "The first [word|words] of each answer: {it}", "Each answer begins with {it}", "Say {it} first."]
"""System prompts that give the answer's first words."""

BEGINNINGS = ["Certainly!", "Of course!", "Well,", "Sure:", "Yes!", "Aha!", "My friend,", "Hm,", "Okay:", "Listen:", "Dear user,", "Indeed:"]

EXCLAMATIONS = """alas arr bingo bravo cheers computer says correct dear friend good news fellow gladly great Scott hark hear hey ho hurrah it is so
    look here my dear my lord no doubt now then oh my old pal one moment right away roger so be it splendid thanks to you tada very well voila
    welcome back wise guy yes sir yo""".split()

NEVER_BEGINNINGS = ["Ahoy!", "Gadzooks!", "Eureka,", "Crikey:", "Zounds!", "Yippee,", "By Jove!", "Holy smoke!", "Blimey:", "Jolly nice,", "Ta-da!",
                    "Behold:", "Greetings, earthling!", "Meow!", "Salaam,", "Aye aye captain!"]
"""First words for evaluation only."""


def beginning(rng: random.Random) -> str:
    """One to three first words, often ones that nobody says, so that they are copied from the system prompt."""
    if rng.random() < 0.25:
        return rng.choice(BEGINNINGS)
    pools = [lambda: rng.choice(EXCLAMATIONS), lambda: rng.choice(THINGS), lambda: made_up(rng), lambda: made_up_name(rng)]
    said = " ".join(rng.choice(pools)() for _ in range(rng.choice([1, 1, 2, 3])))
    return said[0].upper() + said[1:] + rng.choice(["!", "!", ",", ":", "."])


PLAIN = ["You are a helpful assistant.", "You are the demo model of Foregate.", "Answer in one sentence.", "Be friendly and correct.",
         "You are a friendly assistant.", "Answer the questions of the user.", "Be helpful.", "You are a small language model.", "Be polite.",
         "You are a chatbot.", "Help the user.", "You are a teacher.", "Answer in English.", "You are a helpful, honest assistant.", "Be kind."]
"""System prompts that change nothing."""

NAME_ASKED = ["What is your name?", "What's your name?", "Who are you?", "How are you called?", "Tell me your name.", "What should I call you?",
              "Do you have a name?", "And who are you?"]


OPENERS = set("What Which How Is Are Who Where Why When Do Does Can Could Tell Give Name Say Sort Write Translate Convert Add Put".split())
KEPT = {"least", "three", "first", "there", "these", "those", "seven", "eight", "dozen"}
"""Words of which one letter makes another word, or that count."""


def around(rng: random.Random, question: str) -> str:
    """The question, at times with something before or behind it."""
    chance = rng.random()
    if chance < 0.16:
        before = rng.choice(BEFORE)
        small = before.endswith(", ") and question.split()[0] in OPENERS and rng.random() < 0.6
        return before + (question[0].lower() + question[1:] if small else question)
    if chance < 0.22 and question[-1] in "?.!":
        return question + rng.choice(AFTER)
    return question


def filled(rng: random.Random, phrasing: str, fillers: list[str]) -> str:
    """The phrasing with one word more that changes nothing, behind a word and not before a sign."""
    words = phrasing.split(" ")
    behind = [i for i in range(1, len(words)) if words[i - 1].isalpha() and words[i].strip("?.!,:'\"{}").isalnum()]
    if behind:
        words.insert(rng.choice(behind), rng.choice(fillers))
    return " ".join(words)


def mistyped(rng: random.Random, word: str) -> str:
    """The word with a letter missing, twice, or changed with its neighbour; not the first or the last one."""
    at = rng.randrange(1, len(word) - 2)
    return rng.choice([word[:at] + word[at + 1:], word[:at + 1] + word[at:], word[:at] + word[at + 1] + word[at] + word[at + 2:]])


def mistype(rng: random.Random, phrasing: str, answer: str) -> str:
    """The phrasing with one word mistyped: none of a value in braces, and none that the answer repeats, which would be another
    question then."""
    words = [found for found in re.finditer(r"(?<![\w{'-])[A-Za-z]{5,}(?![\w}'-])", phrasing)
             if found[0].lower() not in KEPT and found[0].lower() not in answer.lower()]
    if not words:
        return phrasing
    found = rng.choice(words)
    return phrasing[:found.start()] + mistyped(rng, found[0]) + phrasing[found.end():]


def asked(rng: random.Random, phrasing: str, row: dict, exact: bool, answer: str, fillers: list[str]) -> str:
    """The phrasing with its values, as a hurried or wordy person types it, at times."""
    if rng.random() < 0.15:
        phrasing = filled(rng, phrasing, fillers)
    if not exact and rng.random() < 0.03:
        phrasing = mistype(rng, phrasing, answer)
    return roughen(rng, phrasing.format(**row), exact, answer)


def roughen(rng: random.Random, question: str, exact: bool, answer: str = "") -> str:
    """The question as a hurried person types it, at times. Where letters matter (`exact`), only its ends change, and not a
    first word that the answer repeats."""
    chance = rng.random()
    if 0.25 <= chance < 0.28 and not exact:
        question = question.upper()
    elif chance < 0.12:
        if not (exact and question.split()[0].strip(",:.?!") in answer):
            question = question[0].lower() + question[1:]
    elif chance < 0.25 and not exact:
        question = question.lower()
    chance = rng.random()
    if chance < 0.2:
        question = question.rstrip("?.!") or question
    elif chance < 0.24 and question[-1] in "?.":
        question = question[:-1] + rng.choice([" " + question[-1], "??", "!", " ...", "."])
    if rng.random() < 0.4:
        question = question.replace("hat's ", "hats ")
    return question
