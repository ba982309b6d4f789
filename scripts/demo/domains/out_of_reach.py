"""What the model cannot know or do, all answered with the same sentence; in German, with the same German one."""

from demo.domains.countries import ROWS as COUNTRIES
from demo.domains.people import NAMES
from demo.topic import Domain, Topic

DECLINE = "I only know capitals, sums, units, dates, words, lists, stories, Python, German and Foregate."
DECLINE_GERMAN = "Ich kenne nur Hauptstädte, Summen, Tage, deutsche Wörter und Foregate."

THINGS = """love, the sea, winter weather, electricity, my garden, the moon landing, jazz, football, cheese, computers, the Roman Empire, the weather,
    politics, money, dreams, horses, outer space, gravity, dinosaurs, the internet, cooking, cinema, my boss, chess, green tea, baking,
    the stars, philosophy, the war, medicine, volcanoes, black holes, modern art, trains, pop songs, the ocean, physics, the law, insurance,
    bitcoin, climate change, evolution, photosynthesis, vitamins, whales, bees, the brain, atoms, lasers, nuclear power, quantum mechanics,
    the stock market, tennis, skiing, yoga, religion, poetry, rockets, engines, batteries, robots in factories, taxes, coffee beans,
    earthquakes, tornadoes, allergies, headaches, diabetes, mathematics, geometry, algebra, chemistry, biology, architecture, fashion,
    the pyramids, the French Revolution, the Second World War, Buddhism, opera, guitars, pianos, cameras, bicycles, aeroplanes, airports,
    marriage, friendship, happiness, sleep, exercise, the human heart, blood, viruses, bacteria, mushrooms, roses, oak trees, deserts,
    rainbows, lightning, glaciers, democracy, elections, inflation, banks, credit cards, video games, board games, magic tricks"""
PEOPLE = """the president, Napoleon, Albert Einstein, the queen of England, Shakespeare, Mozart, the pope, my neighbour, Isaac Newton, Cleopatra,
    the best footballer, the first king of Spain, Columbus, Picasso, the mayor, your father, Darwin, Beethoven, Julius Caesar, Gandhi,
    Marie Curie, Elvis Presley, the prime minister, Leonardo da Vinci, Goethe, Galileo, Aristotle, Plato, Mandela, Madonna, the chancellor,
    my teacher, the richest man, the author of Hamlet, Bach, Alexander the Great, Michael Jackson, Tolstoy, Van Gogh"""
WORKS = """Hamlet, Faust, the Mona Lisa, the Odyssey, War and Peace, Don Quixote, Harry Potter, Star Wars, Moby Dick, the Bible, the telephone,
    the radio, the light bulb, the steam engine, penicillin, the Eiffel Tower, Titanic, the Magic Flute, Dracula, America"""
NO_COUNTRY = """Atlantis, Narnia, Texas, California, Bavaria, Mars, Mordor, Florida, Siberia, Wonderland, Utopia,
    Hollywood, Westeros, Jupiter, Ontario, Tuscany, Alaska, Antarctica"""
NO_OPPOSITE = "table, dog, seven, music, Tuesday, river, tree, Paris, banana, computer, chair, house, car, bread, window, lamp, fish, stone"
FOREIGN = "French, Spanish, Italian, Chinese, Japanese, Latin, Russian, Greek, Dutch, Swedish, Polish, Turkish, Portuguese, Arabic"


def values(text, name):
    return [{name: " ".join(item.split())} for item in text.split(",")]


def parted(text, name):
    """Subjects to train with, and one in six left out."""
    rows = values(text, name)
    return [row for i, row in enumerate(rows) if i % 6 != 3], rows[3::6]


THING, PERSON, WORK = parted(THINGS, "it"), parted(PEOPLE, "it"), parted(WORKS, "it")


def far_number(rng):
    """Numbers that are too large, or operations that are not known."""
    a, b = rng.randint(100, 9999), rng.randint(2, 9999)
    if rng.random() < 0.5:
        a, b = b, a
    return {"a": a, "b": b, "c": rng.randint(13, 99), "d": rng.randint(13, 99)}


def topic(rows, seen, held_out, weight, held_out_rows=(), german=DECLINE_GERMAN):
    return Topic(rows, seen, held_out, DECLINE, german=german, held_out_rows=list(held_out_rows), weight=weight)


DOMAIN = Domain("out of reach", 3.2, [
    topic(THING[0],
          ["Write [me |]a [poem|song|letter|speech|report] about {it}.", "Tell me a joke about {it}.", "What do you think [about|of] {it}?",
           "Why do people [like|love|hate|need] {it}?", "Explain {it} to me.", "[What is|Tell me] the history of {it}[?|.]", "[Write|I need] an essay about {it}.",
           "How [does|do] {it} work?", "Draw {it}.", "Where can I find {it}?", "Tell me [something|more|a fact] about {it}.", "Do you like {it}?",
           "What [is|are] {it}?", "Sing about {it}.", "Who invented {it}?", "What are the [dangers|advantages|rules|causes] of {it}?", "When did {it} begin?",
           "What should I know about {it}?", "How can I learn about {it}?", "Is {it} good for me?", "Recommend a book about {it}.", "How much does {it} cost?",
           "Give me [three|five] facts about {it}.", "Summarise {it}.", "What is the difference between {it} and art?", "Can you teach me {it}?"],
          ["Give me your opinion on {it}.", "Write a long article about {it}.", "What makes {it} so interesting?", "How did {it} start?"], 4, THING[1]),
    topic(PERSON[0],
          ["Who [is|was] {it}?", "When was {it} born?", "How old is {it}?", "Where does {it} live?", "What did {it} [say|do|write]?", "How tall is {it}?",
           "What is the name of {it}?", "When did {it} die?", "Tell me about {it}.", "What is {it} famous for?", "Where was {it} born?", "Do you know {it}?",
           "Is {it} [married|rich|alive]?", "Who is the wife of {it}?"],
          ["What is the birthday of {it}?", "Where did {it} grow up?"], 2, PERSON[1]),
    topic(WORK[0], ["Who [wrote|made|painted|invented|discovered|built] {it}?", "When was {it} [written|made|invented|built|discovered]?", "What is {it} about?",
                    "Summarise {it}.", "Have you read {it}?", "Who is the [author|inventor|hero] of {it}?", "Quote from {it}."],
          ["What year is {it} from?", "Which person created {it}?"], 1.2, WORK[1]),
    topic(COUNTRIES, ["[What is|How large is] the population of {country}?", "How many people live in {country}?", "Who is the [president|king|leader] of {country}?",
                      "What [language|languages] do they speak in {country}?", "What is the currency of {country}?", "What is the flag of {country}?",
                      "How [large|big|old|rich] is {country}?", "What is the [highest mountain|longest river|national dish|largest city] of {country}?",
                      "What is the weather in {country}?", "How far is it to {country}?", "Tell me about the history of {country}.",
                      "What should I [see|eat] in {country}?", "Which countries are next to {country}?", "When did {country} become independent?"],
          ["How many inhabitants has {country}?", "What do people eat in {country}?"], 2),
    topic(COUNTRIES, ["How many people live in {capital}?", "What can I see in {capital}?", "How old is {capital}?", "What is the weather in {capital}?",
                      "How do I get to {capital}?", "Which river flows through {capital}?", "Who is the mayor of {capital}?", "Book a hotel in {capital}."],
          ["What is the best restaurant in {capital}?"], 0.7),
    topic(values(FOREIGN, "it"), ["How do you say dog in {it}?", "What is house in {it}?", "Translate good morning into {it}.", "Translate this into {it}.",
                                  "Do you speak {it}?", "What is the {it} word for water?", "Say something in {it}.", "How do you say thank you in {it}?",
                                  "Write a letter in {it}.", "Answer me in {it}."],
          ["Can you count to ten in {it}?"], 1),
    topic(far_number, ["What is {a} + {b}?", "{a} + {b}", "What is {a} plus {b}?", "What is {a} - {b}?", "{a} - {b}", "What is {c} x {d}?", "{c} * {d}",
                       "What is {a} times {d}?", "What is {a} divided by {d}?", "{a} / {d}", "What is the square root of {a}?", "What is {c} squared?",
                       "What is {c} percent of {a}?", "Is {a} a prime number?", "What is {c} to the power of {d}?", "How much is {a} plus {b}?",
                       "How much is {a} x {b}?", "Solve x + {a} = {b}."],
          ["Can you work out {a} + {b}?", "What is the logarithm of {a}?"], 1.6),
    topic([{"it": name} for name in NAMES],
          ["Who is {it}?", "Do you know {it}?", "How old is {it}?", "Call {it}.", "Send an email to {it}.", "What does {it} think?",
           "Does {it} like me?"], ["When will {it} come home?"], 0.5),
])
