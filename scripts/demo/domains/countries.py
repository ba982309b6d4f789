"""Countries with their capitals and continents, and how Germans call those that they call otherwise."""

from demo.topic import Row

CONTINENTS = {
    "Europe": """France Paris, Italy Rome, Spain Madrid, Germany Berlin, Portugal Lisbon, Greece Athens, Austria Vienna,
        Poland Warsaw, Norway Oslo, Sweden Stockholm, Finland Helsinki, Denmark Copenhagen, Ireland Dublin,
        Hungary Budapest, Belgium Brussels, Romania Bucharest, Bulgaria Sofia, Croatia Zagreb, Iceland Reykjavik,
        Ukraine Kyiv, Switzerland Bern, the_Netherlands Amsterdam, the_United_Kingdom London, the_Czech_Republic Prague,
        Slovakia Bratislava, Serbia Belgrade, Estonia Tallinn, Malta Valletta, Russia Moscow""",
    "Asia": """Japan Tokyo, China Beijing, India New_Delhi, Thailand Bangkok, Vietnam Hanoi, Nepal Kathmandu, Iran Tehran,
        Iraq Baghdad, Mongolia Ulaanbaatar, Indonesia Jakarta, Jordan Amman, South_Korea Seoul,
        Pakistan Islamabad, Afghanistan Kabul, Malaysia Kuala_Lumpur, the_Philippines Manila,
        Cambodia Phnom_Penh, Saudi_Arabia Riyadh, Qatar Doha,
        Turkey Ankara""",
    "Africa": """Egypt Cairo, Kenya Nairobi, Ghana Accra, Morocco Rabat, Senegal Dakar, Tunisia Tunis, Ethiopia Addis_Ababa, Nigeria Abuja, Algeria Algiers, Libya Tripoli, South_Africa Pretoria""",
    "South America": """Peru Lima, Chile Santiago, Colombia Bogota, Ecuador Quito, Uruguay Montevideo, Venezuela Caracas,
        Brazil Brasilia, Argentina Buenos_Aires, Bolivia Sucre""",
    "North America": """Canada Ottawa, Cuba Havana, Jamaica Kingston, the_United_States Washington, Mexico Mexico_City,
        Costa_Rica San_Jose, Panama Panama_City""",
    "Oceania": "Australia Canberra, Fiji Suva, New_Zealand Wellington",
}

OTHER_CITIES = """France Lyon, France Marseille, France Nice, France Bordeaux, Italy Milan, Italy Naples, Italy Turin, Italy Venice, Italy Florence,
    Spain Barcelona, Spain Seville, Spain Valencia, Germany Munich, Germany Hamburg, Germany Cologne, Germany Frankfurt, Germany Bonn,
    Portugal Porto, Austria Salzburg, Austria Graz, Poland Krakow, Poland Gdansk, Norway Bergen, Sweden Gothenburg, Denmark Aarhus,
    Switzerland Zurich, Switzerland Geneva, Switzerland Basel, the_United_Kingdom Manchester, the_United_Kingdom Liverpool,
    the_United_Kingdom Edinburgh, the_United_Kingdom Oxford, Russia Saint_Petersburg, Japan Osaka, Japan Kyoto, China Shanghai, China Hong_Kong,
    India Mumbai, India Calcutta, Vietnam Saigon, Turkey Istanbul, Turkey Izmir, Pakistan Karachi, Egypt Alexandria, Egypt Luxor, Morocco Casablanca,
    Morocco Marrakesh, Nigeria Lagos, South_Africa Cape_Town, South_Africa Johannesburg, South_Africa Durban, Brazil Rio, Brazil Sao_Paulo,
    Chile Valparaiso, Ecuador Guayaquil, Bolivia La_Paz, Argentina Rosario, Peru Cusco, Canada Toronto, Canada Montreal, Canada Vancouver,
    the_United_States New_York, the_United_States Chicago, the_United_States Boston, the_United_States Los_Angeles, Mexico Cancun,
    Mexico Acapulco, Australia Sydney, Australia Melbourne, Australia Perth, New_Zealand Auckland, the_Netherlands Rotterdam, the_Netherlands Utrecht,
    Belgium Antwerp, Belgium Bruges, Ireland Cork, Ireland Galway, Greece Thessaloniki, Ukraine Odesa, Finland Tampere, Kenya Mombasa, Ghana Kumasi,
    Saudi_Arabia Mecca, South_Korea Busan, Colombia Medellin, Cuba Santa_Clara"""

GERMAN_COUNTRIES = """France Frankreich, Italy Italien, Spain Spanien, Germany Deutschland, Greece Griechenland,
    Austria Österreich, Poland Polen, Norway Norwegen, Sweden Schweden, Finland Finnland, Denmark Dänemark, Ireland Irland,
    Hungary Ungarn, Belgium Belgien, Romania Rumänien, Bulgaria Bulgarien, Croatia Kroatien, Iceland Island,
    Russia Russland, Serbia Serbien, Estonia Estland,
    India Indien, Mongolia Mongolei, Indonesia Indonesien, Jordan Jordanien, Egypt Ägypten, Kenya Kenia, Morocco Marokko,
    Tunisia Tunesien, Ethiopia Äthiopien, Colombia Kolumbien, Brazil Brasilien, Argentina Argentinien, Bolivia Bolivien,
    Canada Kanada, Cuba Kuba, Mexico Mexiko, Australia Australien, New_Zealand Neuseeland, South_Africa Südafrika,
    South_Korea Südkorea, Algeria Algerien, Libya Libyen"""

SAME_IN_GERMAN = """Portugal, Japan, China, Thailand, Vietnam, Nepal, Pakistan, Peru, Chile, Ecuador, Uruguay, Venezuela,
    Ghana, Nigeria, Ukraine, Malta, Panama, Malaysia, Afghanistan, Jamaica"""

GERMAN_CAPITALS = """Rome Rom, Lisbon Lissabon, Athens Athen, Vienna Wien, Warsaw Warschau, Copenhagen Kopenhagen,
    Brussels Brüssel, Bucharest Bukarest, Reykjavik Reykjavík, Kyiv Kiew, Belgrade Belgrad, Moscow Moskau, Tokyo Tokio,
    Beijing Peking, New_Delhi Neu-Delhi, Cairo Kairo, Havana Havanna, Mexico_City Mexiko-Stadt, Algiers Algier,
    Tripoli Tripolis, Damascus Damaskus, Yerevan Eriwan, Pyongyang Pjöngjang, Panama_City Panama-Stadt,
    Addis_Ababa Addis_Abeba, Kathmandu Kathmandu"""

GERMAN_CONTINENTS = {
    "Europe": "Europa", "Asia": "Asien", "Africa": "Afrika", "South America": "Südamerika",
    "North America": "Nordamerika", "Oceania": "Ozeanien",
}


def words(text: str) -> list[list[str]]:
    """Pairs from "a b, c d"; "_" stands for a blank inside a name."""
    return [[word.replace("_", " ") for word in item.split()] for item in text.split(",")]


CALLED = dict(words(GERMAN_COUNTRIES)) | {name: name for [name] in words(SAME_IN_GERMAN)}
CAPITAL_CALLED = dict(words(GERMAN_CAPITALS))


def row(country: str, capital: str, continent: str) -> Row:
    return {
        "country": country, "Country": country[0].upper() + country[1:], "capital": capital, "continent": continent,
        "land": CALLED.get(country, ""), "stadt": CAPITAL_CALLED.get(capital, capital),
        "erdteil": GERMAN_CONTINENTS[continent],
    }


ROWS = [row(*pair, continent) for continent, pairs in CONTINENTS.items() for pair in words(pairs)]
"""All countries that the model knows."""

ALSO_CALLED = [row(*pair) for pair in (
    ("the USA", "Washington", "North America"), ("America", "Washington", "North America"), ("England", "London", "Europe"),
    ("the UK", "London", "Europe"), ("Great Britain", "London", "Europe"), ("Holland", "Amsterdam", "Europe"),
    ("Czechia", "Prague", "Europe"))]
"""Other names of some of them, for questions one way only."""

NO_CAPITALS = [tuple(pair) for pair in words(OTHER_CITIES)]
"""(Country, a city that is not its capital)."""

IN_GERMAN = [country for country in ROWS if country["land"]]
"""Those whose German names it knows."""
