"""Nouns and their plurals."""

from demo.topic import Domain, Topic

PAIRS = """cat cats, dog dogs, house houses, tree trees, car cars, book books, table tables, bird birds, river rivers, city cities,
    baby babies, story stories, lady ladies, fly flies, box boxes, bus buses, glass glasses, church churches, dish dishes,
    fox foxes, man men, woman women, child children, foot feet, tooth teeth, goose geese, mouse mice, ox oxen, sheep sheep,
    fish fish, deer deer, leaf leaves, knife knives, wife wives, life lives, wolf wolves, half halves, person people,
    potato potatoes, tomato tomatoes, hero heroes, key keys, boy boys, day days, model models, expert experts"""
ROWS = [{"one": one, "many": many} for one, many in (pair.split() for pair in PAIRS.split(","))]

DOMAIN = Domain("plurals", 1.0, [
    Topic(ROWS, ["What is the plural of {one}?", "Plural of {one}?", "Tell me the plural of {one}.",
                 "Give the plural of {one}.", "One {one}, two what?", "How do you write the plural of {one}?"],
          ["Do you know the plural of {one}?", "What is the word for more than one {one}?"],
          "The plural of {one} is {many}.", "{many}.", ["And {one}?", "What about {one}?", "And of {one}?"]),
])
