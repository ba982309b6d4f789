"""Short stories with a named hero on a given theme, put together from parts."""

import dataclasses
import random
import re

from demo.domains.nouns import THINGS, made_up, place, plural
from demo.domains.people import any_name, plain_name
from demo.topic import Domain, Row, Topic

HEROES = """dragon fox cat dog bear rabbit mouse owl lion horse wolf frog duck bird turtle elephant monkey robot king queen knight
    princess prince sailor farmer teacher baker pirate wizard witch giant boy girl ghost monster goat penguin bee squirrel
    fisherman gardener clown painter shepherd tiger panda fairy troll dwarf unicorn mermaid whale dolphin hedgehog snail parrot eagle swan hen
    rooster cow pig sheep donkey camel kangaroo spider ant butterfly crab crow raven fish shark dinosaur deer puppy kitten doctor nurse pilot
    soldier singer dancer poet thief miller tailor hunter cook captain astronaut scientist snowman goblin elf lamb beaver otter mole badger""".split()
PLAIN_HEROES = 18
"""How many of these, from the first on, a story is about that is asked for without any."""
PLACES = ["in a dark forest", "near a quiet river", "on a green hill", "in a small village", "by the sea", "in an old castle",
          "on a far island", "in a warm valley", "at the edge of a town", "in a little house", "under a tall tree",
          "high in the mountains"]
WISHES = {
    "find": ["a golden key", "a lost friend", "a hidden door", "a red stone", "the way home", "a secret garden", "a silver bell"],
    "learn": ["how to swim", "how to sing", "how to read", "how to dance", "how to bake bread", "how to paint the sky"],
    "build": ["a small boat", "a tall tower", "a warm house", "a bridge over the river", "a kite"],
    "see": ["the sea", "the first snow", "the top of the mountain", "the stars from close by", "the great city"],
}
FOUND = """key, lost key, golden ring, door, secret garden, bell, lost friend, red stone, treasure, map, old book, lost hat, little kitten, broken clock,
    lantern, silver coin, blue feather, hidden cave, magic lamp, letter, lost shoe, green bottle, waterfall, castle, river, island, ring, crown,
    diamond, pearl, flower, white rose, big egg, strange machine, music box, new home, star, rainbow, lost toy, violin, drum, mirror, magic wand,
    wooden box, rocket, red balloon, umbrella, clock, lost dog, lost child, treasure map, sword, blanket, camera, telescope, gold coin, tiny seed,
    magic mirror, old ship, red apple, secret door, haunted house, well, candle""".split(",")
SEEN = """sea, moon, stars, first snow, great city, mountains, ocean, forest, desert, jungle, sunrise, rain, wind, sky, sun, night sky, zoo, circus, market,
    north, big river, end of the world, castle, village, storm, harbour, school, farm, park, library, beach, old tower, king, dark forest, lake,
    valley, garden, rainbow, volcano, winter""".split(",")
LEARNED = """friendship, love, courage, kindness, music, swimming, dancing, winter, honesty, books, bread, hope, patience, magic, summer, cooking, painting,
    trust, dreams, peace, happiness, bravery, sharing, spring, autumn, school, fishing, gardens, dragons, pirates, trains, football, snow, ice, rain,
    time, luck, fear, freedom, family, home, night, Christmas, adventure, ships, flying, singing, farming, horses, animals, robots, space, chess,
    greed, joy, wisdom, truth, sailing, stars, birds, forgiveness, loneliness, growing up, helping others, baking, justice""".split(",")
BUILT = "boat, tower, house, bridge, kite, tree house, sandcastle, wooden ship, paper boat, ladder, wall, raft, rocket ship, cabin, sledge, windmill".split(",")
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
THEMED_END = "And that is the story of {name} and {theme}."
ENDS = ["From that day on they were friends.", "And every year they told the story again.", "That night there was a feast, and everybody sang.",
        "After that {name} was never lonely again.", "And {name} slept well that night.", "Since then {name} helps everybody who asks."]
HE = set("snowman tailor miller soldier captain king knight prince sailor farmer wizard boy fisherman gardener clown shepherd baker pirate giant teacher painter".split())
SHE = set("fairy mermaid hen cow queen princess witch girl".split())
DONE = {"find": "found", "learn": "learned", "build": "built", "see": "saw"}
DOES = {"find": "looks for", "learn": "learns about", "build": "builds", "see": "wants to see"}


@dataclasses.dataclass
class Theme:
    """What a story is to be about, and what its hero does with it."""

    text: str
    verb: str


def an(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" and not noun.startswith("uni") else "a ") + noun


def the(theme: str) -> str:
    """A theme as it is named once it is known: "the lost key"."""
    return re.sub("^an? ", "the ", theme)


def themes() -> tuple[list[Theme], list[Theme]]:
    """Themes to train with, and one in nine left out."""
    names = [("find", FOUND, an), ("see", SEEN, "the {}".format), ("learn", LEARNED, str), ("build", BUILT, an)]
    found = [Theme(said(" ".join(name.split())), verb) for verb, listed, said in names for name in listed]
    return [theme for i, theme in enumerate(found) if i % 9 != 7], found[7::9]


THEMES, NEVER = themes()
NEVER += [Theme(text, verb) for text, verb in (
    ("a lost umbrella on Mars", "find"), ("two brave crabs", "see"), ("the French Revolution", "learn"), ("my sister's bike", "find"),
    ("friendship between a fox and a hen", "learn"), ("a tired accordion", "find"), ("the invention of cheese", "learn"), ("seven grumpy elves", "see"))]
LOOKS = """lost golden silver tiny huge broken magic old new red blue green white strange hidden brave tired lazy rusty singing flying talking sleepy hungry
    dirty shiny purple round wooden angry happy sad little big forgotten secret frozen burning invisible clever proud grumpy noisy silent""".split()
WHERE = """on the moon, at the bottom of the sea, in the desert, in Paris, under the bed, behind the hill, in a dark cave, on a ship, in the snow, at school,
    in the rain, at night, on Venus, in London, near the volcano, on a Monday, without a name, with two doors, in the attic, at the fair""".replace(
        "\n   ", "").split(", ")
WHOSE = "my your our his her the_king's my_brother's my_mother's my_uncle's the_baker's the_doctor's the_queen's a_neighbour's my_cousin's".split()
MATTERS = """friendship love trust war peace rivalry jealousy hope courage envy luck hunger sleep silence truth anger boredom patience pride grief hate fear
    beauty memory laughter dust thunder fog smoke electricity gravity maths poetry jazz opera ballet tennis rugby hockey yoga geology history physics
    cheese butter honey salt sugar pepper coffee tea soup noodles ketchup wool silk paper ink plastic iron oil money gold taxes work holidays""".split()
EVENTS = """invention discovery history end beginning death birth secret colour smell sound price building fall rise return theft loss king queen
    battle siege fire trial voyage language music war revolution""".split()
NATIONS = """American Russian Roman Greek Spanish Italian Swedish Polish Turkish Indian Chinese Japanese Mexican Brazilian Irish Scottish English Dutch Danish
    Egyptian Persian""".split()
HAPPENINGS = "War Empire Kingdom Navy Sea Railway Circus Wall Opera Championship Parliament Games Canal Desert Queen Winter Voyage Garden Wedding".split()
COUNTS = "two three four five six ten many some twenty".split()


THEME_NOUNS = [noun for noun in THINGS if noun not in HEROES]
"""A story about "a dragon" has a dragon as its hero, and one about "an anchor" is about the anchor."""


def thing(rng: random.Random, many: bool = False) -> str:
    """A thing or an animal, known or made up, at times told more of."""
    noun = made_up(rng) if rng.random() < 0.2 else rng.choice(THEME_NOUNS)
    if rng.random() < 0.45:
        noun = f"{rng.choice(LOOKS)} {noun}"
    return plural(noun) if many else noun


def ways_to_name(rng: random.Random) -> tuple[str, str]:
    """A theme and what is done with it."""
    way = rng.randrange(12)
    if way < 3:
        return an(thing(rng)), rng.choice(["find", "find", "build", "see"])
    if way < 5:
        return f"the {thing(rng, rng.random() < 0.2)}", rng.choice(["find", "see"])
    if way == 5:
        return thing(rng, many=True), "learn"
    if way == 6:
        return f"{rng.choice(COUNTS)} {thing(rng, many=True)}", "see"
    if way == 7:
        return f"{rng.choice(WHOSE).replace('_', ' ')} {thing(rng)}", "find"
    if way == 8:
        return rng.choice([f"the {rng.choice(NATIONS)} {rng.choice(HAPPENINGS)}", f"the {rng.choice(HAPPENINGS)} of {place(rng)}", f"the town of {place(rng)}",
                           f"the {made_up(rng).capitalize()} {rng.choice(HAPPENINGS)}"]), rng.choice(["learn", "see"])
    if way == 9:
        return rng.choice(MATTERS), "learn"
    if way == 10:
        return rng.choice([f"{rng.choice(MATTERS)} between {an(thing(rng))} and {an(thing(rng))}", f"{rng.choice(MATTERS)} and {rng.choice(MATTERS)}"]), "learn"
    return f"the {rng.choice(EVENTS)} of {rng.choice([rng.choice(MATTERS), an(thing(rng)), f'the {thing(rng)}', place(rng)])}", "learn"


def any_theme(rng: random.Random) -> Theme:
    """One of very many, so that the theme is copied from the question word by word."""
    if rng.random() < 0.3:
        return rng.choice(THEMES)
    text, verb = ways_to_name(rng)
    if rng.random() < 0.12 and " and " not in text and " of " not in text:
        text = f"{text} {rng.choice(WHERE)}"
    taken = any(the(text) == the(never.text) or never.text in text for never in NEVER)
    return any_theme(rng) if taken or len(text) > 44 else Theme(text, verb)


def known_hero(rng: random.Random) -> str:
    """One of the heroes, at times told more of."""
    hero = rng.choice(HEROES)
    return f"{rng.choice(LOOKS)} {hero}" if rng.random() < 0.12 else hero


def any_hero(rng: random.Random) -> str:
    """The same, or a thing or creature that nobody has heard of: it needs a name beside it to be known as the hero."""
    if rng.random() < 0.6:
        return known_hero(rng)
    hero = rng.choice(THINGS) if rng.random() < 0.7 else made_up(rng)
    return f"{rng.choice(LOOKS)} {hero}" if rng.random() < 0.12 else hero


def plain_hero(rng: random.Random) -> str:
    """A hero that nobody has asked for: one of a few, so that the word is known by heart."""
    return rng.choice(HEROES[:PLAIN_HEROES])


def apart(part: str, nouns: list[str]) -> bool:
    """Whether a part of a story has none of the theme's longer words, nor all of it."""
    return not any(noun in part for noun in nouns if len(noun) > 3)


def story(rng: random.Random, hero: str, name: str, theme: Theme | None = None) -> str:
    """Six sentences: who, wish, trouble, help, work, end. A theme is the wish, and what the end names: it is taken from the
    question word by word, so that a theme never heard of does as well."""
    verb = theme.verb if theme else rng.choice(list(WISHES))
    wish = f"{'all about ' if verb == 'learn' else ''}{theme.text}" if theme else rng.choice(WISHES[verb])
    feeling, helper = rng.choice([one for one in FEELINGS if one not in hero]), rng.choice(HELPERS)
    nouns = theme.text.split() if theme else []
    place = rng.choice([one for one in PLACES if apart(one, nouns)])
    kind = hero.split()[-1]
    they = "he" if kind in HE else "she" if kind in SHE else "it"
    feeling = f"{feeling}, " if " " in hero else f"{feeling} "
    begin = rng.choice([f"Once upon a time there was {an(feeling)}{hero} called {name}, who lived {place}.",
                        f"{an(feeling).capitalize()}{hero} called {name} lived {place}.",
                        f"Long ago, {place}, lived {an(feeling)}{hero} whose name was {name}."])
    want = rng.choice([f"More than anything {name} wanted to {verb} {wish}.", f"One morning {name} decided to {verb} {wish}.",
                       f"{name} had one dream: to {verb} {wish}."])
    went_wrong = rng.choice([one for one in TROUBLES if apart(one, nouns)])
    trouble = rng.choice([f"But {went_wrong}.", f"The {hero} set out at once, but {went_wrong}."])
    advice = rng.choice([one for one in ADVICE if apart(one, nouns)])
    helped = rng.choice([f'Then {name} met {helper}. "{advice}," said the stranger.',
                         f'Just when {they} wanted to turn back, {helper} came along and said: "{advice}."'])
    done = rng.choice([f"{rng.choice(WORK)}, and in the end {name} {DONE[verb]} {wish}.",
                       f"{rng.choice(WORK)}. In the evening the {hero} {DONE[verb]} {wish} at last."])
    end = THEMED_END.format(name=name, theme=the(theme.text)) if theme else rng.choice(ENDS).format(name=name)
    return " ".join([begin, want, trouble, helped, done, end])


def tale(rng: random.Random, hero_of=any_hero, name_of=any_name) -> Row:
    """A hero, a name, and a story about them."""
    hero, name = hero_of(rng), name_of(rng)
    return {"hero": hero, "a": an(hero), "name": name, "story": story(rng, hero, name)}


def has_theme(text: str, theme: str) -> bool:
    """Whether the theme is wished for, and named at the end."""
    wished = any(f"to {verb} {wish}." in text and f"{DONE[verb]} {wish}" in text for verb in DONE for wish in (theme, f"all about {theme}"))
    return wished and text.endswith(f" and {the(theme)}.")


def is_story(text: str, hero: str, name: str, theme: str = "") -> bool:
    """Whether the text has all of a story's parts, in order, for this hero, name and theme, with the wish come true."""
    begun = text.startswith(("Once upon a time there was a", "A ", "An ", "Long ago, ")) and hero in text and name in text
    helped = any(helper in text for helper in HELPERS) and any(advice in text for advice in ADVICE)
    troubled = any(trouble in text for trouble in TROUBLES) and any(work in text for work in WORK)
    if theme:
        return begun and helped and troubled and has_theme(text, theme)
    ended = text.endswith(tuple(end.format(name=name) for end in ENDS))
    wished = any(f"to {verb} {wish}." in text and f"{DONE[verb]} {wish}" in text for verb, wishes in WISHES.items() for wish in wishes)
    return begun and ended and wished and helped and troubled


def themed(rng: random.Random, among: list[Theme] | None = None, hero_of=any_hero, name_of=any_name) -> Row:
    """A theme, a hero, a name, and a story about them."""
    theme, hero, name = rng.choice(among) if among else any_theme(rng), hero_of(rng), name_of(rng)
    while hero in theme.text:
        hero = hero_of(rng)
    return {"theme": theme.text, "does": DOES[theme.verb], "hero": hero, "a": an(hero), "name": name, "story": story(rng, hero, name, theme)}


def tale_of_known(rng: random.Random) -> Row:
    """A story whose hero is named by kind alone."""
    return tale(rng, known_hero, plain_name)


def themed_of_known(rng: random.Random) -> Row:
    """The same with a theme."""
    return themed(rng, hero_of=known_hero, name_of=plain_name)


def tale_of_named(rng: random.Random) -> Row:
    """A story whose hero is named, and no more."""
    return tale(rng, plain_hero)


def themed_of_named(rng: random.Random) -> Row:
    """The same with a theme."""
    return themed(rng, hero_of=plain_hero)


def tale_of_any(rng: random.Random) -> Row:
    """A story about whom it likes."""
    return tale(rng, plain_hero, plain_name)


def themed_of_any(rng: random.Random) -> Row:
    """The same with a theme."""
    return themed(rng, hero_of=plain_hero, name_of=plain_name)


def themed_never(rng: random.Random) -> Row:
    """The same of a theme that is held out."""
    return themed(rng, NEVER)


THEME = ["[Tell|Write] me a [short |little |nice |]story about {theme}[.|]", "[Tell|Write] a [short |]story about {theme}.", "A story about {theme}, please.",
         "I would like [to hear |]a story about {theme}.", "Make up a story about {theme}.", "A [fairy |]tale about {theme}.", "[Story|A story] about {theme}",
         "[Can|Could] you tell [me |]a story about {theme}?", "Do you know a story about {theme}?", "I want a story about {theme}.", "Give me a [story|tale] about {theme}.",
         "Write a story on {theme}.", "Tell a tale of {theme}.", "A short story on the theme of {theme}.", "Please write a story about {theme}.",
         "Tell me a story. It should be about {theme}.", "Tell me a bedtime story about {theme}."]
THEME_AND_HERO = ["[Tell|Write] me a [short |]story about {a} [called|named] {name} and {theme}.", "[Tell|Write] [me |]a story about {theme} with {a} [called|named] {name}.",
                  "A story about {theme} with {a} [called|named] {name}, please.", "[Tell|Write] a story about {theme} and {a} [called|named] {name}.",
                  "[Tell|Write] me a story about {name} the {hero} and {theme}.", "A tale of {a} [called|named] {name}, about {theme}.", "Make up a story about {theme}. The hero is {a} [called|named] {name}.",
                  "[Tell|Write] a story with {a} [called|named] {name} about {theme}.",
                  "[Tell|Write] [me |]a [short |]story about {a} [called|named] {name} [who|that] {does} {theme}.", "A story of {a} [called|named] {name} who {does} {theme}[.|, please.]", "I would like a story about {theme} and {name} the {hero}."]

DOMAIN = Domain("stories", 4, [
    Topic(tale, ["[Tell|Write] me a [short |little |]story about {a} [called|named] {name}.", "[Tell|Write] a [short |]story about {a} [called|named] {name}.",
                 "A story about {a} [called|named] {name}, please.", "Write a story about {name} the {hero}.",
                 "I would like [to hear |]a story about {a} [called|named] {name}.", "Tell me about {a} [called|named] {name}.",
                 "Make up a story about {a} whose name is {name}.", "Can you tell [me |]a story about {a} [called|named] {name}?",
                 "Tell me the story of {name} the {hero}.", "Give me a tale about {a} [called|named] {name}."],
          ["Could you write a short story about {a} named {name}?", "Invent a story with {a} called {name}."], "{story}",
          follow_ups=["And one about {a} [called|named] {name}.", "Now one about {a} [called|named] {name}."], weight=2, exact=True),
    Topic(tale_of_known, ["[Tell|Write] me a [short |little |]story about {a}.", "[Tell|Write] a [short |]story about {a}.", "A story about {a}, please.",
                 "I would like [to hear |]a story about {a}.", "Make up a story about {a}.", "Can you tell [me |]a story about {a}?",
                 "A [fairy |]tale about {a}.", "Story about {a}", "Do you know a story about {a}?"],
          ["Could you write a short story about {a}?", "Invent a story with {a}."], "{story}",
          follow_ups=["And one about {a}.", "Now one about {a}.", "Another one, about {a}."], weight=2),
    Topic(themed_of_any, THEME, ["Could you write a short story about {theme}?", "Invent a story about {theme}."], "{story}",
          follow_ups=["And one about {theme}.", "Now one about {theme}.", "Another one, about {theme}."], weight=4, exact=True),
    Topic(themed, THEME_AND_HERO, ["Invent a story about {theme} with {a} called {name}."], "{story}", weight=2.2, exact=True),
    Topic(themed_of_named, ["[Tell|Write] me a [short |]story about {name} and {theme}.", "A story about {name} and {theme}, please.",
                   "[Tell|Write] a story about {theme} [with|and] {name}."],
          ["Invent a story about {name} and {theme}."], "{story}", weight=0.8, exact=True),
    Topic(themed_of_known, ["[Tell|Write] me a [short |]story about {a} and {theme}.", "A story about {a} and {theme}, please.", "[Tell|Write] a story about {theme} [with|and] {a}.",
                   "A [story|tale] with {a} about {theme}."],
          ["Invent a story about {a} and {theme}."], "{story}", weight=0.9, exact=True),
    Topic(tale_of_named, ["[Tell|Write] me a [short |little |]story about {name}.", "A story about {name}, please.", "Tell a story [about|with] {name}.",
                 "Make up a story about {name}.", "Can you tell me a story about {name}?"],
          ["Could you write a short story about {name}?"], "{story}", exact=True),
    Topic(tale_of_any, ["[Tell|Write] me a [short |nice |]story.", "[Tell|Write] a story.", "A story, please.", "Do you know a [story|tale]?",
                 "I want to hear a story.", "Can you tell a story?", "Tell me another story.", "Another story, please."],
          ["Could you tell me a tale?"], "{story}", follow_ups=["Another one.", "One more.", "Another story, please."], weight=0.7),
])
