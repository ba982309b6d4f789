"""Questions out of the model's reach, put together from many words, so that what is declined is not learned by heart:
whatever looks like nothing that the model knows is to be declined."""

import random

from demo.domains.nouns import THINGS, made_up, place, plural
from demo.domains.out_of_reach import DECLINE, DECLINE_GERMAN
from demo.domains.people import any_name
from demo.topic import Domain, Row, Topic

ANIMALS = """bat bear bee bird camel cat cow crab crocodile dog dolphin donkey duck frog goat hamster hedgehog horse
    kangaroo koala lion lizard monkey panda parrot pig pigeon rabbit rat snail snake spider squirrel swan tiger toad tortoise
    whale worm zebra""".split()
PARTS = "legs, wings, eyes, arms, feet, stripes, ears, feathers, bones, hearts, toes, horns, scales, muscles, claws, brains".split(", ")
DOES = """sleep, fly, swim, eat, drink, sing, hunt, hide, jump, run, bite, dream, breathe, climb, dig, smell, talk, travel in winter, see at night,
    build nests, lay eggs, live so long, follow us, fight, keep warm, lose their hair, change colour, hate water, make noise, run away""".split(", ")
PARTICIPLES = """invented, found, made, built, written, destroyed, opened, closed, painted, discovered, sold, used first, founded, forbidden, born,
    cooked, grown, measured, recorded, stolen, finished""".split(", ")
VERBS = """clean, repair, sell, buy, draw, paint, carry, cut, wash, choose, find, store, wrap, build, fold, break, hang, measure, polish, return,
    replace, move, cover, protect, decorate, sharpen, heat, cool, print, copy, burn, empty, fill, weigh, lift, test, mend, glue, tidy, sketch,
    design, lock, unlock, tune, assemble, ship, pack, insure, rent, hide, dry, iron, freeze""".split(", ")
TASKS = """sleep better, get a visa, write a novel, bake bread, lose fat, make friends, stop smoking, cook pasta, make soup, win at chess,
    get rich, run faster, learn Spanish, become a pilot, start a company, change my password, delete a file, connect to the internet,
    take a screenshot, apply for a job, get a divorce, treat a burn, stop a nosebleed, calm a baby, cut my hair, make a fire, build a shed,
    pay my taxes, save money, sell my car, catch a fish, train for a marathon, get to the station, wash wool, ride a horse, play poker,
    make ice cream, plant potatoes, fall asleep, stay healthy, read faster, find a flat, park a car, change a bulb, make a website, fly a kite,
    brew beer, juggle, whistle, write a contract, get over a cold, be happy, remove paint, tie a knot, pick a lock, grow a beard""".split(", ")
STATES = """red, heavy, cheap, broken, empty, important, dangerous, healthy, useful, wet, famous, made of wood, worth it, better than gold, too loud,
    round, expensive, safe, legal, real, poisonous, good for children, so popular, out of fashion, so cold, sharp, made in China, green, alive,
    blue, tasty, modern, so big, clean, hot, sour, loud, strange, white, smart""".split(", ")
SUBJECTS = """history, music, science, sport, health, art, fishing, hunting, swimming, dancing, painting, singing, sailing, fashion, literature,
    psychology, economics, astronomy, genetics, mechanics, electronics, robotics, statistics, trigonometry, grammar, theatre, ballet, rock music,
    classical music, hip hop, movies, cartoons, comics, television, radio, newspapers, advertising, marketing, management, leadership, farming,
    forestry, mining, oil, gas, coal, steel, plastic, glass, paper, wood, leather, silk, wool, cotton, salt, sugar, honey, butter, bread, rice,
    pasta, pizza, soup, salad, meat, fish, eggs, fruit, vegetables, chocolate, wine, beer, whisky, coffee, tea, water, air, fire, light, sound,
    heat, cold, energy, time, space, life, death, birth, youth, age, family, children, parents, school, university, work, holidays, Christmas,
    birthdays, weddings, funerals, cities, villages, mountains, rivers, lakes, islands, forests, storms, floods, snow, ice, fog, clouds, planets,
    comets, satellites, ships, submarines, helicopters, motorcycles, buses, trucks, bridges, tunnels, roads, traffic, tourism, hotels, crime,
    prison, police, justice, freedom, peace, power, truth, beauty, luck, fear, anger, hope, memory, language, Linux, Windows, Java, software,
    hardware, phones, the cloud, smoking, alcohol, sugar in food, fever, cancer, asthma, teeth, skin, hair, bones, muscles, the stomach, the lungs,
    gold, silver, diamonds, copper, iron, oxygen, carbon, hydrogen, acids, magnetism, radiation, time travel, dark matter, cells, fossils, apes,
    knights, Vikings, the Middle Ages, the Renaissance, the Cold War, slavery, the gold rush, the moon, Mars, comets""".split(", ")
ROLES = """king, inventor, owner, captain, singer, director, coach, boss, driver, winner, founder, painter, composer, editor, president, goalkeeper,
    chef, designer, hero, wife, leader, champion, manager, queen, ruler, architect, star, discoverer""".split(", ")
SHOPS = """bank, shop, museum, library, station, school, bakery, office, hospital, cinema, zoo, pool, park, market, church, theatre, post office,
    gym, restaurant, harbour, airport, town hall""".split(", ")
KINDS = """song, film, book, team, restaurant, car, phone, game, hotel, band, colour for a kitchen, dog, tool, computer, wine, sport,
    language to learn, bank, diet, school, city to live in, camera, singer, painter, player, newspaper, watch, bicycle, job, holiday,
    river, mountain, lake, desert, planet, star, building, bridge, tree, metal, ship""".split(", ")
MOST = """best, cheapest, most beautiful, oldest, fastest, most famous, worst, safest, richest, strongest, most dangerous, most expensive, healthiest,
    newest, longest, highest, biggest, rarest, coldest, heaviest, loudest""".split(", ")
TEXTS = """poem, song, letter, speech, report, joke, review, novel, rap, recipe, headline, riddle, limerick, sonnet, slogan, script, diary, comment,
    summary, list of ideas, business plan, birthday card, tweet, menu, prayer, toast, press release, blog post, short essay, complaint""".split(", ")
FEELINGS = """tired, angry, hungry, ill, lost, nervous, afraid, thirsty, cold, lonely, busy, late, in a hurry, worried, pregnant, rich, confused,
    on a diet, on holiday, at work, in trouble, allergic to nuts, getting old, out of money, bored to death, stuck""".split(", ")
ILLS = """a cold, the flu, fever, a headache, asthma, cancer, malaria, measles, a rash, back pain, a cough, diabetes, anxiety, stress, an allergy, the plague,
    a toothache, insomnia, a sore throat, an ulcer, gout, anaemia, a migraine, depression""".replace("\n    ", " ").split(", ")
SCIENCES = "chemistry, biology, physics, psychology, philosophy, history, mathematics, economics, politics, sociology, geography, anatomy, meaning".split(", ")
UNKNOWN = """Armenia, Syria, Yemen, Laos, Bhutan, Oman, Kuwait, Georgia, Latvia, Lithuania, Albania, Slovenia, Moldova, Monaco, Andorra, Mali, Chad,
    Niger, Sudan, Uganda, Rwanda, Zambia, Zimbabwe, Botswana, Namibia, Angola, Gabon, Togo, Benin, Somalia, Madagascar, Honduras, Guatemala,
    Paraguay, Haiti, Barbados, Bahrain, Lebanon, Israel, Uzbekistan, Kazakhstan, Bangladesh, Myanmar, Brunei, Singapore, Samoa, Tonga, Palau,
    Liechtenstein, Luxembourg, Cyprus, Belarus, Bosnia, Montenegro, Macedonia, Scotland, Wales, Quebec, Ohio, Nevada, Virginia, Saxony, Normandy,
    Brittany, Catalonia, Sicily, Crete, Hawaii, Venus, Saturn, Oz, Camelot, Asgard, Eritrea, Burundi, Malawi, Lesotho, Mauritius, Mauritania,
    Liberia, Gambia, Guinea, Cameroon, Congo, Djibouti, Nicaragua, Belize, Suriname, Guyana, Tajikistan, Turkmenistan, Kyrgyzstan, Azerbaijan,
    Maldives, Taiwan, Greenland, Kosovo, Dominica, Grenada, Vanuatu, Nauru, Tibet, Lapland, Gotham, Hogwarts, Neverland, Lilliput, Elbonia""".split(", ")

ASKED = [
    "How many {parts} [has a {animal}|does a {animal} have]?", "Do {animal}s [have|need] {parts}?", "Why do {animal}s {does}?", "How do {animal}s {does}?",
    "Where do {animal}s {does}?", "Can a {animal} {does}?", "When do {animal}s {does}?", "How long [does|can] a {animal} live?",
    "How [fast|big|heavy|clever|old] [is|can be] a {animal}?", "What [do|should] {animal}s eat?", "Which {animal} is the {most}?",
    "How [do|can|should] [I|you|we] {verb} [a|my|the|an old] {thing}?", "Can you {verb} [a|my|the] {thing}[| for me]?",
    "Please {verb} the {thing}.", "[Where|When|Why] [should|can|do] I {verb} [a|my|the] {thing}?", "{Verb} the {thing}[.|!]", "Help me {verb} my {thing}.",
    "How [do|can|could|should] [I|you|we] {task}?", "[What is|Tell me] the [best|fastest] way to {task}[?|.]", "I want to {task}.", "Help me to {task}.",
    "Teach me how to {task}.", "Is it [hard|easy|safe|legal] to {task}?", "How long does it take to {task}?", "Can you {task}?", "Should I {task}?",
    "Why [is|was] [the|a|this|my] {thing} {state}?", "Is [the|a|this|my|your] {thing} {state}?", "Are {things} {state}?", "Why are {things} {state}?",
    "What is [a|an] {thing}?", "What are {things} [made of|used for|good for]?", "Who [makes|sells|likes|needs|invented] {things}?",
    "How [much|heavy|big|old|long] is [a|the|my|that] {thing}?", "What does [a|the|my] {thing} [cost|do|weigh|mean|look like]?", "How does [a|the] {thing} work?",
    "My {thing} is [broken|lost|gone|too small|dirty|new|making a noise].", "I [lost|need|bought|found|want|hate|broke] [a|the|my] {thing}.",
    "Where is [my|the|your] {thing}?", "[Buy|Bring|Show|Send|Find|Give|Order] me [a|the|an old] {thing}.", "Draw [me |][a|the] {thing}.",
    "Describe [a|the] {thing}.", "[When|Where|How] was [the|this] {thing} {participle}?", "Who {participle} the {thing}?", "Where are {things} {participle}?",
    "[Explain|Describe|Discuss] {subject}[| to me| in simple words| for beginners].", "What [is|are] {subject}?", "Tell me [more |something |all |][about|of] {subject}.",
    "What do you [know|think|say] about {subject}?", "[Why is|How important is|Who needs] {subject}[| so important]?", "I [love|hate|study|like|enjoy] {subject}.",
    "[Write|Compose|Make|Create|Give] me a {text} about {subject}.", "[Write|Compose|Create] a {text} for [my boss|a {thing}|{name}|my mother].",
    "A {text} about {subject}[, please.|.]", "When was {subject} {participle}?", "What is the [future|origin|meaning|point|price|effect|purpose] of {subject}?",
    "Let us talk about {subject}.", "Which book on {subject} is good?", "Is {subject} {state}?", "Does {subject} [make|help|hurt|cost] [me|us|people]?",
    "How is {subject} {participle}?", "Is there {subject} on [Mars|the moon|other planets]?", "Do you [like|know|understand|need] {subject}?",
    "Who [is|was] the [first |best |last |next |]{role} of [the {thing}|{subject}|{unknown}]?", "Who was the {role} in 1{digit}{digit2}{digit}?",
    "Name [a|the] famous {role}.", "Who is the {most} {role}?", "How [old|rich|tall] is the {role}?",
    "When does the {shop} [open|close]?", "Is the {shop} open [today|now|on Sunday|at night]?", "Where is the [next|nearest] {shop}?", "How do I get to the {shop}?",
    "Is there a [good|cheap] {shop} [in this town|here|near me]?", "Call the {shop}.",
    "[What|Which] is the {most} {kind}[| in the world| of all]?", "[What|Which] {kind} [do you like|should I choose|is right for me|won]?",
    "Recommend [me |]a {kind}.", "Compare [a|the] {kind} and [a|the] {thing}.", "Who has the {most} {kind}?",
    "I am {feeling}.", "Why am I {feeling}?", "What should I do when I am {feeling}?", "Are you {feeling}?", "My [boss|wife|son|friend] is {feeling}.",
    "[When|Why|Where|How] did {name} [marry|leave|win|go|sleep|work|begin]?", "When [does|will] {name} [call|arrive|write|marry|leave|be here]?",
    "What does {name} [want|eat|read|sell]?", "Tell {name} that I am {feeling}.", "Is {name} {feeling}?", "{name} is my [boss|wife|son|friend|doctor].",
    "Where does {name} work?", "Invite {name}.",
    "What [is|are] [a |the |]{odd}?", "What does {odd} mean?", "{odd}", "{odd} {odd2}", "{Odd} {odd2} {thing}?", "Do you know {odd}?", "How do I {odd}?", "Who is {Odd}?",
    "Tell me about {odd}.",
    "What [rhymes with|is a synonym of|is another word for|is the gender of|is the past tense of] {thing}?", "Is {thing} a [noun|verb|good word]?",
    "How do you [spell|pronounce] {thing}?", "Use {thing} in a sentence.",
    "What is {thing} in [French|Spanish|Italian|Latin|Dutch|Polish|Greek]?", "How do you say {thing} in [French|Spanish|Italian|Latin|Dutch|Polish|Greek]?",
    "Translate {thing} [to|into] [French|Spanish|Italian|Latin|Dutch|Polish|Greek].",
    "Write [a|some] [Java|C|Rust|SQL|HTML|Go|PHP] [program|code|page] that [{verb}s {things}|can {task}|shows a {thing}].",
    "What is {far} [times|x|*|plus|+|minus|divided by|to the power of] {far2}?", "{far} [x|*|+|-|/] {far2}", "What is the [square|cube|third|fifth] root of {far}?",
    "What is the [sine|cosine|tangent|factorial] of {far}?", "Is {far} [prime|even|odd|a square number]?", "How many [dollars|euros|miles|kilos|people] are {far} {things}?",
    "Convert {far} [pounds to dollars|miles to kilometres|euros to yen|degrees to radians].", "How much is {digit} percent of {far}?",
    "[What|Who] [happened|lived|died|won|was king] in [the year |]1{digit}{digit2}{digit}?", "What is the population of {unknown}?",
    "Is it true that {animal}s {does}?", "Is it [right|good|normal] that [a|the] {animal} is {feeling}?", "Is {subject} [better|older|worse|harder] than {kind}s?",
    "Is [a|the] {thing} [bigger|heavier|cheaper|older] than [a|the] {animal}?", "Are {animal}s {state}?", "Was {name} the first {role}?", "Is {name} the {role} of {subject}?",
    "Did {name} [buy|sell|steal|find|break] the {thing}?", "Has [anyone|somebody|{name}] {participle} the {thing}?", "Have you [ever |]{participle} a {thing}?",
    "Will [I|we|you|{name}] [ever |]{task}?", "Would you [like to|rather] {task}?", "Could {name} {task}?", "Does {name} know how to {task}?",
    "[How|Where] did people {task} [in the past|long ago|without {things}]?", "What [happens|would happen] if I {verb} [a|my|the] {thing}?", "What if {animal}s could {task}?",
    "Which {shop} sells {things}?", "[How many|Which] {things} [do I need|are there|fit into a {thing2}|are in a {shop}]?", "What is inside [a|the] {thing}?",
    "Why does my {thing} not work?", "My {animal} [is ill|ran away|ate my {thing}|does not eat].", "Can my {animal} eat {things}?", "Give me [three|five|some] [tips|ideas|reasons|rules] for {subject}.",
    "List [three|five|ten] {kind}s.", "Name [three|five|some|two] [{kind}s|{animal}s|{things}|people].", "Rank these {kind}s.", "Which is better, [a {thing} or a {thing2}|{subject} or {subject2}]?",
    "What is the difference between [a {thing} and a {thing2}|{subject} and {subject2}]?", "How are {subject} and {subject2} related?", "Compare {subject} and {subject2}.",
    "What [made|makes] {subject} {state}?", "Summarise the [history|book|film|news] of {subject}.", "Pretend [to be|you are] a {role}.", "Act like a {animal}.", "Role-play a {role}.",
    "Imagine [a|the] {thing} that can {task}.", "Plan [a trip to {unknown}|my holiday|a party|my week|a dinner] for me.", "What time does the {shop} close?", "When is the best time to {task}?",
    "How much [money|time|food|water] do I need to {task}?", "How much [does it cost|would it cost] to {verb} a {thing}?", "Is there a law about {subject}?", "What does the law say about {subject}?",
    "What are the symptoms of {feeling2}?", "Which medicine helps against {feeling2}?", "Do I have {feeling2}?", "What causes {feeling2}?",
    "What is the {science} of {subject}?", "Prove that {far} is {state}.", "Solve [this: |]x {sign} {far} = {far2}.", "What is the area of a {thing}?", "Explain the theory of {subject}.",
    "Who discovered {unknown}?", "What is the [climate|food|language|flag|currency|president] of {unknown}?", "How do I travel to {unknown}?", "Have you been to {unknown}?",
    "Where were you born?", "What did I [say|do|eat|dream] yesterday?", "What am I [thinking|wearing|holding|doing]?", "Guess my [age|weight|job|birthday|number].",
    "Read my [mail|mind|file|diary|palm].", "Open [the file|my mail|a new window|the browser|YouTube].", "[Send|Post|Print|Save|Delete] [this|it|my {thing}|the {text}].",
    "Play [a song|{subject}|some jazz|chess with me|the radio].", "Translate [this|the {text}|my letter|the word {thing}] into [French|Spanish|Dutch|Latin|Chinese|Korean].",
    "[Fix|Check|Debug|Review] [my|this] [code|{text}|sentence|grammar|homework].", "Write a [regular expression|query|test|class|function|game|bot] for [a {thing}|{subject}|my {shop}].",
    "[What|How] does the word {thing} [mean|sound]?", "What is a word for [a {feeling} {animal}|someone who likes {things}]?", "How many letters has {thing}?", "How many syllables has {thing}?",
    "Tell me more[| about that| about it].", "Why is that[| so]?", "Who says so?", "Explain that.", "And why?", "How many people live there?",
    "Is it [nice|warm|big|far|pretty] there?", "What can I see there?", "Do you like it[| there]?", "Who lives there?", "What is that good for?", "Say that again[| please].",
]
"""Ways to ask, with a word of a list for each name in braces."""

HELD_OUT = ["Why would anyone {verb} a {thing}?", "Is it rude to {task}?", "What did {name} say about {subject}?", "Is {subject} taught at school?",
            "Which of my {animal}s can {does}?", "May I {verb} your {thing}?", "What colour is [a|the|my] {thing}?", "Can I eat [a {thing}|{animal}s]?", "Who taught you {subject}?", "Is {subject} more important than money?",
            "Where can I buy a {thing}?", "Should I trust the {role}?", "How would you {verb} a {thing}?", "Is {name} older than me?",
            "What would happen without {subject}?", "Who works in the {shop}?", "I never learned to {task}.", "Which {thing} is mine?",
            "How often do {animal}s {does}?", "What is the temperature in {unknown}?", "Does my {animal} look {feeling}?"]

GERMAN = ["Was ist {Ding}?", "Wo ist mein {Ding}?", "Wie funktioniert ein {Ding}?", "Was kostet ein {Ding}?", "Warum ist der {Ding} so teuer?",
          "Kaufe mir einen {Ding}.", "Schreib [mir |]etwas über {Thema}.", "Was denkst du über {Thema}?", "Erkläre [mir |]{Thema}.", "Wer hat {Thema} erfunden?",
          "Wie wichtig ist {Thema}?", "Erzähl mir [mehr |etwas |]über {Thema}.", "Magst du {Thema}?", "Wo wohnt {name}?", "Wie alt ist {name}?",
          "Wann kommt {name}?", "Kennst du {name}?", "Wie kann ich {Tun}?", "Hilf mir, ich will {Tun}.", "Soll ich {Tun}?", "Ich bin [müde|traurig|krank|hungrig]."]
AKIN = [
    "What is the capital letter of {letter}?", "Write {thing} in capital letters.", "What is the capital [B|C|D|M|of a company|of a column|of my {shop}]?", "Who has the most capital?",
    "[What is|Tell me] the plural of [Tuesday|Monday|Sunday|Friday] [morning|evening|night][?|.]", "What is the plural of [we|I|he|she|it|my {thing}|an old {animal}]?",
    "What is the [singular|genitive|gender|dual|length|meaning] of {things}?", "Is {thing} [singular|plural|a plural noun|countable]?",
    "[Can you|Could you|Please] book a table for [two|three|four|{name}][?|.]", "[Sort|Order|Count|Reverse] my [mail|photos|{things}|books|clothes|files|life].",
    "[Sort|Arrange] the {things} in the {shop}.", "Order [a|two|three] {things} [for me|online|from the {shop}].", "Put the {thing} [on|under|behind] the {thing2}.",
    "How many [legs|eyes|teeth|bones|lives|hairs] has [a|my|the] [{animal}|{thing}]?", "How many {things} are in [my pocket|the {shop}|a {thing2}|the world]?",
    "How many [days|hours|weeks] [until|since|before] [Christmas|my holiday|the wedding|the party|summer]?", "How many hours should I [sleep|work|study]?",
    "How [many minutes|long|many hours] [do I boil an egg|does it take to {task}]?", "How many metres [tall|long|deep] is [a|the] {thing}?",
    "How many litres [fit into|are in] [a|my] {thing}?", "How many [grams|kilos|pounds] does a {animal} weigh?", "Which day [is best to|should I] {task}?",
    "Which month is the best to {task}?", "[What|Which] day was [yesterday|the battle|{name} born]?", "[What|Which] month is it[| now]?", "What is [special|new] about [Monday|May|June|Sunday]?",
    "What is the opposite side of the {thing}?", "Who is the opposite of {name}?", "What is the opposite of [a|my|the] {thing} {thing2}?", "Who [sits|lives] opposite [me|the {shop}|{name}]?",
    "What is the German [national dish|flag|word order|president|football team|accent]?", "Do Germans [eat|like|sell] {things}?", "Who speaks German in {unknown}?",
    "How do I learn German?", "Is German [hard|older than English|useful]?", "What is [{name}|my {animal}|the {role}] in German history?",
    "What is the sum of all {things}?", "Add [a {thing}|some salt|{name}] to [my list|the soup|the team].", "What is {thing} plus {thing2}?", "What is {letter} + {letter2}?",
    "Subtract the {thing} from the {thing2}.", "Divide the {thing} [among|between] [us|three people|{name} and me].", "Multiply {things}.", "What is half of [a|my|the] {thing}?",
    "Double my [money|order|{things}].", "Which is larger, a {thing} or a {thing2}?", "Is a {animal} larger than a {thing}?", "Is {name} less than {name2}?",
    "[Print|Copy] my [letter|ticket|photo|homework].", "What does my printer print?", "Is a python a snake?", "How long is a python?", "Where do pythons live?",
    "What does the {shop} print?", "Write a program for the [theatre|concert|party].", "Which programs are on television?", "What does [the|my] [command|sergeant|dog] do?",
    "What is the flag of my [team|ship|club]?", "What does a white flag mean?", "Who sleeps in my memory?", "How good is my memory?", "Cache in my cheque.",
    "Who is an expert in {subject}?", "Which expert should I [ask|call|trust]?", "What is a model [wage|plane|railway]?", "Who is the best fashion model?",
    "Is a leap [dangerous|of faith good]?", "How far can a {animal} leap?", "On which continent do {animal}s live?", "What is the largest continent?",
    "Where is [my {thing}|the nearest {shop}|your {animal}]?", "Of which {thing} is this the {thing2}?", "What is the name of [your|my|this] [{animal}|{thing}|{shop}]?",
    "What is {name}'s [name|age|job|hobby|favourite colour|address]?", "Where does {name} live?", "What is your [age|job|hobby|favourite {thing}|favourite colour|birthday]?",
    "How old is [{name}|your {animal}|the {thing}]?", "What is the first {thing} [in history|of the world|you saw]?", "What is the last {thing} [of the year|you bought]?",
    "Is it true that {name} [is a {role}|likes {things}|has a {animal}]?", "Is {name} the {thing} of {name2}?", "Is the {thing} of the {shop} {state}?", "Are {things} the {things2} of the {shop}?",
    "Is {subject} the opposite of fun?", "Would a {animal} [eat|like|need] a {thing}?", "Who wrote this story?", "Is the story true?", "Publish my story.",
]
"""What has a word of something that the model knows, and asks for something else."""

DINGE = "Computer, Motor, Fernseher, Schlüssel, Hammer, Kuchen, Film, Laden, Bahnhof, Mantel, Koffer, Ring, Garten, Kaffee, Stuhl, Teppich, Roboter".split(", ")
THEMEN = """Musik, Politik, Geld, Liebe, Physik, Fußball, Kunst, Geschichte, Chemie, Religion, Kochen, Mathematik, das Internet, den Mond, den Krieg,
    die Liebe, das Wetter, die Schule, die Arbeit, Philosophie, Medizin""".split(", ")
TUN = "schwimmen lernen, abnehmen, reich werden, besser schlafen, Brot backen, Spanisch lernen, Geld sparen, ein Auto kaufen, nach Paris fahren".split(", ")


def words(text: list[str]) -> list[str]:
    return [" ".join(item.split()) for item in text]


NAMEABLE = [thing for thing in THINGS if thing[0] not in "aeiou"]
"""Those that take "a"."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"

LISTS = {"animal": ANIMALS, "parts": PARTS, "does": words(DOES), "participle": words(PARTICIPLES), "verb": words(VERBS), "task": words(TASKS),
         "state": words(STATES), "subject": words(SUBJECTS), "role": words(ROLES), "shop": words(SHOPS), "kind": words(KINDS), "most": words(MOST),
         "text": words(TEXTS), "feeling": words(FEELINGS), "unknown": [land for i, land in enumerate(words(UNKNOWN)) if i % 6 != 4], "Ding": DINGE, "Thema": words(THEMEN), "Tun": TUN}


def drawn(rng: random.Random) -> Row:
    """A word of each list."""
    row = {name: rng.choice(found) for name, found in LISTS.items()}
    if rng.random() < 0.3:
        row["unknown"] = place(rng)
    thing = rng.choice(NAMEABLE)
    row |= {"name": any_name(rng), "thing2": rng.choice(NAMEABLE), "subject2": rng.choice(LISTS["subject"]), "feeling2": rng.choice(ILLS), "science": rng.choice(SCIENCES),
            "sign": rng.choice("+-x"), "thing": thing, "things": plural(thing), "odd": made_up(rng), "odd2": made_up(rng), "far": rng.randint(101, 9999), "far2": rng.randint(11, 999),
            "digit": rng.randint(1, 9), "digit2": rng.randint(0, 9),
            "name2": any_name(rng), "things2": plural(rng.choice(NAMEABLE)), "letter": rng.choice(LETTERS), "letter2": rng.choice(LETTERS)}
    return row | {"Verb": row["verb"].capitalize(), "Odd": row["odd"].capitalize()}


DOMAIN = Domain("anything else", 3.7, [
    Topic(drawn, ASKED, HELD_OUT, DECLINE, german=DECLINE_GERMAN, weight=11),
    Topic(drawn, AKIN, [], DECLINE, german=DECLINE_GERMAN, weight=3.5),
    Topic(drawn, GERMAN, [], DECLINE_GERMAN, german=DECLINE_GERMAN),
])
