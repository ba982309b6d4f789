"""What looks like something that the model knows, about a place, flag, word or unit that it does not know. The questions are put just
as those that it answers, so that the unknown name alone tells them apart."""

import random

from demo.domains import capitals, foregate, german, opposites
from demo.domains.beyond import UNKNOWN, words
from demo.domains.countries import ALSO_CALLED, CALLED, NO_CAPITALS, ROWS
from demo.domains.nouns import THINGS, made_up, place
from demo.domains.out_of_reach import DECLINE, DECLINE_GERMAN, DOMAIN, NO_COUNTRY, NO_OPPOSITE, values
from demo.topic import Domain, Row, Topic

PLACE = "I do not know that place."
PLACE_GERMAN = "Diesen Ort kenne ich nicht."
FLAG = "I do not know that flag."
COMMAND = "I do not know that command."

CITIES = list(dict.fromkeys(city for _, city in NO_CAPITALS))
LANDS = list(dict.fromkeys(words(UNKNOWN) + [str(row["it"]) for row in values(NO_COUNTRY, "it")]))
NEVER = LANDS[4::6]
"""Places for evaluation only."""
REAL = [land for land in LANDS if land not in NEVER]
NO_FLAGS = """port host server model gpu layers quantize lora rope mirostat grammar embedding train finetune download color config log debug fast
    slow user token key language voice input output format width height depth color-scheme no-cache keep tfs typical mlock numa parallel
    rounds workers timeout retries proxy theme safe power offload split draft beam length context model-path gpu-layers seed-file""".split()
NO_COMMANDS = """serve train download quantize convert merge run pull push list search update install embed finetune login stop start draw play save load
    delete copy test check build split compare export import upload status ask translate convert-model""".split()
ADJECTIVES = """purple wooden French electric square golden medical atomic digital vegetarian seasonal Roman chemical violet orange grey pink silver
    turquoise musical historical royal cotton woollen triangular magnetic volcanic tropical dental nuclear solar lunar striped dotted legendary
    Swedish Chinese plastic salty spicy foggy snowy rainy thirsty sleepy jealous famous curious shiny rusty dusty muddy furry fluffy hairy
    muscular blond freckled pregnant mechanical botanical geographical marine urban dramatic poetic comic criminal""".split()
VERBS = """swim cook paint jump dance sing juggle whistle climb knit sneeze cough yawn blink chew swallow dig fish hunt sail ski skate cycle hike
    type print copy measure weigh iron sew weld drum fry bake boil stir peel hum nod wave""".split()
GERMAN_UNKNOWN = """Schmetterling Regenschirm Fahrrad Schrank Teppich Löffel Gabel Messer Flugzeug Bahnhof Schiff Brücke Insel Berg Wolke Regen Schnee Wind
    Blatt Wurzel Ast Frosch Schlange Ente Huhn Schaf Ziege Biene Spinne Käse Butter Zucker Salz Pfeffer Suppe Kuchen Birne Kirsche Traube Zwiebel
    Kartoffel Gurke Hemd Hose Schuh Jacke Mantel Hut Tasche Koffer Schlüssel Brille Uhr Kerze Spiegel Lampe Kissen Decke Handtuch Seife Kamm
    Bürste Schere Nadel Faden Knopf Zahn Zunge Knie Ellbogen Rücken Bauch Schulter Finger Haar lachen weinen springen tanzen singen kochen
    Kühlschrank Waschmaschine Eichhörnchen Igel Dachs Schildkröte Krokodil Gießkanne Schubkarre Steckdose Bleistift Radiergummi Lineal Ordner
    Stempel Umschlag Briefmarke Fernseher Rasenmäher Zahnbürste Schaufel Säge Bohrer Zange Schraube Seil Kette Anker Segel Ruder Strand Klippe
    Höhle Quelle Teich Sumpf Vulkan Erdbeben Gewitter Nebel Hagel Blitz Donner Ernte Weizen Gerste Hafer Roggen stolpern flüstern schnarchen
    niesen husten kitzeln bügeln nähen stricken werfen fangen ziehen schieben leise traurig mutig müde hungrig durstig schmutzig trocken nass eckig rund dünn dick""".split()
WORDS_KNOWN = {str(row["en"]) for row in german.WORDS}
NO_GERMAN = [thing for thing in THINGS + ADJECTIVES + [f"to {verb}" for verb in VERBS] if thing not in WORDS_KNOWN]
NO_ENGLISH = [word for word in GERMAN_UNKNOWN if word.lower() not in {str(row["one"]).lower() for row in german.WORDS}]
NO_UNITS = """miles gallons acres hectares watts volts degrees dollars stones knots furlongs leagues bushels barrels pints cups spoons calories joules
    newtons amperes carats fathoms parsecs light-years bars pascals lumens decibels francs shillings""".split()
UNITS = "metres grams litres hours minutes days kilometres kilograms pounds feet inches weeks tons bytes".split()


REAL_NAMES = {str(row[name]).lower() for row in ROWS + ALSO_CALLED for name in ("country", "capital")}


def nowhere(rng: random.Random) -> str:
    """A place that is made up, and by chance no real one."""
    found = place(rng)
    return nowhere(rng) if found.lower() in REAL_NAMES else found


def unknown(land: str, city: str, said: str) -> Row:
    return {"country": land, "Country": land[0].upper() + land[1:], "capital": city, "said": said}


def unknown_place(rng: random.Random) -> Row:
    """A country that the model was not told of, real or made up, and a city that is no capital; no claim about it can be judged."""
    land = nowhere(rng) if rng.random() < 0.5 else rng.choice(REAL)
    city = nowhere(rng) if rng.random() < 0.35 else rng.choice(CITIES)
    return unknown(land, city, rng.choice([rng.choice(ROWS)["capital"], city]))


def unknown_continent(rng: random.Random) -> Row:
    return unknown_place(rng) | {"said": rng.choice(ROWS)["continent"]}


def unknown_city(rng: random.Random) -> Row:
    return unknown_place(rng) | {"said": rng.choice(ROWS)["country"]}


def unknown_land(rng: random.Random) -> Row:
    return {"land": nowhere(rng)}


def unknown_flag(rng: random.Random) -> Row:
    name = rng.choice(NO_FLAGS) if rng.random() < 0.6 else made_up(rng)
    return unknown_flag(rng) if f"--{name}" in foregate.FLAGS else {"name": f"--{name}", "bare": name}


def unknown_command(rng: random.Random) -> Row:
    name = rng.choice(NO_COMMANDS) if rng.random() < 0.7 else made_up(rng)
    return unknown_command(rng) if name in foregate.COMMANDS else {"name": name}


def no_opposite(rng: random.Random) -> Row:
    """A thing, which has no opposite, or a word that does not exist."""
    chance = rng.random()
    word = (rng.choice(THINGS) if chance < 0.3 else str(rng.choice(values(NO_OPPOSITE, "it"))["it"]) if chance < 0.55 else
            rng.choice(ADJECTIVES + VERBS) if chance < 0.8 else made_up(rng))
    return {"word": word} if word not in opposites.KNOWN else no_opposite(rng)


def no_german(rng: random.Random) -> Row:
    word = rng.choice(NO_GERMAN) if rng.random() < 0.8 else made_up(rng)
    return no_german(rng) if word in WORDS_KNOWN else {"en": word}


def no_english(rng: random.Random) -> Row:
    return {"one": rng.choice(NO_ENGLISH)}


def no_unit(rng: random.Random) -> Row:
    """An amount of one unit in another, of which the model does not know one."""
    pair = [rng.choice(NO_UNITS), rng.choice(NO_UNITS if rng.random() < 0.2 else UNITS)]
    rng.shuffle(pair)
    return {"from": f"{rng.randint(2, 40)} {pair[0]}", "small": pair[1]}


def topic(rows, seen, held_out, answer, german_answer, weight, held_out_rows=(), follow_ups=()):
    return Topic(rows, seen, held_out, answer, german=german_answer, held_out_rows=list(held_out_rows), weight=weight, follow_ups=list(follow_ups))


AND_PLACE = ["And {country}?", "[What|How] about {country}?", "And of {country}?", "{Country}?"]
NEVER_ROWS = [unknown(land, "", "") for land in NEVER]

COUNTRY = topic(unknown_place, capitals.CAPITAL, capitals.HELD_OUT, PLACE, PLACE_GERMAN, 3, NEVER_ROWS, AND_PLACE)
CONTINENT = topic(unknown_continent, capitals.CONTINENT, [], PLACE, PLACE_GERMAN, 1, NEVER_ROWS, AND_PLACE)
CITY = topic(unknown_city, [ask for ask in capitals.FROM_CAPITAL if "is a capital." not in ask], [], PLACE, PLACE_GERMAN, 1.2,
             follow_ups=["And {capital}?", "[What|How] about {capital}?"])
NO_FLAG = topic(unknown_flag, foregate.EXPLAIN, [], FLAG, FLAG, 1, follow_ups=["And {name}?"])
NO_COMMAND = topic(unknown_command, foregate.EXPLAIN_COMMAND, [], COMMAND, COMMAND, 0.7, follow_ups=["And foregate {name}?"])
NOT_OPPOSITE = topic(no_opposite, opposites.ASK, [], DECLINE, DECLINE_GERMAN, 1.4, follow_ups=["And the opposite of {word}?", "And {word}?"])
NOT_GERMAN = topic(no_german, german.TO_GERMAN, [], DECLINE, DECLINE_GERMAN, 0.9, follow_ups=["And {en}?"])
TO_ENGLISH = next(one.seen for one in german.DOMAIN.topics if "What does {one} mean?" in one.seen)
NOT_ENGLISH = topic(no_english, TO_ENGLISH, [], DECLINE, DECLINE_GERMAN, 0.6, follow_ups=["And {one}?", "Und {one}?"])

DOMAIN.topics += [
    COUNTRY, CONTINENT, CITY, NO_FLAG, NO_COMMAND, NOT_OPPOSITE, NOT_GERMAN, NOT_ENGLISH,
    topic(unknown_place, capitals.IS_CAPITAL, [], PLACE, PLACE_GERMAN, 0.5),
    topic(unknown_continent, capitals.IS_IN, [], PLACE, PLACE_GERMAN, 0.3),
    topic(unknown_city, capitals.CITY_IN, [], PLACE, PLACE_GERMAN, 0.3),
    topic(unknown_land, ["Was ist die Hauptstadt von {land}?", "Wie heißt die Hauptstadt von {land}?", "Hauptstadt von {land}?", "Wo liegt {land}?", "Wo ist {land}?",
                         "Auf welchem Kontinent liegt {land}?"], [], PLACE_GERMAN, PLACE_GERMAN, 0.6),
    topic(no_unit, ["How many {small} are [in |]{from}?", "[Convert|Change|Turn] {from} [to|into] {small}.", "{from} in {small}[?|]", "How many {small} is {from}?",
                    "What are {from} in {small}?", "[Tell me|Say|Give me] {from} in {small}.", "{from} to {small}[?|]"], [], DECLINE, DECLINE_GERMAN, 0.8),
    topic(values("Africa, Europe, Asia, my town, the universe, the desert, the moon, the sea, my street, the world, Oceania, America and Asia", "country"),
          [ask for ask in capitals.CAPITAL if "{Country}" not in ask], [], DECLINE, DECLINE_GERMAN, 0.3),
]


def topic_of(domain: Domain, seen: list[str]) -> Topic:
    """The first topic with these phrasings."""
    return next(one for one in domain.topics if one.seen is seen)


AKIN = [(capitals, capitals.CAPITAL, COUNTRY), (capitals, capitals.CONTINENT, CONTINENT), (capitals, capitals.FROM_CAPITAL, CITY), (foregate, foregate.EXPLAIN, NO_FLAG),
        (foregate, foregate.EXPLAIN_COMMAND, NO_COMMAND), (opposites, opposites.ASK, NOT_OPPOSITE), (german, german.TO_GERMAN, NOT_GERMAN),
        (german, TO_ENGLISH, NOT_ENGLISH)]
for module, asked, other in AKIN:
    known = topic_of(module.DOMAIN, asked)
    known.kin.append(other)
    other.kin.append(known)

assert not {str(row["country"]) for row in ROWS + ALSO_CALLED} & set(LANDS) and not set(CALLED.values()) & set(LANDS)
