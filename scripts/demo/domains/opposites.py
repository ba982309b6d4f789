"""Words and their opposites."""

import random

from demo.domains import claims
from demo.topic import Domain, Row, Topic, table

PAIRS = """hot cold, big small, fast slow, high low, up down, left right, old new, good bad, day night, open closed, hard soft,
    light dark, long short, rich poor, wet dry, early late, full empty, loud quiet, happy sad, strong weak, young old,
    thick thin, wide narrow, deep shallow, near far, clean dirty, easy difficult, true false, first last, sweet sour,
    heavy light, love hate, black white, inside outside, above below, always never, begin end, win lose, push pull,
    friend enemy, warm cool, huge tiny, tall short, cheap expensive, alive dead, careful careless, more less, many
    few, everything nothing, yes no, before after, over under, in out, on off, north south, east west, summer winter,
    buy sell, give take, come go, remember forget, laugh cry, arrive leave, question answer, war peace, front back,
    top bottom, man woman, king queen, brother sister, mother father, boy girl, ugly beautiful, safe dangerous,
    healthy sick, possible impossible, increase decrease, fail pass, best worst"""
ROWS = table(PAIRS, "word", "opposite")
# A word's opposite the other way round, where the word is not in the list with another one.
KNOWN = {row["word"] for row in ROWS}
for row in list(ROWS):
    if row["opposite"] not in KNOWN:
        KNOWN.add(row["opposite"])
        ROWS.append({"word": row["opposite"], "opposite": row["word"]})



def claim(rng: random.Random) -> Row:
    """A word with its opposite, or with another word of the list."""
    row = rng.choice(ROWS)
    return row | claims.said(rng, row["opposite"], [word for word in WORDS if (word, row["word"]) not in EITHER_WAY and word != row["word"]])


WORDS = sorted(KNOWN)
EITHER_WAY = {(row[a], row[b]) for row in ROWS for a, b in (("word", "opposite"), ("opposite", "word"))}
ASK = ["[What is|What's] the opposite of {word}[?|]", "[Tell me|Name|Give me|Say] the opposite of {word}[.|]", "[Opposite of|The opposite of] {word}[?|]",
       "[Which|What] word is the opposite of {word}?", "What is the contrary of {word}?", "Give the opposite of {word}.", "[What is|What's] the opposite of \"{word}\"?",
       "Opposite of '{word}'?", "What is the [opposite of the word|antonym of] {word}?", "{word}: what is the opposite?", "opposite of {word}",
       "[Which|What] word means the opposite of {word}?", "The opposite of {word} is what?", "Not {word}, but what?", "{word} opposite[?|]", "opposite {word}",
       "If something is not {word}, what is it?", "I need the opposite of {word}.", "What is the reverse of {word}?", "{word}'s opposite[?|]",
       "Do you know a word that means the opposite of {word}?", "[Find|Say] a word [opposite to|that is the opposite of] {word}.",
       "Antonym of {word}?", "[What's|What is] [an|the] antonym [for|of] {word}?", "What is {word}'s opposite?", "[What is|What's] not {word}?",
       "What would be the opposite of {word}?", "Tell me what the opposite of {word} is.", "I am looking for the opposite of {word}.",
       "The contrary of {word}?", "What is opposite to {word}?", "{word} and its opposite?"]

DOMAIN = Domain("opposites", 1.9, [
    Topic(ROWS, ASK,
          ["Do you know the opposite of {word}?", "Name the word that is opposite to {word}.", "What word is opposite to {word}?",
           "Can you give me the opposite of {word}?", "How do you say the opposite of {word}?"],
          "The opposite of {word} is {opposite}.", "{opposite}.",
          follow_ups=["And {word}?", "[What|How] about {word}?", "And of {word}?", "And the opposite of {word}?", "Now {word}.", "{word}?"], weight=3),
    Topic(claim, ["Is {said} the opposite of {word}?", "Is the opposite of {word} {said}?", "Is it true that {said} is the opposite of {word}?",
                  "The opposite of {word} is {said}, right?", "{said} is the opposite of {word}, isn't it?", "Are {word} and {said} opposites?",
                  "Does {said} mean the opposite of {word}?"],
          ["Would you say that {said} is the opposite of {word}?"], "The opposite of {word} is {opposite}, {judged}.", "{opposite}, {judged}."),
])
