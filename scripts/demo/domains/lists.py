"""Lists of words or numbers to sort, reverse, count or look into.

A list with a number of two digits is sorted in two steps: a walk through all ten tens that names at each the numbers with it, then
the numbers alone. Words are sorted by a walk through the alphabet. So each step only asks which of the list begin with this
digit or letter, which a small model learns, where the least of a few numbers or words it does not.
"""

import random

from demo.domains.nouns import THINGS, made_up
from demo.domains.out_of_reach import DECLINE
from demo.topic import Domain, Row, Topic

WORDS = """apple banana bear cat cherry dog door egg fish fox grape horse key lemon lion milk moon orange peach pear rain river star
    sun tree wolf""".split()
OTHERS = """one two three four five six seven eight nine ten red blue green black white Anna Tom Ben Mia Paul Lena house table chair
    lamp stone water bread salt tea soup ship train car boat plane bike snow wind cloud mouse sheep tiger plum melon paris london
    monday friday may june hat coat shoe ring ball book pen cup plate king queen boy girl garden forest mountain village city
    bridge music story dream night morning winter summer gold silver iron paper milk sugar cheese pepper onion carrot potato""".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def numbers(rng: random.Random) -> list[int]:
    """Different numbers, at times only digits, at times of the same few tens."""
    count, chance = rng.choices([2, 3, 4, 5, 6], [1.5, 4, 4.5, 4, 4])[0], rng.random()
    if chance < 0.25:
        return rng.sample(range(0 if chance < 0.08 else 1, 10), count)
    if chance < 0.4:
        return rng.sample([10 * tens + one for tens in rng.sample(range(10), 2) for one in range(10)], count)
    return rng.sample(range(100), count)


def by_tens(items: list[int], step: int) -> str:
    """The working: all tens with their numbers, upwards (step 1) or downwards (-1). Digits alone need none."""
    if max(items) < 10:
        return ""
    found = [", ".join(str(item) for item in sorted(items)[::step] if item // 10 == ten) for ten in range(10)]
    return "By tens: " + "; ".join(f"{ten}: {found[ten]}" if found[ten] else str(ten) for ten in range(10)[::step]) + ". "


def by_letters(items: list[str]) -> str:
    """The working: the alphabet with the words that begin with each letter, "a: apple; b c: cat; d e"."""
    walk = ""
    for letter in LETTERS:
        found = sorted((item for item in items if item[0].lower() == letter), key=str.lower)
        walk += f"{letter}: {', '.join(found)}; " if found else f"{letter} "
    return f"By letters: {walk.rstrip('; ')}. "


def row(rng: random.Random, items: list, kind: str) -> Row:
    """The list with everything that is asked about it."""
    show = lambda found: ", ".join(map(str, found))  # noqa: E731
    around = "[{}]" if kind == "numbers" and rng.random() < 0.15 else "{}"
    join = rng.choice([", ", ", ", " ", ","]) if kind == "numbers" or rng.random() < 0.3 else ", "
    listed = join.join(map(str, items))
    if around == "{}" and join == ", " and rng.random() < 0.12:
        listed = f"{show(items[:-1])} and {items[-1]}"
    up, down = (by_tens(items, 1), by_tens(items, -1)) if kind == "numbers" else (by_letters(items), "")
    order = sorted(items, key=lambda item: str(item).lower() if kind == "words" else item)
    return {"list": around.format(listed), "kind": kind, "up": up, "sorted": show(order), "downwards": down,
            "down": show(order[::-1]), "reversed": show(items[::-1]), "first": items[0], "last": items[-1],
            "count": len(items), "most": order[-1], "least": order[0]}


def number_list(rng: random.Random) -> Row:
    return row(rng, numbers(rng), "numbers")


def word_to_sort(rng: random.Random) -> str:
    """Any word, known or made up: which one it is does not matter."""
    return rng.choices([rng.choice(WORDS), rng.choice(OTHERS), rng.choice(THINGS), made_up(rng)], [3, 2.5, 3, 1.5])[0]


def word_list(rng: random.Random) -> Row:
    """Words to sort, mostly of different first letters."""
    count, alike, found = rng.choices([2, 3, 4, 5, 6], [1.5, 5, 5, 4, 3])[0], rng.random() < 0.15, {}
    while len(found) < count:
        word = word_to_sort(rng)
        found.setdefault(word.lower() if alike else word[0].lower(), word)
    return row(rng, list(found.values()), "words")


def other_list(rng: random.Random) -> Row:
    words = rng.sample(OTHERS if rng.random() < 0.5 else THINGS, rng.choices([2, 3, 4, 5, 6], [1.5, 5, 4, 3, 2.5])[0])
    return row(rng, [made_up(rng) if rng.random() < 0.06 else word for word in words], "words")


def too_much(rng: random.Random) -> Row:
    """A list that is too long to sort, or with numbers that are too large."""
    chance = rng.random()
    if chance < 0.4:
        return row(rng, rng.sample(range(100), rng.randint(8, 12)), "numbers")
    large = rng.sample(range(100, 200 if chance < 0.7 else 1000), rng.randint(1, 3))
    items = large + rng.sample(range(100), rng.randint(1, 3))
    rng.shuffle(items)
    return row(rng, items, "numbers")


def any_list(rng: random.Random) -> Row:
    return rng.choice([number_list, word_list, other_list])(rng)


SORT = ["Sort [these |the |these numbers: |the numbers |]{list}[.|]", "Sort the list {list}.", "Sort [these|the] numbers: {list}",
        "Put {list} in order.", "[Order|Arrange] [these numbers: |the numbers |]{list}[.|]", "Sort {list} from small to large.", "Sort {list}", "[Sort|Order] {list}, please.", "Sort {list} from [smallest to largest|least to greatest].",
        "{list} sorted[?|]", "Sort the following numbers: {list}",
        "[Put|Bring] these numbers in order: {list}", "{list}: sort [them|this|it].", "What is {list} sorted?",
        "[Can you|Could you] sort {list}?", "Write {list} in ascending order."]

DOMAIN = Domain("lists", 7, [
    Topic(number_list, SORT,
          ["Please sort the numbers {list}.", "Can you put these numbers in order: {list}"], "{up}Sorted: {sorted}.", "{up}Sorted: {sorted}.", same=["Sort them.", "Now sort it.", "And sorted?"],
          weight=4.5),
    Topic(too_much, SORT + ["Sort {list} from large to small."], [], DECLINE, DECLINE, weight=0.5),
    Topic(word_list, ["Sort [these words: |the words |]{list}[.|]", "Sort the list {list}.", "Put {list} in [alphabetical |]order.",
                      "[Order|Arrange] [these words: |the words |]{list}[.|]", "Sort {list} by the alphabet.", "{list}: sort [them|this|it].",
                      "[Put|Bring] these words in alphabetical order: {list}", "[Can you|Could you] sort {list}?", "Sort {list} alphabetically.",
                      "Sort these words by alphabet: {list}", "What is {list} sorted?",
                      "Give {list} in alphabetical order.", "How are {list} ordered [by the alphabet|alphabetically]?", "Alphabetical order of {list}?",
                      "In which order come {list}?", "Which of {list} comes first in a dictionary, which next?", "By the alphabet: {list}"],
          ["Please sort the words {list}.", "Which order do {list} have in the alphabet?"], "{up}Sorted: {sorted}.", "{up}Sorted: {sorted}.", same=["Sort them.", "Now sort it.", "And sorted?"],
          weight=2.6, exact=True),
    Topic(any_list, ["Reverse [these |the list |the order of |these {kind}: |]{list}[.|]", "Reverse: {list}", "Turn {list} around.", "What is {list} backwards?",
                     "[Write|Say|List] {list} backwards.", "{list}: reverse [them|this|it].", "{list} in reverse[| order]", "What is the reverse of {list}?",
                     "[Can you|Could you] reverse {list}?", "[Write|Put] {list} in reverse order.", "Read {list} from the end to the beginning.",
                     "Give me {list} backwards.", "{list} the other way round[?|.]", "Show {list} from the end.", "Print {list} in reverse order.",
                     "[Flip|Invert] {list}.", "What do I get if I reverse {list}?", "Say {list} from back to front."],
          ["Please reverse the list {list}.", "Give me {list} in the opposite order."], "Reversed: {reversed}.", "Reversed: {reversed}.", same=["Reverse [them|it].", "And backwards?", "Now reverse it."],
          weight=3, exact=True),
    Topic(number_list, ["Sort {list} from large to small.", "Sort {list} in descending order.", "Put {list} in descending order.", "Sort {list} downwards.",
                        "[Order|Arrange] {list} from largest to smallest.", "Largest first: sort {list}.",
                        "Sort {list} from [biggest to smallest|high to low|greatest to least].", "[Sort|Order] {list}, largest first."],
          ["Sort {list} so that the largest comes first."], "{downwards}Sorted: {down}.",
          "{downwards}Sorted: {down}.", same=["[Now |]from large to small.", "And downwards?"], weight=2.4),
    Topic(any_list, ["Of {list}, which is the first?", "With what does {list} begin?", "[What|Which] is the first of {list}?", "[What|Which] comes first in {list}?", "[Name|Tell me] the first of {list}.", "First of {list}?",
                     "[What|Which] is the first item of {list}?"], ["Which one stands first in {list}?"],
          "The first is {first}.", "{first}.", same=["Which is the first?", "And the first?"], weight=0.6, exact=True),
    Topic(any_list, ["Of {list}, which is the last?", "With what does {list} end?", "[What|Which] is the last of {list}?", "[What|Which] comes last in {list}?", "[Name|Tell me] the last of {list}.", "Last of {list}?",
                     "[What|Which] is the last item of {list}?"], ["Which one stands last in {list}?"],
          "The last is {last}.", "{last}.", same=["Which is the last?", "And the last?"], weight=0.6, exact=True),
    Topic(any_list, ["How many [items|{kind}] are in {list}?", "How many [items|{kind}] has the list {list}?", "Count [these |the {kind} |]{list}[.|]",
                     "Count the items of {list}.", "How long is the list {list}?",
                     "Tell me how many {kind} are in {list}.", "{list}: how many {kind} are these?", "Number of {kind} in {list}?", "What is the length of {list}?",
                     "I see {list}. How many {kind} is that?", "How many {kind} do you count in {list}?"], ["What is the number of {kind} in {list}?"],
          "There are {count}.", "{count}.", same=["How many are there?", "And how many are these?"], weight=0.9, exact=True),
    Topic(number_list, ["[What|Which] is the [largest|greatest|biggest|highest] of {list}?", "[Largest|Biggest] of {list}?", "[What|Which] is the maximum of {list}?",
                        "[Find|Name|Tell me] the [largest|biggest|highest] of {list}.", "[Which|What] number is the [largest|biggest] in {list}?",
                        "Of {list}, which is the [largest|biggest]?", "Among {list}, what is the [largest|highest]?", "Give me the [largest|maximum|biggest] of {list}.",
                        "{list}: which is the [largest|biggest]?", "The [largest|biggest] number of {list}?"],
          ["Which of {list} is the largest?"], "The largest is {most}.", "{most}.", same=["Which is the largest?", "And the largest?"], weight=0.8, exact=True),
    Topic(number_list, ["[What|Which] is the [smallest|least|lowest] of {list}?", "[Smallest|Lowest] of {list}?", "[What|Which] is the minimum of {list}?",
                        "[Find|Name|Tell me] the [smallest|lowest] of {list}.", "[Which|What] number is the [smallest|lowest] in {list}?",
                        "Of {list}, which is the smallest?", "Among {list}, what is the [smallest|lowest]?", "Give me the [smallest|minimum|lowest] of {list}.",
                        "{list}: which is the [smallest|lowest]?", "The smallest number of {list}?"],
          ["Which of {list} is the smallest?"], "The smallest is {least}.", "{least}.", same=["Which is the smallest?", "And the smallest?"], weight=0.8,
          exact=True),
])
