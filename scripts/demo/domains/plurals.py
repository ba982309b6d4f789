"""Nouns and their plurals. Some regular ones are never trained with."""

import random

from demo.domains import claims
from demo.domains.nouns import MORE_NOUNS, THINGS, made_up_noun, plural
from demo.topic import Domain, Row, Topic, split, table

IRREGULAR = """man men, woman women, child children, foot feet, tooth teeth, goose geese, mouse mice, ox oxen, sheep sheep,
    fish fish, deer deer, leaf leaves, knife knives, wife wives, life lives, wolf wolves, half halves, person people,
    potato potatoes, tomato tomatoes, hero heroes, thief thieves, loaf loaves, shelf shelves, calf calves, elf elves,
    scarf scarves, echo echoes, cactus cacti, crisis crises, aircraft aircraft, series series, louse lice,
    policeman policemen, fireman firemen, snowman snowmen, grandchild grandchildren, housewife housewives"""
ENDING_IN_Y = "city baby story lady fly family country party berry cherry library army body puppy pony spy enemy copy diary factory"
HISSING = "box bus glass church dish fox watch bench brush class dress kiss match beach branch sandwich witch tax peach wish lunch boss"
REGULAR = """cat dog house tree car book table bird river key boy day model expert apple chair door window garden flower horse
    cow pig hen duck frog bear lion tiger elephant monkey rabbit snake king queen teacher doctor farmer friend brother
    sister mother father girl ship boat train plane road street bridge hill mountain lake island cloud star stone rock
    letter word song game ball toy doll shirt shoe hat coat pen pencil lamp clock phone computer machine wheel engine
    egg cup plate spoon fork bottle bag basket ring nose ear eye hand finger arm leg hour week month year town village
    school shop market field farm rose tulip banana orange lemon carrot onion""".split()

REGULAR_ROWS = split([{"one": word, "many": word + "s"} for word in REGULAR], 12)
ROWS = [
    *table(IRREGULAR, "one", "many"),
    *({"one": word, "many": word[:-1] + "ies"} for word in ENDING_IN_Y.split()),
    *({"one": word, "many": word + "es"} for word in HISSING.split()),
    *REGULAR_ROWS[0],
]

KNOWN = {row["one"] for row in ROWS + REGULAR_ROWS[1]}
MORE = [{"one": word, "many": plural(word)} for word in dict.fromkeys(THINGS + MORE_NOUNS) if word not in KNOWN]


def any_noun(rng: random.Random) -> Row:
    """One more regular noun, often one that does not exist: those who were asked for many form plurals by the rule."""
    word = made_up_noun(rng)
    return {"one": word, "many": plural(word)} if rng.random() < 0.45 else rng.choice(MORE)


def claim(rng: random.Random) -> Row:
    """A noun with its plural, or with a wrong one."""
    row = rng.choice(ROWS) if rng.random() < 0.6 else any_noun(rng)
    one, many = str(row["one"]), row["many"]
    wrong = [form for form in (one + "s", one + "es", one + "en", one, one[:-1] + "ies", one[:-1] + "ves", one + "ies") if form != many]
    return row | claims.said(rng, many, wrong[:2] if rng.random() < 0.6 else wrong)


ASK = ["[What is|What's] the plural of {one}[?|]", "[Tell me|Name|Give me|Say] the plural of {one}[.|]", "What's {one} in the plural?", "{one} plural[?|]",
       "plural {one}", "More than one {one}?", "What are two {one} called?", "Tell me, what is the plural of the word {one}?", "[Plural of|The plural of] {one}?",
       "Give the plural of {one}.", 'What is the plural of "{one}"?', "Plural of '{one}'?", "One {one}, two what?", "How do you [write|form|spell|make] the plural of {one}?",
       "What is the plural [form of|of the word|of the noun] {one}?", "{one}: what is the plural?", "plural of {one}",
       "[Which|What] word is the plural of {one}?", "The plural of {one} is what?", "I need the plural of {one}.",
       "One {one}, many what?", "What do you call two of {one}?", "Put {one} into the plural.",
       "What do we call more than one {one}?", "Make {one} plural.",
       "[Tell me|Say] the form for [many|several|two] of {one}.", "{one}, plural[?|]", "{one} in the plural form?",
       "There is one {one}. [Now there are two|Here are many]. What are they?", "If I have two of {one}, what do I have?",
       "Could you form the plural of {one}?", "[If it is not|Not] one {one}, but two [what|of what]?", "What are many of {one}?",
       "Change {one} to [its |the ]plural.", "What does {one} become when there are two?"]
HELD_OUT = ["Do you know the plural of {one}?", "What is the word for more than one {one}?", "Can you give me the plural of {one}?",
            "How do you say {one} in the plural?", "What would the plural of {one} be?"]
AND = ["And {one}?", "[What|How] about {one}?", "And of {one}?", "And the plural of {one}?", "Now {one}."]

DOMAIN = Domain("plurals", 2.1, [
    Topic(ROWS, ASK, HELD_OUT, "The plural of {one} is {many}.", "{many}.",
          follow_ups=AND, held_out_rows=REGULAR_ROWS[1]),
    Topic(any_noun, ASK, [], "The plural of {one} is {many}.", "{many}.", follow_ups=AND, weight=1.8),
    Topic(claim, ["Is {said} the plural of {one}?", "Is the plural of {one} {said}?", "Is it true that the plural of {one} is {said}?",
                  "The plural of {one} is {said}, right?", "One {one}, two {said}[: right|, is that right]?", "{said} is the plural of {one}, isn't it?"],
          ["Would you say that {said} is the plural of {one}?"], "The plural of {one} is {many}, {judged}.", "{many}, {judged}.", weight=0.7),
])
