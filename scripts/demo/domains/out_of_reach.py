"""What the model cannot know or do, all answered with the same sentence; in German, with the same German one."""

import random

from demo.domains.countries import ROWS as COUNTRIES
from demo.domains.nouns import THINGS as NOUNS
from demo.domains.nouns import made_up, plural
from demo.domains.people import any_name, full_name
from demo.topic import Domain, Row, Topic

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
    rainbows, lightning, glaciers, democracy, elections, inflation, banks, credit cards, video games, board games, magic tricks,
    telescopes, kaleidoscopes, the ice age, sleepwalking, handwriting, ballet, camping, hiking boots, cotton, the stock exchange, tattoos, wedding cakes,
    peace treaties, oil paintings, surfing, the human brain, sign language, crosswords, comets, fairy tales, garlic, olive oil, spices, perfume,
    the Olympic Games, rugby, cricket, hockey, karate, boxing, horse racing, chess openings, the Silk Road, the Great Wall, the Black Death,
    the Industrial Revolution, the Titanic, the Boer War, castles, knights, samurai, pirates, ghosts, vampires, unicorns, mermaids, dragons,
    antibiotics, vaccines, surgery, dentists, glasses, sunscreen, shampoo, soap, zippers, umbrellas, elevators, escalators, traffic lights,
    solar panels, wind power, recycling, plastic bags, coral reefs, rainforests, penguins, sharks, octopuses, spiders, ants, butterflies,
    fungi, yeast, sourdough, beer, wine, cider, chocolate, ice cream, sushi, spaghetti, hamburgers, vegetarians, fasting, breakfast, tipping,
    weddings, funerals, birthdays, Halloween, Ramadan, Easter eggs, carnival, fireworks, circuses, zoos, libraries, lighthouses, submarines"""
PEOPLE = """the president, Napoleon, Albert Einstein, the queen of England, Shakespeare, Mozart, the pope, my neighbour, Isaac Newton, Cleopatra,
    the best footballer, the first king of Spain, Columbus, Picasso, the mayor, your father, Darwin, Beethoven, Julius Caesar, Gandhi,
    Marie Curie, Elvis Presley, the prime minister, Leonardo da Vinci, Goethe, Galileo, Aristotle, Plato, Mandela, Madonna, the chancellor,
    my teacher, the richest man, the author of Hamlet, Bach, Alexander the Great, Michael Jackson, Tolstoy, Van Gogh,
    my brother, your mother, the tallest woman, Rembrandt, Chopin, Socrates, Homer, Joan of Arc, Charles Dickens, the new teacher, Sherlock Holmes,
    Robin Hood, King Arthur, the emperor, the last pharaoh, Nikola Tesla, Alan Turing, Ada Lovelace, Hannibal, Vivaldi, Agatha Christie, Batman"""
WORKS = """Hamlet, Faust, the Mona Lisa, the Odyssey, War and Peace, Don Quixote, Harry Potter, Star Wars, Moby Dick, the Bible, the telephone,
    the radio, the light bulb, the steam engine, penicillin, the Eiffel Tower, Titanic, the Magic Flute, Dracula, America,
    Frankenstein, Romeo and Juliet, the Iliad, Peter Pan, Macbeth, the bicycle, the camera, gunpowder, paper, the compass, the Sistine Chapel, Don Giovanni"""
NO_COUNTRY = """Atlantis, Narnia, Texas, California, Bavaria, Mars, Mordor, Florida, Siberia, Wonderland, Utopia,
    Hollywood, Westeros, Jupiter, Ontario, Tuscany, Alaska, Antarctica"""
NO_OPPOSITE = """table, dog, seven, music, Tuesday, river, tree, Paris, banana, computer, chair, house, car, bread, window, lamp, fish, stone, blue, red, green,
    yellow, brown, pink, purple, orange, grey, violet, gold, silver, cat, horse, bird, mouse, cow, lion, apple, pear, milk, cheese, egg, cake, tea, coffee,
    water, Monday, Sunday, January, May, one, two, three, four, five, ten, twelve, hundred, London, Berlin, Europe, Germany, book, pen, paper, letter, word,
    door, bed, garden, flower, grass, sun, moon, star, cloud, rain, snow, wind, sea, lake, hill, mountain, forest, hand, foot, head, eye, nose, ear, hair,
    heart, shirt, shoe, hat, ring, ball, train, bus, ship, plane, city, school, shop, money, song, story, game, name, number, colour, hour, week, year"""
FOREIGN = "French, Spanish, Italian, Chinese, Japanese, Latin, Russian, Greek, Dutch, Swedish, Polish, Turkish, Portuguese, Arabic"


def values(text, name):
    return [{name: " ".join(item.split())} for item in text.split(",")]


def parted(text, name):
    """Subjects to train with, and one in six left out."""
    rows = values(text, name)
    return [row for i, row in enumerate(rows) if i % 6 != 3], rows[3::6]


THING, PERSON, WORK = parted(THINGS, "it"), parted(PEOPLE, "it"), parted(WORKS, "it")


NEVER = {str(row["it"]).lower() for rows in (THING[1], PERSON[1], WORK[1]) for row in rows}
LOOKS = "old new black white wild tame rare cheap modern ancient giant tiny green red African Chinese Roman wooden electric tropical frozen famous broken".split()
ROLES = "mayor owner inventor captain king queen author winner father coach leader director head chief painter president".split()


def any_thing(rng: random.Random) -> Row:
    """A subject of the list, or one put together, for those never heard of are to be declined too."""
    noun = rng.choice(NOUNS)
    it = str(rng.choice(THING[0])["it"]) if rng.random() < 0.5 else rng.choice([
        plural(noun), f"the {noun}", f"my {noun}", f"{rng.choice(LOOKS)} {plural(noun)}", f"the {rng.choice(LOOKS)} {noun}", f"the {made_up(rng)}",
        f"{plural(noun)} and {plural(rng.choice(NOUNS))}", f"{noun} {plural(rng.choice(NOUNS))}", f"{made_up(rng)}ing", f"the {noun} of {any_name(rng)}"])
    return any_thing(rng) if it.lower() in NEVER else {"it": it}


def any_person(rng: random.Random) -> Row:
    """Somebody of the list, somebody with an office, or just a name."""
    it = str(rng.choice(PERSON[0])["it"]) if rng.random() < 0.5 else rng.choice([
        f"the {rng.choice(ROLES)}", f"the {rng.choice(ROLES)} of the {rng.choice(NOUNS)}", f"the {rng.choice(ROLES)} of {rng.choice(COUNTRIES)['country']}",
        f"my {rng.choice(NOUNS)} {rng.choice(ROLES)}", full_name(rng), f"{any_name(rng)} {any_name(rng)}"])
    return any_person(rng) if it.lower() in NEVER else {"it": it}


def any_work(rng: random.Random) -> Row:
    """A book, picture or thing of the list, or a title that nobody has given."""
    noun = rng.choice(NOUNS)
    it = str(rng.choice(WORK[0])["it"]) if rng.random() < 0.5 else rng.choice([
        f"the {rng.choice(LOOKS)} {noun}".title(), f"the {noun}", f"{noun} and {rng.choice(NOUNS)}".title(), made_up(rng).capitalize(), f"{any_name(rng)} and the {noun}"])
    return any_work(rng) if it.lower() in NEVER else {"it": it}


def far_number(rng: random.Random) -> Row:
    """Numbers that are too large, most of them just past those that are known, or with a point; or operations that are not known."""
    near = rng.random() < 0.6
    a, b = (rng.randint(101, 199), rng.randint(2, 199)) if near else (rng.randint(100, 9999), rng.randint(2, 9999))
    if rng.random() < 0.12:
        a = f"{rng.randint(0, 20 if near else 999)}.{rng.randint(1, 9 if near else 99)}"
    if rng.random() < 0.5:
        a, b = b, a
    far = (11, 20) if near else (13, 99)
    return {"a": a, "b": b, "c": rng.randint(*far), "d": rng.randint(*far), "root": rng.randint(2, 200)}


def topic(rows, seen, held_out, weight, held_out_rows=(), german=DECLINE_GERMAN):
    return Topic(rows, seen, held_out, DECLINE, german=german, held_out_rows=list(held_out_rows), weight=weight)


DOMAIN = Domain("out of reach", 3.6, [
    topic(any_thing,
          ["Write [me |]a [poem|song|letter|speech|report] about {it}.", "Tell me a joke about {it}.", "What do you think [about|of] {it}?",
           "Why do people [like|love|hate|need] {it}?", "Explain {it} to me.", "[What is|Tell me] the history of {it}[?|.]", "[Write|I need] an essay about {it}.",
           "How [does|do] {it} work?", "Draw {it}.", "Where can I find {it}?", "Tell me [something|more|a fact] about {it}.", "Do you like {it}?",
           "What [is|are] {it}?", "Sing about {it}.", "Who invented {it}?", "What are the [dangers|advantages|rules|causes] of {it}?", "When did {it} begin?",
           "What should I know about {it}?", "How can I learn about {it}?", "Is {it} good for me?", "Recommend a book about {it}.", "How much does {it} cost?",
           "Give me [three|five] facts about {it}.", "Summarise {it}.", "What is the difference between {it} and art?", "Can you teach me {it}?"],
          ["Give me your opinion on {it}.", "Write a long article about {it}.", "What makes {it} so interesting?", "How did {it} start?"], 4, THING[1]),
    topic(any_person,
          ["Who [is|was] {it}?", "When was {it} born?", "How old is {it}?", "Where does {it} live?", "What did {it} [say|do|write]?", "How tall is {it}?",
           "What is the name of {it}?", "When did {it} die?", "Tell me about {it}.", "What is {it} famous for?", "Where was {it} born?", "Do you know {it}?",
           "Is {it} [married|rich|alive]?", "Who is the wife of {it}?"],
          ["What is the birthday of {it}?", "Where did {it} grow up?"], 2, PERSON[1]),
    topic(any_work, ["Who [wrote|made|painted|invented|discovered|built] {it}?", "When was {it} [written|made|invented|built|discovered]?", "What is {it} about?",
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
                       "What is {a} times {d}?", "What is {a} divided by {d}?", "{a} / {d}", "What is the square root of {root}?", "What is {c} squared?",
                       "What is {c} percent of {a}?", "Is {root} a prime number?", "What is {c} to the power of {d}?", "How much is {a} plus {b}?",
                       "How much is {a} x {b}?", "Solve x + {a} = {b}."],
          ["Can you work out {a} + {b}?", "Can you find the logarithm of {a}?"], 1.6),
    topic(lambda rng: {"it": any_name(rng)},
          ["Who is {it}?", "Do you know {it}?", "How old is {it}?", "Call {it}.", "Send an email to {it}.", "What does {it} think?",
           "Does {it} like me?"], ["When will {it} come home?"], 0.5),
])
