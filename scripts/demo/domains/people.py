"""Names of people in stories and conversations, and what people say of themselves."""

import random

from demo.domains.nouns import THINGS, made_up

NAMES = """Anna Tom Mia Ben Lena Max Clara Paul Emma Finn Nora Leo Ella Jonas Ida Sam Rosa Oscar Lucy Jack Maria Peter Julia Hugo
    Sophie Felix Marta Adam Eva Noah Alice Bruno Greta Karl Olga Ivan Zoe Ravi Amina Omar Yuki Hana Diego Carmen Pablo Ines
    Luca Sara David Ruth Simon Laura Martin Helen George Kate Henry Grace Oliver Daisy Arthur Rose Edgar Vera Victor Nina
    Boris Tara Kofi Zara Ali Leila Chen Mei Kim Dora Kevin James Robert Michael Linda William Emily Thomas Charles Daniel Matthew
    Lisa Mark Steven Andrew Betty Joshua Kenneth Sandra Brian Ashley Edward Donna Ronald Carol Timothy Michelle Jason Amanda
    Jeffrey Melissa Ryan Jacob Gary Nicholas Stephanie Eric Rebecca Jonathan Sharon Kathleen Scott Cynthia Brandon Amy Benjamin
    Angela Samuel Gregory Brenda Frank Pamela Alexander Raymond Nicole Patrick Dennis Jerry Katherine Tyler Samantha Aaron
    Christine Nathan Debra Zachary Rachel Kyle Carolyn Walter Janet Harold Lukas Moritz Hannah Johanna Friedrich Ursula Mehmet
    Priya Arjun Sakura Hiroshi Fatima Yusuf Ingrid Bjorn Svetlana Dmitri Giulia Matteo Chloe Pierre""".split()
"""First names; a model that has seen enough of them copies others too."""

MORE_NAMES = """Ada Agnes Ahmed Akira Alan Albert Alejandra Alfred Alina Alma Amara Amelie Anders Andrei Anita Anton Antonia Anwar Arne Asha Astor
    Aurora Axel Ayumi Barbara Basil Bashir Beatrice Bella Bernard Bianca Birgit Bogdan Boyd Brigitte Bruce Caleb Camila Carlos Cedric Celia
    Cesar Chang Chiara Chiyo Claire Claude Connor Cyrus Dagmar Dalia Damian Daria Darius Dean Delia Denise Dieter Dilip Dominic Dong Doris
    Duncan Dylan Edith Edwin Efua Eileen Elena Eli Elif Elise Emil Emre Enrique Erika Erna Esther Ethan Eugene Evelyn Fabio Farid Fergus Fiona
    Flora Francesca Frida Fumiko Gabriel Gerda Gilbert Giovanni Gisela Goran Gordon Gustav Hakim Hamza Hans Harriet Hassan Hector Heidi Henrik
    Herman Hilda Horace Huda Hye Ian Ibolya Ignacio Ilse Imani Indira Irene Iris Isaac Isabel Ismail Ivy Jabari Jamal Jana Jasper Javier Jelena
    Jia Jin Joan Joel Jorge Josef Joy Juan Judith Jun Jung Kaito Kamala Karim Karin Kasia Keiko Kenji Khalid Kiran Klaus Kojo Krishna Kurt Kwesi
    Lakshmi Lars Latif Leon Li Lidia Lily Lorenzo Louise Lucia Ludwig Luis Lydia Mabel Magda Malik Manuel Marco Margaret Marie Marina Mario
    Masako Maya Meera Mikhail Milan Milos Miriam Mohammed Mona Muhammad Nadia Naomi Natasha Neil Nelson Nikita Nils Norma Odette Olaf Olivia
    Orhan Otto Pedro Petra Phoebe Piotr Rahul Raj Ralph Ramon Rania Rashida Rita Rohan Roman Rosalind Rui Sabine Sadia Salma Sanjay Sasha Selma
    Sergei Shan Sheila Silvia Sipho Sofia Stefan Sunita Susan Sven Tadeo Takumi Tamar Tanya Tatiana Tendai Teresa Theo Tiago Tobias Tomoko Trevor
    Ulrich Umar Uma Valentina Vanessa Vikas Vincent Viola Wanda Wei Wendy Winston Xavier Ximo Yan Yara Yasmina Yolanda Yuri Yvonne Zainab Zeynep
    Zita Zora Zuri""".split()
"""Other first names of many languages, for conversations and heroes."""

NEVER_NAMES = """Aisha Zanele Oluwaseun Bartholomew Wilhelmina Thandiwe Saoirse Siobhan Aleksander Chidi Nkechi Ximena Quentin Guadalupe Rashid Leif
    Astrid Tomasz Wojciech Katarzyna Anneliese Hyacinth Kwame Ngozi Takeshi Haruka Minh Linh Xiaoming Jiro Padma Vikram Deepak Eszter Zoltan
    Eleni Nikos Tariq Ibrahim Solveig Mbali Lindiwe Rafael Thiago Beatriz Joaquin Marlene Gwendolyn Ophelia Cornelius""".split()
"""First names for evaluation only."""

FIRST = """A Abe Ade Ai Al Am An Ar Ba Be Bi Bjo Bo Bra Bri Che Chi Cho Da De Di Dmi Do Dra E Ei Eki El Fa Fe Fio Fre Ga Ge Gia Gri Gu Gwe Ha He
    Hi Ho Hu I In Ja Je Ji Jo Ka Ke Kha Ki Ko Kri Ku Kwa La Le Li Lo Lu Ma Mbe Me Mi Mo Mu Na Ndu Ne Ngo Ni No O Olu Om Oy Pa Pe Phi Pra Pri
    Qua Qui Ra Re Ri Ro Ru Sa Se Sha Shi Si Sla So Su Sve Ta Te Tha Thi To Tri Tu U Va Ve Vi Vla Wa We Wi Wo Xa Xi Xo Ya Ye Yo Yu Za Ze Zi Zo
    Zu""".split()
MIDDLE = """ba be bi bo da de di do fe fu ga go ha hi ja ka ke ki ko la le li lo lu ma me mi mo mu na nda ne ni no nu pa pi ra re ri ro ru sa se
    sha shi si so ta te thi ti to tu va ve vi wa we ya yu za zi zo""".split()
LAST = """a ah an ar as bek beth bur ca da dis do dra el en er ette fa fer go gor ia id ie iko il in ina io is ita ka ke ki ko la lan las le li lin lo lu
    lys m ma mar mi mir n na nah ne ni nko no nor o on ond os qua r ra ran rek rik ro sha si slav son sto ta tan te th the ti to ton tou u us va
    vin wa wen win x ya yo za zen zi""".split()
"""Parts of names of many languages."""

NEVER = {name.lower() for name in NEVER_NAMES}


def made_up_name(rng: random.Random) -> str:
    """A name that hardly anybody has, so that what was said is copied: it cannot be known by heart."""
    if rng.random() < 0.2:
        return made_up(rng).capitalize()
    name = rng.choice(FIRST) + "".join(rng.choice(MIDDLE) for _ in range(rng.choice([0, 0, 1, 1, 2]))) + rng.choice(LAST)
    return made_up_name(rng) if name.lower() in NEVER or len(name) < 3 else name


def any_name(rng: random.Random) -> str:
    """A first name, known or made up."""
    chance = rng.random()
    return rng.choice(NAMES) if chance < 0.35 else rng.choice(MORE_NAMES) if chance < 0.6 else made_up_name(rng)


def plain_name(rng: random.Random) -> str:
    """A name that nobody has asked for: one of a few, so that it is known by heart."""
    return rng.choice(NAMES[:40])


def full_name(rng: random.Random) -> str:
    """What somebody or something may be called, at times with two words."""
    chance, name = rng.random(), any_name(rng)
    if chance < 0.1:
        return f"{name} {made_up_name(rng)}"
    if chance < 0.2:
        return f"{rng.choice(TITLES)} {name}"
    return rng.choice(THINGS).capitalize() if chance < 0.27 else name


TITLES = "Captain Doctor Professor Mr Mrs Lady Sir Uncle Aunt King Queen Old Little Agent".split()

assert not NEVER & {name.lower() for name in NAMES + MORE_NAMES}

CITIES = """Paris Rome Madrid Berlin London Vienna Oslo Lisbon Athens Dublin Tokyo Delhi Cairo Lima Boston Chicago Hamburg Munich
    Milan Venice Geneva Sydney Toronto Prague Warsaw Glasgow""".split()

COLOURS = "red blue green yellow orange purple pink brown black white grey".split()

ANIMALS = "dog cat horse rabbit parrot hamster goat turtle canary pony".split()

MORE_CITIES = """Zurich, Basel, Lyon, Nice, Naples, Turin, Florence, Seville, Valencia, Porto, Krakow, Bergen, Oxford, Cambridge, Leeds, Bristol, York,
    Liverpool, Edinburgh, Cardiff, Belfast, Cork, Antwerp, Rotterdam, Utrecht, Cologne, Frankfurt, Dresden, Leipzig, Salzburg, Graz, Osaka, Kyoto,
    Mumbai, Shanghai, Hong Kong, Singapore, Istanbul, Izmir, Karachi, Lagos, Durban, Cape Town, Nairobi, Accra, Rio, Sao Paulo, La Paz, Cusco,
    New York, Los Angeles, San Francisco, Seattle, Denver, Austin, Montreal, Vancouver, Melbourne, Perth, Auckland, Oslo, Helsinki, Stockholm""".replace(
        "\n   ", "").split(", ")

MORE_COLOURS = """turquoise, violet, gold, silver, beige, crimson, navy blue, dark green, light blue, teal, magenta, scarlet, indigo, olive, maroon, ivory,
    lavender, coral, dark red, pale pink, sky blue, amber, emerald, bronze, cream, khaki, lilac, mustard, peach, ruby, salmon, tan""".replace(
        "\n   ", "").split(", ")

PETS = """gecko iguana ferret budgie tortoise pig snake mouse rat lizard spider puppy kitten sheep lamb hen duck donkey owl goose chinchilla cockatoo
    goldfish frog toad newt crab snail raven pigeon llama alpaca hedgehog poodle beagle tiger monkey eel axolotl""".split()

JOBS = """baker teacher nurse doctor pilot farmer painter singer dancer writer builder carpenter plumber driver cook chef waiter judge lawyer engineer
    architect gardener fisherman sailor soldier student tailor barber butcher dentist mechanic miner banker actor artist author clerk detective
    electrician firefighter florist hunter journalist librarian musician optician photographer postman programmer scientist secretary shepherd
    surgeon translator vet watchmaker weaver welder zookeeper""".split()

HOBBIES = """chess, fishing, football, tennis, painting, knitting, cooking, baking, dancing, singing, reading, hiking, cycling, sailing, climbing, swimming,
    photography, gardening, pottery, archery, yoga, karate, judo, golf, skiing, surfing, running, writing poems, playing the piano,
    collecting stamps, bird watching, model trains, card games, table tennis, horse riding, ice skating, origami, juggling, astronomy, carpentry""".replace(
        "\n   ", "").split(", ")

FOODS = """pizza, pasta, rice, soup, bread, cheese, chocolate, cake, sushi, curry, salad, fish, chicken, noodles, pancakes, potatoes, mushrooms, apples,
    bananas, cherries, ice cream, beans, tacos, dumplings, lasagne, risotto, goulash, couscous, falafel, paella, ramen, tofu, waffles, porridge,
    fried eggs, apple pie, tomato soup, fish and chips, honey, olives, strawberries, spaghetti, carrots, jollof rice, borscht""".replace(
        "\n   ", "").split(", ")

MONTHS = "January February March April May June July August September October November December".split()
