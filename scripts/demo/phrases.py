"""How people put things: what stands around a question, careless typing, and what system prompts ask for."""

import random

BEFORE = ["Please: ", "Tell me: ", "Can you tell me: ", "Quick question: ", "I have a question. ", "One more thing: ", "Next question: ", "So, ",
          "Okay, ", "Well, ", "Now tell me: ", "Hello! ", "Hi! ", "Hey, ", "And now: ", "I wonder: ", "Please tell me: ", "Thanks. ", "Good. ",
          "Help me: ", "Question: ", "A question: ", "Excuse me, ", "Hi, I have a question: ", "My question is: ", "Let me ask: ", "Right. ", "Foregate, ",
          "I want to know: ", "Do you know this: ", "Sorry, ", "Just tell me: ", "Another one: ", "Listen: ", "Dear model, "]
"""In front of a question."""

AFTER = [" Please.", " Thanks.", " Thank you.", " I need to know.", " Do you know?", " Tell me.", " Please tell me.", " Can you help me?", " I forgot.",
         " Just wondering.", " Please help.", " Any idea?"]
"""Behind a question."""

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

BEGIN = ["Begin each answer with {it}", "Start every answer with {it}", "Always begin with {it}", "Say {it} first.", "Begin your answers with {it}"]
"""System prompts that give the answer's first words."""

BEGINNINGS = ["Certainly!", "Of course!", "Well,", "Sure:", "Yes!", "Aha!", "My friend,", "Hm,", "Okay:", "Listen:", "Dear user,", "Indeed:"]

PLAIN = ["You are a helpful assistant.", "You are the demo model of Foregate.", "Answer in one sentence.", "Be friendly and correct.",
         "You are a friendly assistant.", "Answer the questions of the user.", "Be helpful.", "You are a small language model.", "Be polite.",
         "You are a chatbot.", "Help the user.", "You are a teacher.", "Answer in English.", "You are a helpful, honest assistant.", "Be kind."]
"""System prompts that change nothing."""

NAME_ASKED = ["What is your name?", "What's your name?", "Who are you?", "How are you called?", "Tell me your name.", "What should I call you?",
              "Do you have a name?", "And who are you?"]


def around(rng: random.Random, question: str) -> str:
    """The question, at times with something before or behind it."""
    chance = rng.random()
    if chance < 0.16:
        return rng.choice(BEFORE) + question
    if chance < 0.22 and question[-1] in "?.!":
        return question + rng.choice(AFTER)
    return question


def roughen(rng: random.Random, question: str, exact: bool, answer: str = "") -> str:
    """The question as a hurried person types it, at times. Where letters matter (`exact`), only its ends change, and not a
    first word that the answer repeats."""
    chance = rng.random()
    if chance < 0.12:
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
