"""Countries, their capitals and continents."""

import random

from demo.domains.countries import ALSO_CALLED, IN_GERMAN, ROWS
from demo.topic import Domain, Row, Topic

CAPITAL = [
    "[What is|What's|Tell me|Name|Give me|Say] the capital of {country}",
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
    "[Could|Can|Will] you tell me [the capital of {country}|what the capital of {country} is]?",
    "What do you call the capital of {country}?",
    "[Which city|What place] does {country} have as [its|a] capital?",
    "I am [travelling|going] to {country}. What is its capital?",
    "[Remind me|Let me know] what the capital of {country} is.",
]


def claim(rng: random.Random) -> Row:
    """A country with its own capital and continent, or with others."""
    row, other = rng.choice(ROWS), rng.choice(ROWS)
    other = row if rng.random() < 0.5 else other
    city, place = other["capital"], other["continent"]
    return row | {"city": city, "place": place, "so": "yes" if city == row["capital"] else "no", "So": "Yes" if city == row["capital"] else "No",
                  "there": "yes" if place == row["continent"] else "no", "There": "Yes" if place == row["continent"] else "No"}


DOMAIN = Domain("capitals", 3.0, [
    Topic(ROWS, CAPITAL,
          ["Can you name the capital city of {country}?", "{Country} has which city as its capital?",
           "Which city serves as the capital of {country}?", "Please name {country}'s capital city.",
           "I forgot the capital of {country}. What is it?", "What would be the capital of {country}?"],
          "The capital of {country} is {capital}.", "{capital}.",
          follow_ups=["And {country}?", "[What|How] about {country}?", "And of {country}?", "And for {country}?",
                      "And the capital of {country}?", "{Country}?", "Now {country}."],
          same=["What is its capital?", "And its capital?", "Which city is its capital?", "What is the capital there?",
                "And what is the capital?"],
          weight=3),
    Topic(ROWS,
          ["[Which|What] country has {capital} as its capital?", "{capital} is the capital of [which|what] country?",
           "Of [which|what] country is {capital} the capital?", "In [which|what] country is {capital}?",
           "Where is {capital}?", "[What|Which] country is {capital} in?", "{capital} is in which country?",
           "[Which|What] country's capital is {capital}?", "To which country does {capital} belong?",
           "[Name|Tell me|Give me] the country whose capital is {capital}.", "[Tell me|Say] where {capital} is.",
           "Where [can I find|do I find|in the world is] {capital}?", "{capital} is a capital. Of which country?"],
          ["What country is {capital} the capital of?", "In which country will I find {capital}?",
           "Which land has the capital {capital}?", "{capital} is the capital city of which country?",
           "Can you tell me which country {capital} is the capital of?"],
          "The capital of {country} is {capital}.", "{Country}.",
          follow_ups=["And {capital}?", "[What|How] about {capital}?", "And where is {capital}?"],
          same=["Which country is that in?", "In which country is that?"], weight=1.6),
    Topic(ROWS,
          ["[On|In] [which|what] continent is {country}?", "[Which|What] continent is {country} [on|in]?",
           "Where is {country}?", "[What|Which] continent is {country} part of?", "{Country} is [on|in] which continent?",
           "[Tell me|Name|Say] the continent of {country}.", "Where [in the world|on the map] is {country}?",
           "In [what|which] part of the world is {country}?", "What is the continent of {country}?",
           "Where [can I find|does one find] {country}?", "Continent of {country}?",
           "[On|In] which continent [lies|can I find] {country}?"],
          ["To which continent does {country} belong?", "On what continent do I find {country}?",
           "Which continent does {country} lie on?", "Which part of the world is {country} in?",
           "Do you know on which continent {country} is?"],
          "The continent of {country} is {continent}.", "{continent}.",
          follow_ups=["And {country}?", "[What|How] about {country}?", "And where is {country}?"],
          same=["[On|In] which continent is it?", "[Which|What] continent is it [on|in]?", "Where is it?",
                "And the continent?", "Where is that country?", "[On|In] which continent is that [country|]?"],
          weight=1.6),
    Topic(claim, ["Is {city} the capital of {country}?", "{city} is the capital of {country}, right?", "Is the capital of {country} {city}?",
                  "Is it true that {city} is the capital of {country}?", "Is {country}'s capital {city}?"],
          ["Would you say that {city} is the capital of {country}?"], "The capital of {country} is {capital}, so {so}.", "{So}.", weight=0.7),
    Topic(claim, ["Is {country} in {place}?", "Is {country} part of {place}?", "{Country} is in {place}, right?", "Does {country} belong to {place}?"],
          ["Is it true that {country} is in {place}?"], "The continent of {country} is {continent}, so {there}.", "{There}.", weight=0.5),
    Topic(ALSO_CALLED, CAPITAL, [], "The capital of {country} is {capital}.", "{capital}.", follow_ups=["And {country}?", "What about {country}?"],
          weight=0.25),
    Topic(IN_GERMAN, CAPITAL[:6], [], "The capital of {country} is {capital}.", "{capital}.",
          german="Die Hauptstadt von {land} ist {stadt}.", follow_ups=["And {country}?", "What about {country}?"], weight=0.3),
    Topic(IN_GERMAN, ["[On|In] [which|what] continent is {country}?", "Where is {country}?"], [],
          "The continent of {country} is {continent}.", "{continent}.", german="Das Land {land} liegt in {erdteil}.",
          follow_ups=["And {country}?", "What about {country}?"], weight=0.2),
])
