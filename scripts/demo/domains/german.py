"""German: words, phrases, and the same facts asked in German."""

import random

from demo.domains import arithmetic, claims, dates
from demo.domains.countries import IN_GERMAN
from demo.topic import Domain, Row, Topic, table

NOUNS = """dog der_Hund, cat die_Katze, horse das_Pferd, bird der_Vogel, fish der_Fisch, mouse die_Maus, house das_Haus, door
    die_Tür, window das_Fenster, table der_Tisch, chair der_Stuhl, bed das_Bett, garden der_Garten, tree der_Baum,
    flower die_Blume, forest der_Wald, river der_Fluss, sea das_Meer, sun die_Sonne, moon der_Mond, water das_Wasser,
    bread das_Brot, milk die_Milch, egg das_Ei, apple der_Apfel, coffee der_Kaffee, tea der_Tee, man der_Mann, woman
    die_Frau, child das_Kind, girl das_Mädchen, father der_Vater, mother die_Mutter, brother der_Bruder, sister
    die_Schwester, friend der_Freund, king der_König, queen die_Königin, teacher der_Lehrer, hand die_Hand, foot
    der_Fuß, head der_Kopf, eye das_Auge, book das_Buch, school die_Schule, city die_Stadt, village das_Dorf, car
    das_Auto, train der_Zug, day der_Tag, night die_Nacht, year das_Jahr, morning der_Morgen, money das_Geld, music
    die_Musik, fire das_Feuer, arm der_Arm, leg das_Bein, nose die_Nase, mouth der_Mund, ear das_Ohr, hair das_Haar, finger der_Finger, heart das_Herz, tooth der_Zahn,
    face das_Gesicht, back der_Rücken, blood das_Blut, skin die_Haut, street die_Straße, bridge die_Brücke, church die_Kirche, shop
    der_Laden, market der_Markt, hotel das_Hotel, station der_Bahnhof, airport der_Flughafen, hospital das_Krankenhaus, factory die_Fabrik,
    office das_Büro, kitchen die_Küche, room das_Zimmer, wall die_Wand, roof das_Dach, floor der_Boden, key der_Schlüssel, lamp die_Lampe,
    clock die_Uhr, mirror der_Spiegel, picture das_Bild, cup die_Tasse, plate der_Teller, glass das_Glas, bottle die_Flasche, knife
    das_Messer, fork die_Gabel, spoon der_Löffel, pot der_Topf, soup die_Suppe, cheese der_Käse, butter die_Butter, meat das_Fleisch, sugar
    der_Zucker, salt das_Salz, rice der_Reis, potato die_Kartoffel, tomato die_Tomate, onion die_Zwiebel, carrot die_Karotte, cake
    der_Kuchen, chocolate die_Schokolade, beer das_Bier, wine der_Wein, juice der_Saft, banana die_Banane, orange die_Orange, pear
    die_Birne, cherry die_Kirsche, strawberry die_Erdbeere, lemon die_Zitrone, grape die_Traube, cow die_Kuh, pig das_Schwein, sheep
    das_Schaf, goat die_Ziege, chicken das_Huhn, duck die_Ente, goose die_Gans, rabbit das_Kaninchen, bear der_Bär, wolf der_Wolf, fox
    der_Fuchs, lion der_Löwe, tiger der_Tiger, elephant der_Elefant, monkey der_Affe, snake die_Schlange, frog der_Frosch, bee die_Biene,
    butterfly der_Schmetterling, spider die_Spinne, animal das_Tier, plant die_Pflanze, leaf das_Blatt, grass das_Gras, rose die_Rose,
    mountain der_Berg, lake der_See, island die_Insel, beach der_Strand, sky der_Himmel, star der_Stern, cloud die_Wolke, rain der_Regen,
    snow der_Schnee, wind der_Wind, storm der_Sturm, ice das_Eis, weather das_Wetter, earth die_Erde, world die_Welt, stone der_Stein, wood
    das_Holz, gold das_Gold, silver das_Silber, iron das_Eisen, paper das_Papier, pen der_Stift, letter der_Brief, newspaper die_Zeitung,
    word das_Wort, sentence der_Satz, language die_Sprache, story die_Geschichte, song das_Lied, game das_Spiel, ball der_Ball, toy
    das_Spielzeug, doll die_Puppe, guitar die_Gitarre, piano das_Klavier, ship das_Schiff, boat das_Boot, plane das_Flugzeug, bicycle
    das_Fahrrad, bus der_Bus, wheel das_Rad, shirt das_Hemd, dress das_Kleid, trousers die_Hose, shoe der_Schuh, hat der_Hut, coat
    der_Mantel, bag die_Tasche, jacket die_Jacke, sock die_Socke, glove der_Handschuh, ring der_Ring, umbrella der_Regenschirm, family
    die_Familie, son der_Sohn, daughter die_Tochter, uncle der_Onkel, aunt die_Tante, grandmother die_Großmutter, grandfather der_Großvater,
    baby das_Baby, boy der_Junge, doctor der_Arzt, farmer der_Bauer, baker der_Bäcker, cook der_Koch, soldier der_Soldat, student
    der_Student, neighbour der_Nachbar, guest der_Gast, name der_Name, hour die_Stunde, week die_Woche, month der_Monat, evening der_Abend,
    spring der_Frühling, summer der_Sommer, autumn der_Herbst, winter der_Winter, birthday der_Geburtstag, war der_Krieg, peace der_Frieden,
    love die_Liebe, luck das_Glück, dream der_Traum, question die_Frage, answer die_Antwort, number die_Zahl, colour die_Farbe, light
    das_Licht, work die_Arbeit, country das_Land, castle das_Schloss, tower der_Turm, computer der_Computer, machine die_Maschine, hammer
    der_Hammer, idea die_Idee, law das_Gesetz, bank die_Bank, corner die_Ecke"""
OTHERS = """big groß, small klein, good gut, bad schlecht, old alt, new neu, hot heiß, cold kalt, warm warm, fast schnell,
    beautiful schön, red rot, blue blau, green grün, yellow gelb, black schwarz, white weiß, today heute,
    yes ja, no nein, and und, one eins, two zwei, three drei, four vier, five fünf, Monday Montag, Tuesday
    Dienstag, Wednesday Mittwoch, Thursday Donnerstag, Friday Freitag, Saturday Samstag, Sunday Sonntag, to_eat essen,
    to_drink trinken, to_sleep schlafen, to_go gehen, to_see sehen, to_read lesen, to_write schreiben, to_work
    arbeiten, to_love lieben, zero null, six sechs, seven sieben, eight acht, nine neun, ten zehn, eleven elf, twelve zwölf, thirteen dreizehn, fourteen vierzehn,
    fifteen fünfzehn, sixteen sechzehn, seventeen siebzehn, eighteen achtzehn, nineteen neunzehn, twenty zwanzig, hundred hundert, thousand
    tausend, January Januar, February Februar, March März, April April, May Mai, June Juni, July Juli, August August, September September,
    October Oktober, November November, December Dezember, brown braun, grey grau, pink rosa, purple lila, slow langsam, long lang, short
    kurz, young jung, high hoch, low niedrig, deep tief, wide breit, narrow eng, strong stark, weak schwach, rich reich, heavy schwer, easy
    einfach, difficult schwierig, clean sauber, dirty schmutzig, full voll, empty leer, open offen, closed geschlossen, happy glücklich, sad
    traurig, tired müde, hungry hungrig, thirsty durstig, sick krank, healthy gesund, loud laut, quiet leise, dark dunkel, bright hell,
    sweet süß, sour sauer, bitter bitter, dry trocken, wet nass, soft weich, hard hart, cheap billig, expensive teuer, correct richtig,
    wrong falsch, ugly hässlich, friendly freundlich, dangerous gefährlich, important wichtig, clever klug, stupid dumm, free frei,
    yesterday gestern, now jetzt, always immer, never nie, often oft, here hier, there dort, very sehr, or oder, but aber, with mit, without
    ohne, to_be sein, to_have haben, to_come kommen, to_run laufen, to_hear hören, to_speak sprechen, to_ask fragen, to_answer antworten,
    to_help helfen, to_buy kaufen, to_sell verkaufen, to_give geben, to_take nehmen, to_play spielen, to_sing singen, to_dance tanzen,
    to_swim schwimmen, to_fly fliegen, to_learn lernen, to_teach lehren, to_live leben, to_die sterben, to_think denken, to_know wissen,
    to_laugh lachen, to_cry weinen, to_cook kochen, to_wait warten, to_find finden, to_search suchen, to_begin beginnen, to_open öffnen,
    to_close schließen, to_say sagen, to_travel reisen, to_pay zahlen, to_sit sitzen, to_stand stehen, to_wash waschen, to_build bauen,
    to_drive fahren, to_dream träumen"""
PHRASES = {
    "good morning": "Guten Morgen", "good evening": "Guten Abend", "good night": "Gute Nacht", "good day": "Guten Tag",
    "goodbye": "Auf Wiedersehen", "thank you": "Danke", "please": "Bitte", "how are you": "Wie geht es dir",
    "I love you": "Ich liebe dich", "excuse me": "Entschuldigung", "welcome": "Willkommen", "see you later": "Bis später",
    "see you tomorrow": "Bis morgen", "see you soon": "Bis bald", "good luck": "Viel Glück", "happy birthday": "Alles Gute zum Geburtstag",
    "merry Christmas": "Frohe Weihnachten", "happy new year": "Frohes neues Jahr", "cheers": "Prost", "bless you": "Gesundheit",
    "I am sorry": "Es tut mir leid", "thank you very much": "Vielen Dank", "you are welcome": "Gern geschehen", "I am hungry": "Ich habe Hunger",
    "I am thirsty": "Ich habe Durst", "what is your name": "Wie heißt du", "I do not know": "Ich weiß nicht", "help me": "Hilf mir",
    "I do not understand": "Ich verstehe nicht", "hello": "Hallo", "enjoy your meal": "Guten Appetit", "have a good trip": "Gute Reise",
    "I am tired": "Ich bin müde", "how old are you": "Wie alt bist du", "what time is it": "Wie spät ist es", "of course": "Natürlich",
    "congratulations": "Herzlichen Glückwunsch",
}
OTHER_CITIES = """Frankreich Lyon Marseille Bordeaux, Italien Mailand Neapel Turin Venedig, Spanien Barcelona Sevilla Valencia, Polen Krakau Danzig,
    Deutschland München Hamburg Köln Frankfurt Bonn, Österreich Salzburg Graz Linz, Portugal Porto, Norwegen Bergen, Schweden Göteborg,
    Russland Sankt_Petersburg, Japan Osaka Kyoto, China Schanghai Hongkong, Indien Mumbai Kalkutta, Vietnam Saigon, Pakistan Karatschi,
    Ägypten Alexandria Luxor, Marokko Casablanca, Nigeria Lagos, Südafrika Kapstadt Durban, Brasilien Rio, Kanada Toronto Montreal Vancouver,
    Australien Sydney Melbourne Perth, Neuseeland Auckland, Belgien Antwerpen, Griechenland Saloniki, Kenia Mombasa, Südkorea Busan"""
NO_CAPITALS = {land: [city.replace("_", " ") for city in cities] for land, *cities in (item.split() for item in OTHER_CITIES.split(","))}
WORDS = [{"en": row["en"], "de": row["de"], "one": str(row["de"]).split()[-1]} for row in table(NOUNS, "en", "de") + table(OTHERS, "en", "de")]
ARTICLES: list[Row] = [row for row in WORDS if str(row["de"]).split()[0] in ("der", "die", "das")]
SAYINGS = [{"en": en, "de": de} for en, de in PHRASES.items()]

TO_GERMAN = ["What is the German word for {en}?", "[What is|What's] {en} in German?", "{en} in German[?|]", "[What's|What is] German for {en}?", "{en} auf Deutsch[?|]", "German word for {en}[?|]", "How do you say {en} in German?",
             "Translate {en} [to|into] German.", "What is {en} called in German?", "How do Germans say {en}?", "German for {en}?",
             "[Tell me|Give me] the German for {en}.", "What do Germans call {en}?", 'What is "{en}" in German?', "How do you say '{en}' in German?", 'Translate "{en}" [to|into] German.', "Which German word means {en}?", "Was heißt {en} auf Deutsch?"]
TO_GERMAN_HELD_OUT = ["How would you say {en} in German?", "Can you translate {en} into German?", "Do you know the German for {en}?"]


def claim(rng: random.Random) -> Row:
    """A word with its German, or with that of another word."""
    row = rng.choice(WORDS)
    return row | claims.said(rng, row["one"], [other["one"] for other in WORDS if other["one"].lower() != row["one"].lower()])


def capital_claim(rng: random.Random) -> Row:
    """A country with its capital, or with another city of it or another capital, in German."""
    row = rng.choice(IN_GERMAN)
    others = [other["stadt"] for other in IN_GERMAN if other is not row]
    right, near = row["stadt"], NO_CAPITALS.get(str(row["land"]))
    told = right if rng.random() < 0.5 else rng.choice(near if near and rng.random() < 0.6 else others)
    return row | {"said": told, "judged": f"du sagst {told}, also {'ja' if told == right else 'nein'}"}


BEFORE = [{"tag": day, "vortag": dates.GERMAN_DAYS[i - 1]} for i, day in enumerate(dates.GERMAN_DAYS)]

DOMAIN = Domain("german", 4.4, [
    Topic(claim, ["Is {said} the German word for {en}?", "Is {said} German for {en}?", "Does {said} mean {en}?", "Is {en} {said} in German?",
                  "Is it true that {said} means {en}?", "{said} means {en}, right?", "Is {en} called {said} in German?", *claims.asked("{said} means {en}")],
          ["Would you say that {said} means {en}?"], "In German, {en} is {de}, {judged}.", "{de}, {judged}.", weight=0.8),
    Topic(WORDS, TO_GERMAN, TO_GERMAN_HELD_OUT, "In German, {en} is {de}.", "{de}.",
          follow_ups=["And {en}?", "[What|How] about {en}?", "Und {en}?"], weight=4.5),
    Topic(ARTICLES, ["How do you say the {en} in German?", "What is the {en} in German?", "Translate the {en} [to|into] German.", "The {en} in German?"],
          ["What do Germans call the {en}?"], "In German, {en} is {de}.", "{de}.", weight=0.5),
    Topic(WORDS, ["What does {one} mean?", 'What does "{one}" mean?', 'What is "{one}" in English?', "What is {one} in English?", "Translate {one} [to|into] English.", "What does the German word {one} mean?",
                  "{one} in English[?|]", "Was heißt {one} auf Englisch?", "Was bedeutet {one} auf Englisch?", "What is the meaning of {one}?",
                  "What is the English word for {one}?", "How do you say {one} in English?",
                  "In English, what is {one}?", "{one}: what is that in English?", "Tell me the English word for {one}.", "What do you call {one} in English?",
                  "What is the translation of {one}?", "[Which|What] English word means {one}?", "What is meant by {one}?", "Say {one} in English."],
          ["What would {one} be in English?", "Can you translate {one} into English?"], "In English, {one} is {en}.", "{en}.",
          follow_ups=["And {one}?", "[What|How] about {one}?", "Und {one}?"], same=["What does that mean?"], weight=3),
    Topic(ARTICLES, ["What is the article of {one}?", "Der, die or das {one}?", "Is it der, die or das {one}?", "Der, die oder das {one}?",
                     "Which article has {one}?", "What article goes with {one}?", "{one}: der, die or das?", "[Tell me|Name] the article of {one}.",
                     "Which article does {one} take?", "Welchen Artikel hat {one}?", "Der oder die oder das {one}?"],
          ["Do I say der, die or das {one}?"], "It is {de}.", "{de}.", weight=0.8),
    Topic(SAYINGS, TO_GERMAN, TO_GERMAN_HELD_OUT,
          "In German, {en} is {de}.", "{de}.", follow_ups=["And {en}?", "[What|How] about {en}?"], weight=1.6),
    Topic(SAYINGS, ["What does {de} mean?", 'What does "{de}" mean?', 'What is "{de}" in English?', "What is {de} in English?", "Translate {de} [to|into] English.",
                    "{de} in English[?|]", "Was heißt {de} auf Englisch?", "What is the meaning of {de}?", "How do you say {de} in English?",
                    "In English, what is {de}?", "Tell me the English for {de}.", "What do you call {de} in English?", "Say {de} in English."],
          ["What would {de} be in English?", "Can you translate {de} into English?"], "In English, {de} is {en}.", "{en}.", weight=0.6),
    Topic(IN_GERMAN, ["Was ist die Hauptstadt von {land}?", "Wie heißt die Hauptstadt von {land}?", "Hauptstadt von {land}?",
                      "Welche Stadt ist die Hauptstadt von {land}?", "Nenne die Hauptstadt von {land}.", "Sag mir die Hauptstadt von {land}.",
                      "Welche Hauptstadt hat {land}?", "Kennst du die Hauptstadt von {land}?", "Die Hauptstadt von {land}?",
                      "Weißt du die Hauptstadt von {land}?", "Ich suche die Hauptstadt von {land}.", "Gib mir die Hauptstadt von {land}.", "{land}: welche Hauptstadt?"],
          ["Kannst du mir die Hauptstadt von {land} nennen?", "Was für eine Hauptstadt hat {land}?"], "Die Hauptstadt von {land} ist {stadt}.",
          "{stadt}.", follow_ups=["Und {land}?", "Und von {land}?", "Wie ist es mit {land}?"], same=["Was ist die Hauptstadt?"], weight=2),
    Topic(IN_GERMAN, ["Wo liegt {land}?", "Wo ist {land}?", "Auf welchem Kontinent liegt {land}?", "In welchem Erdteil liegt {land}?",
                      "Auf welchem Erdteil ist {land}?",
                      "Auf welchem Kontinent finde ich {land}?", "Wo finde ich {land}?", "Welcher Kontinent hat {land}?", "Sag mir, wo {land} liegt.",
                      "Weißt du, wo {land} liegt?", "In welchem Teil der Welt liegt {land}?", "Kontinent von {land}?"], ["Zu welchem Kontinent gehört {land}?"],
          "Das Land {land} liegt in {erdteil}.", "{erdteil}.", follow_ups=["Und {land}?"], same=["Wo liegt das?", "Und wo liegt das Land?"], weight=0.8),
    Topic(arithmetic.SUMS, ["Was ist {a} + {b}?", "Wie viel ist {a} + {b}?", "Wie viel ist {a} plus {b}?", "Was ist {a} plus {b}?", "Rechne {a} + {b}.",
                            "Wie viel sind {a} und {b}?", "Wie viel macht {a} + {b}?", "Was gibt {a} + {b}?", "Rechne {a} + {b} aus.", "Kannst du {a} + {b} rechnen?",
                            "{a} + {b} ist wie viel?", "Sag mir, was {a} plus {b} ist."], ["Wie viel ergibt {a} + {b}?"], "{work}{a} + {b} = {c}.", "{short}.", follow_ups=["Und {a} + {b}?"]),
    Topic(arithmetic.DIFFERENCES[0], ["Was ist {a} - {b}?", "Wie viel ist {a} - {b}?", "Wie viel ist {a} minus {b}?", "Was ist {a} minus {b}?", "Rechne {a} - {b}.", "Wie viel macht {a} - {b}?",
                                     "Was gibt {a} - {b}?", "Rechne {a} - {b} aus.", "Kannst du {a} - {b} rechnen?", "{a} - {b} ist wie viel?"],
          ["Wie viel ergibt {a} - {b}?"], "{work}{a} - {b} = {c}.", "{short}.", follow_ups=["Und {a} - {b}?"], held_out_rows=arithmetic.DIFFERENCES[1][:60], weight=0.7),
    Topic(arithmetic.PRODUCTS, ["Was ist {a} x {b}?", "Wie viel ist {a} x {b}?", "Wie viel ist {a} mal {b}?", "Was ist {a} mal {b}?", "Rechne {a} mal {b}.", "Wie viel macht {a} mal {b}?",
                                "Was gibt {a} x {b}?", "Rechne {a} x {b} aus.", "Kannst du {a} x {b} rechnen?", "{a} mal {b} ist wie viel?"],
          ["Wie viel ergibt {a} x {b}?", "Wie viel ergibt {a} mal {b}?"], "{a} x {b} = {c}.", "{c}.", follow_ups=["Und {a} x {b}?", "Und {a} mal {b}?"], weight=0.5),
    Topic(capital_claim, ["Ist {said} die Hauptstadt von {land}?", "Ist die Hauptstadt von {land} {said}?", "{said} ist die Hauptstadt von {land}, oder?",
                          "Stimmt es, dass {said} die Hauptstadt von {land} ist?", "Heißt die Hauptstadt von {land} {said}?", "Die Hauptstadt von {land} ist {said}, richtig?",
                          "Ist es [wahr|richtig], dass {said} die Hauptstadt von {land} ist?", "Glaubst du, dass {said} die Hauptstadt von {land} ist?",
                          "Ich glaube, dass {said} die Hauptstadt von {land} ist. Stimmt das?", "Kann man sagen, dass {said} die Hauptstadt von {land} ist?"],
          ["Würdest du sagen, dass {said} die Hauptstadt von {land} ist?"], "Die Hauptstadt von {land} ist {stadt}, {judged}.", "{stadt}, {judged}.", weight=0.7),
    Topic(BEFORE, ["Welcher Tag kommt vor {tag}?", "Was kommt vor {tag}?", "Welcher Tag liegt vor {tag}?", "Heute ist {tag}. Was war gestern?"],
          ["Welcher Tag ist vor {tag}?"], "Vor {tag} kommt {vortag}.", "{vortag}.", follow_ups=["Und vor {tag}?"], weight=0.5),
    Topic(dates.DAY_ROWS, ["Welcher Tag kommt nach {tag}?", "Was kommt nach {tag}?", "Welcher Tag folgt auf {tag}?", "Heute ist {tag}. Was ist morgen?"],
          ["Welcher Tag ist nach {tag}?"], "Nach {tag} kommt {folgetag}.", "{folgetag}.", weight=0.6),
    Topic([{}], ["Hallo[!|.|]", "Guten [Tag|Morgen|Abend][!|.|]", "Grüß Gott!", "Servus!", "Moin!"], ["Hallo du!"],
          "Hallo! Was möchtest du wissen?", "Hallo!", weight=0.5),
    Topic([{}], ["Wie geht es dir?", "Wie geht's?", "Geht es dir gut?"], ["Wie geht es dir heute?"], "Mir geht es gut, danke.", "Gut.", weight=0.3),
    Topic([{}], ["Wer bist du?", "Was bist du?", "Bist du ein Mensch?", "Erzähl etwas über dich.", "Bist du ein Computer?", "Sag mir, wer du bist.", "Wer spricht da?",
                "Beschreib dich.", "Sag etwas über dich.", "Kannst du dich vorstellen?", "Erzähl mir von dir.", "Wer bist du denn?", "Bist du eine Maschine?", "Mit wem spreche ich?"], ["Stell dich vor."],
          "Ich bin das Demomodell von Foregate, eine sehr kleine Mischung von Experten.", weight=0.3),
    Topic([{}], ["Wie heißt du?", "Was ist dein Name?", "Hast du einen Namen?", "Wie ist dein Name?", "Wie soll ich dich nennen?",
                "Nenne deinen Namen.", "Sag mir, wie du heißt.", "Wie nennt man dich?", "Und wie heißt du?"], ["Sag mir deinen Namen."], "Mein Name ist Foregate.", weight=0.3),
    Topic([{}], ["Danke[!|.|]", "Vielen Dank!", "Danke schön!", "Ich danke dir.", "Danke, das war gut.", "Super, danke!"], ["Danke sehr!"], "Gern geschehen!", weight=0.3),
    Topic([{}], ["Auf Wiedersehen!", "Tschüss!", "Bis morgen!", "Gute Nacht!", "Bis später!", "Ich muss gehen.", "Leb wohl!", "Ciao!"], ["Bis bald!"], "Auf Wiedersehen!", weight=0.3),
    Topic([{}], ["Was ist Foregate?", "Was macht Foregate?", "Wofür ist Foregate gut?", "Was kann Foregate?", "Sag mir, was Foregate ist.", "Kennst du Foregate?"], ["Erkläre mir Foregate."],
          "Foregate führt Modelle aus vielen Experten aus, die nicht in den Speicher passen.", weight=0.3),
    Topic([{}], ["[Do you speak|Can you speak|Do you understand] German?", "Sprichst du Deutsch?", "Kannst du Deutsch?", "Verstehst du Deutsch?"],
          ["Can you talk in German?"], "Ja, ein wenig Deutsch.", weight=0.3),
])

for topic in DOMAIN.topics:
    # What is answered in German anyway is so where the system prompt asks for it too.
    if not topic.answer.startswith(("In German", "In English", "It is")):
        topic.german = topic.answer
