"""Words and their opposites."""

from demo.topic import Domain, Topic

PAIRS = """hot cold, big small, fast slow, high low, up down, left right, old new, good bad, day night, open closed, hard soft,
    light dark, long short, rich poor, wet dry, early late, full empty, loud quiet, happy sad, strong weak, young old,
    thick thin, wide narrow, deep shallow, near far, clean dirty, easy difficult, true false, first last, sweet sour,
    heavy light, love hate, black white, inside outside, above below, always never, begin end, win lose, push pull,
    friend enemy"""
ROWS = [{"word": word, "opposite": opposite} for word, opposite in (pair.split() for pair in PAIRS.split(","))]
# A word's opposite the other way round, where the word is not in the list with another one.
KNOWN = {row["word"] for row in ROWS}
ROWS += [{"word": row["opposite"], "opposite": row["word"]} for row in ROWS if row["opposite"] not in KNOWN]

DOMAIN = Domain("opposites", 1.2, [
    Topic(ROWS, ["What is the opposite of {word}?", "Opposite of {word}?", "Tell me the opposite of {word}.",
                 "Which word is the opposite of {word}?", "What is the contrary of {word}?", "Give the opposite of {word}."],
          ["Do you know the opposite of {word}?", "Name the word that is opposite to {word}."],
          "The opposite of {word} is {opposite}.", "{opposite}.", ["And {word}?", "What about {word}?", "And of {word}?"]),
])
