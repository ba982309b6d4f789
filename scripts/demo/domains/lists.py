"""Lists of words or numbers to sort, reverse, count or look into.

A list with a number of two digits is sorted in two steps: tens by tens, then without them. So each digit is the least of a few
digits, which a small model learns, where the least of a few numbers it does not.
"""

import random

from demo.domains.nouns import THINGS, made_up
from demo.topic import Domain, Row, Topic

WORDS = """apple banana bear cat cherry dog door egg fish fox grape horse key lemon lion milk moon orange peach pear rain river star
    sun tree wolf""".split()


OTHERS = """one two three four five six seven eight nine ten red blue green black white Anna Tom Ben Mia Paul Lena house table chair
    lamp stone water bread salt tea soup ship train car boat plane bike snow wind cloud mouse sheep tiger plum melon paris london
    monday friday may june hat coat shoe ring ball book pen cup plate king queen boy girl garden forest mountain village city
    bridge music story dream night morning winter summer gold silver iron paper milk sugar cheese pepper onion carrot potato""".split()
"""Words that are not to be sorted."""


def numbers(rng: random.Random) -> list[int]:
    """Different numbers, at times only digits, at times of the same few tens."""
    count, chance = rng.choices([2, 3, 4, 5, 6], [1.5, 5, 5, 2.5, 2])[0], rng.random()
    if chance < 0.35:
        return rng.sample(range(0 if chance < 0.1 else 1, 10), count)
    if chance < 0.5:
        return rng.sample([10 * tens + one for tens in rng.sample(range(10), 2) for one in range(10)], count)
    return rng.sample(range(100), count)


def by_tens(items: list[int], step: int) -> str:
    """The working: tens with their numbers, upwards (step 1) or downwards (-1). Digits alone need none."""
    if max(items) < 10:
        return ""
    tens = sorted({item // 10 for item in items})[::step]
    found = [", ".join(str(item) for item in sorted(items)[::step] if item // 10 == ten) for ten in tens]
    return "By tens: " + "; ".join(f"{ten}: {some}" for ten, some in zip(tens, found, strict=True)) + ". "


def row(rng: random.Random, items: list, kind: str) -> Row:
    """The list with everything that is asked about it."""
    show = lambda found: ", ".join(map(str, found))  # noqa: E731
    around = "[{}]" if kind == "numbers" and rng.random() < 0.15 else "{}"
    join = rng.choice([", ", ", ", " ", ","]) if kind == "numbers" or rng.random() < 0.3 else ", "
    listed = join.join(map(str, items))
    if around == "{}" and join == ", " and rng.random() < 0.12:
        listed = f"{show(items[:-1])} and {items[-1]}"
    up, down = (by_tens(items, 1), by_tens(items, -1)) if kind == "numbers" else ("", "")
    return {"list": around.format(listed), "kind": kind, "up": up, "sorted": show(sorted(items)), "downwards": down,
            "down": show(sorted(items, reverse=True)), "reversed": show(items[::-1]), "first": items[0], "last": items[-1],
            "count": len(items), "most": max(items), "least": min(items)}


def number_list(rng: random.Random) -> Row:
    return row(rng, numbers(rng), "numbers")


def word_list(rng: random.Random) -> Row:
    return row(rng, rng.sample(WORDS, rng.choices([2, 3, 4, 5, 6], [1.5, 5, 4, 2, 1.5])[0]), "words")


def other_list(rng: random.Random) -> Row:
    words = rng.sample(OTHERS if rng.random() < 0.5 else THINGS, rng.choices([2, 3, 4, 5, 6], [1.5, 5, 4, 3, 2.5])[0])
    return row(rng, [made_up(rng) if rng.random() < 0.06 else word for word in words], "words")


def any_list(rng: random.Random) -> Row:
    return rng.choice([number_list, word_list, other_list])(rng)


DOMAIN = Domain("lists", 3.6, [
    Topic(number_list, ["Sort [these |the |these numbers: |the numbers |]{list}[.|]", "Sort the list {list}.", "Sort [these|the] numbers: {list}",
                        "Put {list} in order.", "[Order|Arrange] [these numbers: |the numbers |]{list}[.|]", "Sort {list} from small to large.", "Sort {list}", "[Sort|Order] {list}, please.", "Sort {list} from [smallest to largest|least to greatest].",
                        "{list} sorted[?|]", "Sort the following numbers: {list}",
                        "[Put|Bring] these numbers in order: {list}", "{list}: sort [them|this|it].", "What is {list} sorted?",
                        "[Can you|Could you] sort {list}?", "Write {list} in ascending order."],
          ["Please sort the numbers {list}.", "Can you put these numbers in order: {list}"], "{up}Sorted: {sorted}.", "{up}Sorted: {sorted}.", same=["Sort them.", "Now sort it.", "And sorted?"],
          weight=4),
    Topic(word_list, ["Sort [these words: |the words |]{list}[.|]", "Sort the list {list}.", "Put {list} in [alphabetical |]order.",
                      "[Order|Arrange] [these words: |the words |]{list}[.|]", "Sort {list} by the alphabet.", "{list}: sort [them|this|it].",
                      "[Put|Bring] these words in alphabetical order: {list}", "[Can you|Could you] sort {list}?", "Sort {list} alphabetically.",
                      "Sort these words by alphabet: {list}", "What is {list} sorted?"],
          ["Please sort the words {list}.", "Which order do {list} have in the alphabet?"], "Sorted: {sorted}.", "Sorted: {sorted}.", same=["Sort them.", "Now sort it.", "And sorted?"],
          weight=2, exact=True),
    Topic(any_list, ["Reverse [these |the list |the order of |these {kind}: |]{list}[.|]", "Reverse: {list}", "Turn {list} around.", "What is {list} backwards?",
                     "[Write|Say|List] {list} backwards.", "{list}: reverse [them|this|it].", "{list} in reverse[| order]", "What is the reverse of {list}?",
                     "[Can you|Could you] reverse {list}?", "[Write|Put] {list} in reverse order.", "Read {list} from the end to the beginning."],
          ["Please reverse the list {list}.", "Give me {list} in the opposite order."], "Reversed: {reversed}.", "Reversed: {reversed}.", same=["Reverse [them|it].", "And backwards?", "Now reverse it."],
          weight=3, exact=True),
    Topic(number_list, ["Sort {list} from large to small.", "Sort {list} in descending order.", "Put {list} in descending order.", "Sort {list} downwards.",
                        "[Order|Arrange] {list} from largest to smallest.", "Largest first: sort {list}.",
                        "Sort {list} from [biggest to smallest|high to low|greatest to least].", "[Sort|Order] {list}, largest first."],
          ["Sort {list} so that the largest comes first."], "{downwards}Sorted: {down}.",
          "{downwards}Sorted: {down}.", same=["[Now |]from large to small.", "And downwards?"], weight=2),
    Topic(any_list, ["[What|Which] is the first of {list}?", "[What|Which] comes first in {list}?", "[Name|Tell me] the first of {list}.", "First of {list}?",
                     "[What|Which] is the first item of {list}?"], ["Which one stands first in {list}?"],
          "The first is {first}.", "{first}.", same=["Which is the first?", "And the first?"], weight=0.6, exact=True),
    Topic(any_list, ["[What|Which] is the last of {list}?", "[What|Which] comes last in {list}?", "[Name|Tell me] the last of {list}.", "Last of {list}?",
                     "[What|Which] is the last item of {list}?"], ["Which one stands last in {list}?"],
          "The last is {last}.", "{last}.", same=["Which is the last?", "And the last?"], weight=0.6, exact=True),
    Topic(any_list, ["How many [items|{kind}] are in {list}?", "How many [items|{kind}] has the list {list}?", "Count [these |the {kind} |]{list}[.|]",
                     "Count the items of {list}.", "How long is the list {list}?"], ["What is the number of {kind} in {list}?"],
          "There are {count}.", "{count}.", same=["How many are there?", "And how many are these?"], weight=0.9, exact=True),
    Topic(number_list, ["[What|Which] is the [largest|greatest|biggest|highest] of {list}?", "[Largest|Biggest] of {list}?", "[What|Which] is the maximum of {list}?",
                        "[Find|Name|Tell me] the [largest|biggest|highest] of {list}.", "[Which|What] number is the [largest|biggest] in {list}?"],
          ["Which of {list} is the largest?"], "The largest is {most}.", "{most}.", same=["Which is the largest?", "And the largest?"], weight=0.8, exact=True),
    Topic(number_list, ["[What|Which] is the [smallest|least|lowest] of {list}?", "[Smallest|Lowest] of {list}?", "[What|Which] is the minimum of {list}?",
                        "[Find|Name|Tell me] the [smallest|lowest] of {list}.", "[Which|What] number is the [smallest|lowest] in {list}?"],
          ["Which of {list} is the smallest?"], "The smallest is {least}.", "{least}.", same=["Which is the smallest?", "And the smallest?"], weight=0.8,
          exact=True),
])
