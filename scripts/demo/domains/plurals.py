"""Nouns and their plurals. Some regular ones are never trained with, and many that do not exist are: so the rules are learned."""

import random

from demo.domains import claims
from demo.domains.nouns import MORE_NOUNS, THINGS, made_up_noun, plural
from demo.topic import Domain, Row, Topic, split, table

IRREGULAR = """man men, woman women, child children, foot feet, tooth teeth, goose geese, mouse mice, ox oxen, sheep sheep,
    fish fish, deer deer, leaf leaves, knife knives, wife wives, life lives, wolf wolves, half halves, person people,
    potato potatoes, tomato tomatoes, hero heroes, thief thieves, loaf loaves, shelf shelves, calf calves, elf elves,
    scarf scarves, echo echoes, cactus cacti, crisis crises, aircraft aircraft, series series, louse lice,
    policeman policemen, fireman firemen, snowman snowmen, grandchild grandchildren, housewife housewives,
    gentleman gentlemen, postman postmen, milkman milkmen, salesman salesmen, fisherman fishermen, chairman chairmen, horseman horsemen,
    craftsman craftsmen, policewoman policewomen, saleswoman saleswomen, stepchild stepchildren, schoolchild schoolchildren,
    dormouse dormice, hoof hooves, self selves, bookshelf bookshelves, midwife midwives, penknife penknives, werewolf werewolves,
    volcano volcanoes, mosquito mosquitoes, torpedo torpedoes, piano pianos, photo photos, radio radios, video videos, studio studios,
    zoo zoos, kilo kilos, roof roofs, cliff cliffs, chef chefs, reef reefs, belief beliefs, proof proofs, safe safes, giraffe giraffes,
    oasis oases, analysis analyses, thesis theses, hypothesis hypotheses, species species, moose moose, salmon salmon, trout trout,
    spacecraft spacecraft, quiz quizzes, human humans, German Germans, Roman Romans, bacterium bacteria, phenomenon phenomena"""
ENDING_IN_Y = "city baby story lady fly family country party berry cherry library army body puppy pony spy enemy copy diary factory"
HISSING = "box bus glass church dish fox watch bench brush class dress kiss match beach branch sandwich witch tax peach wish lunch boss"
REGULAR = """cat dog house tree car book table bird river key boy day model expert apple chair door window garden flower horse
    cow pig hen duck frog bear lion tiger elephant monkey rabbit snake king queen teacher doctor farmer friend brother
    sister mother father girl ship boat train plane road street bridge hill mountain lake island cloud star stone rock
    letter word song game ball toy doll shirt shoe hat coat pen pencil lamp clock phone computer machine wheel engine
    egg cup plate spoon fork bottle bag basket ring nose ear eye hand finger arm leg hour week month year town village
    school shop market field farm rose tulip banana orange lemon carrot onion""".split()

NEW = """accident address adventure airport alarm album alphabet ambulance animal ankle answer ant apartment appointment arch armchair
    ash atlas attic avenue avocado award backpack baggage balcony bakery band barbecue basement bath bathtub bay beaver beggar
    bikini bill blackboard blister bomb bonus bookcase bookshop bracket breeze bride broom bruise bubblegum buffet bulb bungalow burger bus
    butcher buzz cab cafe cage calf canal cap captain caravan carnation carton cashier casserole caterpillar cauliflower cave cellar cello
    cheetah cherry chestnut chick chimpanzee choir cigar cinema circus classroom cliffhanger coach cobweb coffin collector college column
    comet comma computer container continent convoy corridor costume cough cowboy crash crate creature cricket crocodile crossroad crowd
    crutch cucumber cupboard daffodil dam date daughter debt deck decoy delay dentist desert dictionary dinosaur discovery dolphin donut
    drain duty earthquake editor elf emperor empress emergency eyebrow fairy fan faucet fawn ferret ferryboat fireman flamingo flea fleet
    flood floor flute fly forest fortune fossil foyer freckle fridge fuse galley garment gazelle geyser ghost giggle gnome gorilla grave
    greyhound handle haystack headache hearse hedgehog heir hinge hippopotamus holly hook hostess hurricane husky hyena iceberg
    igloo inbox inch ivy jackal jay jersey jockey joy jungle keyboard kidney kiosk koala label laboratory lake lamb lane laptop lass lens
    liar lily lobby lorry lynx machine magpie mammal mango mansion mare maze melody mermaid minister mistress moss motorway mushroom
    napkin nightmare notebook nugget nursery oak octagon ointment omelette orchard orchestra organ otter outbox paddle pansy parade park
    parsley pastry patio pavement peach pearl pebble pharmacy phoenix pickle pier pillowcase pinch pixel platypus pod porcupine postbox
    potion pouch prairie prison pulley pyramid quarry queue quest raccoon radish railing rainbow raisin ranch rattle reindeer relay
    religion restaurant rhinoceros ritual rodent rooftop ruby saucer scholar scooter seagull seahorse shampoo shark shepherdess shoebox
    shovel shuttle skyscraper sloth smash snack sock sofa solution splash sponge spy squid squash staircase starfish stewardess storey
    stranger strategy submarine subway suitcase sunflower surgery survey symphony tablet tadpole tapestry taxi teammate telescope tenant
    thermos thief thistle thrush toaster tomb tooth torpedo tourist trench triangle tributary trolley trousers trophy tulip tuxedo
    twin typewriter unicorn vacancy vampire vegetable vehicle vest viaduct vineyard virus vixen volunteer walkway waltz warehouse warrior
    wasp waterfall wave weasel weed widow witch wizard workshop wreath wreck yard yolk zealot""".split()
"""More nouns of all endings; those whose plurals no rule tells are taken out below."""
NO_RULE = "flamingo tuxedo mango avocado elf calf thief tooth torpedo fireman starfish squid reindeer hippopotamus trousers baggage parsley moss cafe".split()

REGULAR_ROWS = split([{"one": word, "many": word + "s"} for word in REGULAR], 12)
KNOWN_BEFORE = {word for pair in table(IRREGULAR, "one", "many") for word in pair.values()} | {*ENDING_IN_Y.split(), *HISSING.split(), *REGULAR, *THINGS, *MORE_NOUNS}
NEW_ROWS = split([{"one": word, "many": plural(word)} for word in NEW if word not in KNOWN_BEFORE and word not in NO_RULE], 6)
ROWS = [
    *table(IRREGULAR, "one", "many"),
    *({"one": word, "many": word[:-1] + "ies"} for word in ENDING_IN_Y.split()),
    *({"one": word, "many": word + "es"} for word in HISSING.split()),
    *REGULAR_ROWS[0],
]
LEFT_OUT = REGULAR_ROWS[1] + NEW_ROWS[1]

KNOWN = {row["one"] for row in ROWS + LEFT_OUT}
MORE = [{"one": word, "many": plural(word)} for word in dict.fromkeys(THINGS + MORE_NOUNS) if word not in KNOWN] + NEW_ROWS[0]
STEMS = [row["one"] for row in MORE if row["one"][-1] not in "fo" and not row["one"].endswith(("fe", "man"))]
SHORT = [word for word in STEMS if len(word) < 6]


def changed(rng: random.Random) -> str:
    """A real noun with a letter that is another one, so that its stem has to be copied."""
    word = rng.choice(STEMS)
    i = rng.randrange(max(1, len(word) - 3))
    return word[:i] + rng.choice("aeiou" if word[i] in "aeiou" else "bdfglmnprstvw") + word[i + 1:]


def joined(rng: random.Random) -> str:
    """Two nouns in one, or a noun with an end that changes: a "snowbox", a "lampwoman"."""
    return rng.choice(SHORT) + (rng.choice(["man", "woman", "child", "wife", "mouse"]) if rng.random() < 0.25 else rng.choice(SHORT))


def form(word: str) -> str:
    """The plural of a made-up noun: of its last part, where that is irregular."""
    for one, many in (("man", "men"), ("child", "children"), ("wife", "wives"), ("mouse", "mice")):
        if word.endswith(one):
            return word.removesuffix(one) + many
    return plural(word)


def any_noun(rng: random.Random) -> Row:
    """One more regular noun, often one that does not exist: those who were asked for many form plurals by the rule."""
    if rng.random() < 0.35:
        return rng.choice(MORE)
    word = rng.choice([made_up_noun, changed, joined])(rng)
    return {"one": word, "many": form(word)} if word not in KNOWN else any_noun(rng)


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

DOMAIN = Domain("plurals", 3.4, [
    Topic(ROWS, ASK, HELD_OUT, "The plural of {one} is {many}.", "{many}.",
          follow_ups=AND, held_out_rows=LEFT_OUT),
    Topic(any_noun, ASK, [], "The plural of {one} is {many}.", "{many}.", follow_ups=AND, weight=2.2),
    Topic(claim, ["Is {said} the plural of {one}?", "Is the plural of {one} {said}?", "Is it true that the plural of {one} is {said}?",
                  "The plural of {one} is {said}, right?", "One {one}, two {said}[: right|, is that right]?", "{said} is the plural of {one}, isn't it?",
                  *claims.asked("{said} is the plural of {one}")],
          ["Would you say that {said} is the plural of {one}?"], "The plural of {one} is {many}, {judged}.", "{many}, {judged}.", weight=0.7),
])
