"""Countries, their capitals and continents."""

from demo.topic import Domain, Topic

TABLE = {
    "Europe": """France Paris, Italy Rome, Spain Madrid, Germany Berlin, Portugal Lisbon, Greece Athens, Austria Vienna,
        Poland Warsaw, Norway Oslo, Sweden Stockholm, Finland Helsinki, Denmark Copenhagen, Ireland Dublin,
        Hungary Budapest, Belgium Brussels, Romania Bucharest, Bulgaria Sofia, Croatia Zagreb, Iceland Reykjavik,
        Ukraine Kyiv""",
    "Asia": """Japan Tokyo, China Beijing, India Delhi, Thailand Bangkok, Vietnam Hanoi, Nepal Kathmandu, Iran Tehran,
        Iraq Baghdad, Mongolia Ulaanbaatar, Indonesia Jakarta, Jordan Amman""",
    "Africa": """Egypt Cairo, Kenya Nairobi, Ghana Accra, Morocco Rabat, Senegal Dakar, Tunisia Tunis, Uganda Kampala,
        Angola Luanda, Zambia Lusaka, Ethiopia Addis-Ababa""",
    "South America": """Peru Lima, Chile Santiago, Colombia Bogota, Ecuador Quito, Uruguay Montevideo,
        Venezuela Caracas""",
    "North America": """Canada Ottawa, Cuba Havana, Jamaica Kingston""",
    "Oceania": "Australia Canberra, Fiji Suva",
}

ROWS = [
    {"continent": continent, "country": country, "capital": capital.replace("-", " ").replace("Delhi", "New Delhi")}
    for continent, pairs in TABLE.items() for country, capital in (pair.split() for pair in pairs.split(","))
]

DOMAIN = Domain("capitals", 2.0, [
    Topic(ROWS,
          ["What is the capital of {country}?", "Capital of {country}?", "Tell me the capital of {country}.",
           "Which city is the capital of {country}?", "Do you know the capital of {country}?",
           "Name the capital of {country}.", "What is {country}'s capital?", "Which capital does {country} have?"],
          ["Can you name the capital city of {country}?", "{country} has which city as its capital?"],
          "The capital of {country} is {capital}.", "{capital}.",
          follow_ups=["And {country}?", "What about {country}?", "And of {country}?"], weight=3),
    Topic(ROWS,
          ["Which country has {capital} as its capital?", "{capital} is the capital of which country?",
           "Of which country is {capital} the capital?", "In which country is {capital}?", "Where is {capital}?"],
          ["What country is {capital} the capital of?"],
          "{capital} is the capital of {country}.", "{country}.", follow_ups=["And {capital}?"], weight=1.5),
    Topic(ROWS,
          ["On which continent is {country}?", "Which continent is {country} on?", "Where is {country}?",
           "What continent is {country} part of?"], ["To which continent does {country} belong?"],
          "{country} is in {continent}.", "{continent}.", follow_ups=["And {country}?", "What about {country}?"]),
])
