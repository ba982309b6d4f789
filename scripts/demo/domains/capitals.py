"""Countries, their capitals and continents."""

import random

from demo.domains import claims
from demo.domains.countries import ALSO_CALLED, CONTINENTS, IN_GERMAN, NO_CAPITALS, ROWS
from demo.domains.nouns import place
from demo.topic import Domain, Row, Topic

CAPITAL = [
    "[What is|What's] the capital of {country}[?|]",
    "[Tell me|Name|Give me|Say] the capital of {country}[.|]",
    "[Capital|The capital] of {country}?",
    "[Which|What] [city|town] is the capital of {country}?",
    "Do you know the capital [city|] of {country}?",
    "[What is|What's|Name] the capital city of {country}[?|.]",
    "What is {country}'s capital[| city]?",
    "[Which|What] capital does {country} have?",
    "{Country}: [what is|which city is|name] the capital[?|.]",
    "What is the capital [city|] of the country [called|named] {country}?",
    "I [want|need|would like] to know the capital of {country}.",
    "{country} capital[?|]",
    "capital {country}",
    "capital of {country}",
    "capital city of {country}[?|]",
    "[Which|What] is the capital of {country}?",
    "{Country}'s capital[| city][?|]",
    "The capital of {country} is what?",
    "The capital of {country} is [called|named] what?",
    "[Could|Can|Will] you tell me [the capital of {country}|what the capital of {country} is]?",
    "What do you call the capital of {country}?",
    "[Which city|What place] does {country} have as [its|a] capital?",
    "I am [travelling|going] to {country}. What is its capital?",
    "[Remind me|Let me know] what the capital of {country} is.",
]


HELD_OUT = ["Can you name the capital city of {country}?", "{Country} has which city as its capital?",
            "Which city serves as the capital of {country}?", "Please name {country}'s capital city.",
            "I forgot the capital of {country}. What is it?", "What would be the capital of {country}?"]
FROM_CAPITAL = ["[Which|What] country has {capital} as its capital?", "{capital} is the capital of [which|what] country?",
                "Of [which|what] country is {capital} the capital?", "In [which|what] country is {capital}?",
                "Where is {capital}?", "[What|Which] country is {capital} in?", "{capital} is in which country?",
                "[Which|What] country's capital is {capital}?", "To which country does {capital} belong?",
                "[Name|Tell me|Give me] the country whose capital is {capital}.", "[Tell me|Say] where {capital} is.",
                "Where [can I find|do I find|in the world is] {capital}?", "{capital} is a capital. Of which country?", "Where's {capital}?",
                "{capital} is the capital of[ what|...|]?", "[Which|What] country does {capital} belong to?", "{capital}: which country?"]
CONTINENT = ["[On|In] [which|what] continent is {country}?", "[Which|What] continent is {country} [on|in]?",
             "Where is {country}?", "[What|Which] continent is {country} part of?", "{Country} is [on|in] which continent?",
             "[Tell me|Name|Say] the continent of {country}.", "Where [in the world|on the map] is {country}?",
             "In [what|which] part of the world is {country}?", "[What is|What's] the continent of {country}?",
             "Where [can I find|does one find] {country}?", "Continent of {country}?", "{country} continent[?|]", "Where's {country}?",
             "[On|In] which continent [lies|can I find] {country}?", "{Country}: which continent?", "What continent does {country} belong to?"]
IS_CAPITAL = ["Is {said} the capital of {country}[?|]", "{said} is the capital of {country}, [right|isn't it|correct]?", "Is the capital of {country} {said}?",
              "Is it true that {said} is the capital of {country}?", "Is {country}'s capital {said}?", "Is {said} the capital city of {country}?",
              "The capital of {country} is {said}, right?", "I think {said} is the capital of {country}. Is that right?",
              "Is it [right|correct] that {said} is the capital of {country}?", "{said} is the capital of {country}?", "Is {said} {country}'s capital[| city]?",
              "Isn't {said} the capital of {country}?", "Does {country} have {said} as its capital?",
              *claims.asked("{said} is the capital of {country}"), *claims.asked("the capital of {country} is {said}")]
IS_IN = ["Is {country} in {said}[?|]", "Is {country} part of {said}?", "{Country} is in {said}, [right|isn't it|correct]?", "Does {country} belong to {said}?",
         "Is {country} [on the continent of|a country in] {said}?", "Is {said} the continent of {country}?", "Does {country} lie in {said}?",
         "Is it [right|correct] that {country} is in {said}?", "I think {country} is in {said}. Is that right?", "{Country} is in {said}?",
         *claims.asked("{country} is in {said}", ("Is it [true",))]
CITY_IN = ["Is {capital} in {said}[?|]", "Is {capital} a city in {said}?", "{capital} is in {said}, right?", "Is it right that {capital} is in {said}?", "Does {capital} belong to {said}?",
           *claims.asked("{capital} is in {said}", ("Is it [true",))]


BY_NAME = {row["country"]: row for row in ROWS}


def capital_claim(rng: random.Random) -> Row:
    """A country with its capital, or with another city of it, another capital, another city or no city at all."""
    row, chance = rng.choice(ROWS), rng.random()
    if chance < 0.35:
        row = BY_NAME[rng.choice(NO_CAPITALS)[0]]
        cities = [city for country, city in NO_CAPITALS if country == row["country"]]
    else:
        near = [other["capital"] for other in ROWS if other["continent"] == row["continent"]]
        far = [other["capital"] for other in ROWS]
        cities = near if chance < 0.5 else far if chance < 0.8 else [rng.choice(NO_CAPITALS)[1]] if chance < 0.92 else [place(rng)]
    return row | claims.said(rng, row["capital"], [city for city in cities if city != row["capital"]])


def continent_claim(rng: random.Random) -> Row:
    """A country with its continent, or with another; all continents alike."""
    continent = rng.choice(list(CONTINENTS)) if rng.random() < 0.4 else rng.choice(ROWS)["continent"]
    row = rng.choice([row for row in ROWS if row["continent"] == continent])
    return row | claims.said(rng, continent, [other for other in CONTINENTS if other != continent])


def city_claim(rng: random.Random) -> Row:
    """A capital with its country, or with another."""
    row = rng.choice(ROWS)
    return row | claims.said(rng, row["country"], [other["country"] for other in ROWS if other is not row])


DOMAIN = Domain("capitals", 3, [
    Topic(ROWS, CAPITAL, HELD_OUT,
          "The capital of {country} is {capital}.", "{capital}.",
          follow_ups=["And {country}?", "[What|How] about {country}?", "And of {country}?", "And for {country}?",
                      "And the capital of {country}?", "{Country}?", "Now {country}."],
          same=["What is its capital?", "And its capital?", "Which city is its capital?", "What is the capital there?",
                "And what is the capital?"],
          weight=3),
    Topic(ROWS, FROM_CAPITAL,
          ["What country is {capital} the capital of?", "In which country will I find {capital}?",
           "Which land has the capital {capital}?", "{capital} is the capital city of which country?",
           "Can you tell me which country {capital} is the capital of?"],
          "The capital of {country} is {capital}.", "{Country}.",
          follow_ups=["And {capital}?", "[What|How] about {capital}?", "And where is {capital}?"],
          same=["Which country is that in?", "In which country is that?"], weight=1.6),
    Topic(ROWS, CONTINENT,
          ["To which continent does {country} belong?", "On what continent do I find {country}?",
           "Which continent does {country} lie on?", "Which part of the world is {country} in?",
           "Do you know on which continent {country} is?"],
          "The continent of {country} is {continent}.", "{continent}.",
          follow_ups=["And {country}?", "[What|How] about {country}?", "And where is {country}?"],
          same=["[On|In] which continent is it?", "[Which|What] continent is it [on|in]?", "Where is it?",
                "And the continent?", "Where is that country?", "[On|In] which continent is that [country|]?"],
          weight=1.6),
    Topic(capital_claim, IS_CAPITAL, ["Would you say that {said} is the capital of {country}?", "True or false: {said} is the capital of {country}."],
          "The capital of {country} is {capital}, {judged}.", "{capital}, {judged}.", weight=1.9),
    Topic(continent_claim, IS_IN, ["Is it true that {country} is in {said}?", "Would you say that {country} is in {said}?"],
          "The continent of {country} is {continent}, {judged}.", "{continent}, {judged}.", weight=1.3),
    Topic(city_claim, CITY_IN, ["Would you say that {capital} is in {said}?"],
          "{capital} is in {country}, {judged}.", "{Country}, {judged}.", weight=0.7),
    Topic(ALSO_CALLED, CAPITAL, [], "The capital of {country} is {capital}.", "{capital}.", follow_ups=["And {country}?", "What about {country}?"],
          weight=0.25),
    Topic(IN_GERMAN, CAPITAL[:7], [], "The capital of {country} is {capital}.", "{capital}.",
          german="Die Hauptstadt von {land} ist {stadt}.", follow_ups=["And {country}?", "What about {country}?"], weight=2),
    Topic(IN_GERMAN, ["[On|In] [which|what] continent is {country}?", "Where is {country}?"], [],
          "The continent of {country} is {continent}.", "{continent}.", german="Das Land {land} liegt in {erdteil}.",
          follow_ups=["And {country}?", "What about {country}?"], weight=0.8),
])
