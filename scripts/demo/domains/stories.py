"""Short stories with a named hero on a given theme, put together from parts."""

import random

from demo.domains.people import NAMES
from demo.topic import Domain, Row, Topic

HEROES = """dragon fox cat dog bear rabbit mouse owl lion horse wolf frog duck bird turtle elephant monkey robot king queen knight
    princess prince sailor farmer teacher baker pirate wizard witch giant boy girl ghost monster goat penguin bee squirrel
    fisherman gardener clown painter shepherd""".split()
PLACES = ["in a dark forest", "near a quiet river", "on a green hill", "in a small village", "by the sea", "in an old castle",
          "on a far island", "in a warm valley", "at the edge of a town", "in a little house", "under a tall tree",
          "high in the mountains"]
WISHES = {
    "find": ["a golden key", "a lost friend", "a hidden door", "a red stone", "the way home", "a secret garden", "a silver bell"],
    "learn": ["how to swim", "how to sing", "how to read", "how to dance", "how to bake bread", "how to paint the sky"],
    "build": ["a small boat", "a tall tower", "a warm house", "a bridge over the river", "a kite"],
    "see": ["the sea", "the first snow", "the top of the mountain", "the stars from close by", "the great city"],
}
PLACED = {"the sea": "by the sea", "a castle": "in an old castle", "the forest": "in a dark forest", "an island": "on a far island",
          "a river": "near a quiet river", "a village": "in a small village", "the mountains": "high in the mountains",
          "a tree": "under a tall tree", "a valley": "in a warm valley", "a hill": "on a green hill"}
WISHED = {"a key": ("find", "a golden key"), "friendship": ("find", "a lost friend"), "a door": ("find", "a hidden door"),
          "a garden": ("find", "a secret garden"), "a bell": ("find", "a silver bell"), "swimming": ("learn", "how to swim"),
          "music": ("learn", "how to sing"), "books": ("learn", "how to read"), "dancing": ("learn", "how to dance"),
          "bread": ("learn", "how to bake bread"), "a boat": ("build", "a small boat"), "a tower": ("build", "a tall tower"),
          "a house": ("build", "a warm house"), "a bridge": ("build", "a bridge over the river"), "a kite": ("build", "a kite"),
          "snow": ("see", "the first snow"), "winter": ("see", "the first snow"), "the stars": ("see", "the stars from close by"),
          "the night": ("see", "the stars from close by"), "a city": ("see", "the great city")}
TROUBLES = ["a storm came and the path was gone", "the night fell and it was very dark", "a river was in the way",
            "nobody wanted to help", "the bridge was broken", "it began to rain and everything was wet",
            "the way was much longer than it looked"]
HELPERS = ["an old owl", "a kind farmer", "a little mouse", "a wise turtle", "a friendly bear", "a tired traveller",
           "a small bird", "a clever girl", "a quiet boy"]
ADVICE = ["Take one step after another", "Do not give up", "Ask and listen", "Wait until the morning", "Follow the river",
          "Two can do what one cannot", "Start with what is near"]
WORK = ["They worked together the whole day", "They walked side by side until the sun came up", "They shared bread and began again",
        "They laughed at the trouble and went on", "They thought about it for a long time and then tried once more"]
FEELINGS = ["happy", "brave", "kind", "curious", "lonely", "clever", "shy", "cheerful"]
ENDS = ["From that day on they were friends.", "And every year they told the story again.", "That night there was a feast, and everybody sang.",
        "After that {name} was never lonely again.", "And {name} slept well that night.", "Since then {name} helps everybody who asks."]
HE = set("king knight prince sailor farmer wizard boy fisherman gardener clown shepherd baker pirate giant teacher painter".split())
SHE = set("queen princess witch girl".split())
DONE = {"find": "found", "learn": "learned", "build": "built", "see": "saw"}


def an(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def story(rng: random.Random, hero: str, name: str, theme: str = "") -> str:
    """Six sentences: who, wish, trouble, help, work, end. A theme decides the place or the wish."""
    verb = rng.choice(list(WISHES))
    wish, feeling, helper = rng.choice(WISHES[verb]), rng.choice(FEELINGS), rng.choice(HELPERS)
    verb, wish = WISHED.get(theme, (verb, wish))
    place = PLACED.get(theme) or rng.choice(PLACES)
    they = "he" if hero in HE else "she" if hero in SHE else "it"
    begin = rng.choice([f"Once upon a time there was {an(feeling)} {hero} called {name}, who lived {place}.",
                        f"{an(feeling).capitalize()} {hero} called {name} lived {place}.",
                        f"Long ago, {place}, lived {an(feeling)} {hero} whose name was {name}."])
    want = rng.choice([f"More than anything {name} wanted to {verb} {wish}.", f"One morning {name} decided to {verb} {wish}.",
                       f"{name} had one dream: to {verb} {wish}."])
    trouble = rng.choice([f"But {rng.choice(TROUBLES)}.", f"The {hero} set out at once, but {rng.choice(TROUBLES)}."])
    advice = rng.choice(ADVICE)
    helped = rng.choice([f'Then {name} met {helper}. "{advice}," said the stranger.',
                         f'Just when {they} wanted to turn back, {helper} came along and said: "{advice}."'])
    done = rng.choice([f"{rng.choice(WORK)}, and in the end {name} {DONE[verb]} {wish}.",
                       f"{rng.choice(WORK)}. In the evening the {hero} {DONE[verb]} {wish} at last."])
    return " ".join([begin, want, trouble, helped, done, rng.choice(ENDS).format(name=name)])


def tale(rng: random.Random) -> Row:
    """A hero, a name, and a story about them."""
    hero, name = rng.choice(HEROES), rng.choice(NAMES)
    return {"hero": hero, "a": an(hero), "name": name, "story": story(rng, hero, name)}


def is_story(text: str, hero: str, name: str) -> bool:
    """Whether the text has all of a story's parts, in order, for this hero and name, with the wish come true."""
    begun = text.startswith(("Once upon a time there was a", "A ", "An ", "Long ago, ")) and hero in text and name in text
    ended = text.endswith(tuple(end.format(name=name) for end in ENDS))
    wished = any(f"to {verb} {wish}." in text and f"{DONE[verb]} {wish}" in text for verb, wishes in WISHES.items() for wish in wishes)
    helped = any(helper in text for helper in HELPERS) and any(advice in text for advice in ADVICE)
    troubled = any(trouble in text for trouble in TROUBLES) and any(work in text for work in WORK)
    return begun and ended and wished and helped and troubled


def themed(rng: random.Random) -> Row:
    """A theme, a hero, a name, and a story about them."""
    theme, hero, name = rng.choice([*PLACED, *WISHED]), rng.choice(HEROES), rng.choice(NAMES)
    return {"theme": theme, "hero": hero, "a": an(hero), "name": name, "story": story(rng, hero, name, theme)}


DOMAIN = Domain("stories", 0.9, [
    Topic(tale, ["[Tell|Write] me a [short |little |]story about {a} [called|named] {name}.", "[Tell|Write] a [short |]story about {a} [called|named] {name}.",
                 "A story about {a} [called|named] {name}, please.", "Write a story about {name} the {hero}.",
                 "I would like [to hear |]a story about {a} [called|named] {name}.", "Tell me about {a} [called|named] {name}.",
                 "Make up a story about {a} whose name is {name}.", "Can you tell [me |]a story about {a} [called|named] {name}?",
                 "Tell me the story of {name} the {hero}.", "Give me a tale about {a} [called|named] {name}."],
          ["Could you write a short story about {a} named {name}?", "Invent a story with {a} called {name}."], "{story}",
          follow_ups=["And one about {a} [called|named] {name}.", "Now one about {a} [called|named] {name}."], weight=2, exact=True),
    Topic(tale, ["[Tell|Write] me a [short |little |]story about {a}.", "[Tell|Write] a [short |]story about {a}.", "A story about {a}, please.",
                 "I would like [to hear |]a story about {a}.", "Make up a story about {a}.", "Can you tell [me |]a story about {a}?",
                 "A [fairy |]tale about {a}.", "Story about {a}", "Do you know a story about {a}?"],
          ["Could you write a short story about {a}?", "Invent a story with {a}."], "{story}",
          follow_ups=["And one about {a}.", "Now one about {a}.", "Another one, about {a}."], weight=2),
    Topic(themed, ["[Tell|Write] me a [short |little |]story about {theme}.", "[Tell|Write] a [short |]story about {theme}.", "A story about {theme}, please.",
                   "I would like a story about {theme}.", "Make up a story about {theme}.", "A tale about {theme}.", "Story about {theme}"],
          ["Could you write a short story about {theme}?"], "{story}", weight=1.2),
    Topic(themed, ["[Tell|Write] me a [short |]story about {a} [called|named] {name} and {theme}.", "A story about {name} and {theme}, please.",
                   "[Tell|Write] a story about {theme} with {a} [called|named] {name}.", "[Tell|Write] a story about {theme} and {a}."],
          ["Invent a story about {theme} with {a} called {name}."], "{story}", weight=1.2, exact=True),
    Topic(tale, ["[Tell|Write] me a [short |little |]story about {name}.", "A story about {name}, please.", "Tell a story [about|with] {name}.",
                 "Make up a story about {name}.", "Can you tell me a story about {name}?"],
          ["Could you write a short story about {name}?"], "{story}", exact=True),
    Topic(tale, ["[Tell|Write] me a [short |nice |]story.", "[Tell|Write] a story.", "A story, please.", "Do you know a [story|tale]?",
                 "I want to hear a story.", "Can you tell a story?", "Tell me another story.", "Another story, please."],
          ["Could you tell me a tale?"], "{story}", follow_ups=["Another one.", "One more.", "Another story, please."], weight=0.7),
])
