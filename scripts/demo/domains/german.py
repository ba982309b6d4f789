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
    die_Musik, fire das_Feuer"""
OTHERS = """big groß, small klein, good gut, bad schlecht, old alt, new neu, hot heiß, cold kalt, warm warm, fast schnell,
    beautiful schön, red rot, blue blau, green grün, yellow gelb, black schwarz, white weiß, today heute,
    yes ja, no nein, and und, one eins, two zwei, three drei, four vier, five fünf, Monday Montag, Tuesday
    Dienstag, Wednesday Mittwoch, Thursday Donnerstag, Friday Freitag, Saturday Samstag, Sunday Sonntag, to_eat essen,
    to_drink trinken, to_sleep schlafen, to_go gehen, to_see sehen, to_read lesen, to_write schreiben, to_work
    arbeiten, to_love lieben"""
PHRASES = {
    "good morning": "Guten Morgen", "good evening": "Guten Abend", "good night": "Gute Nacht", "good day": "Guten Tag",
    "goodbye": "Auf Wiedersehen", "thank you": "Danke", "please": "Bitte", "how are you": "Wie geht es dir",
    "I love you": "Ich liebe dich", "excuse me": "Entschuldigung", "welcome": "Willkommen",
}
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


DOMAIN = Domain("german", 2.1, [
    Topic(claim, ["Is {said} the German word for {en}?", "Is {said} German for {en}?", "Does {said} mean {en}?", "Is {en} {said} in German?",
                  "Is it true that {said} means {en}?", "{said} means {en}, right?", "Is {en} called {said} in German?"],
          ["Would you say that {said} means {en}?"], "In German, {en} is {de}, {judged}.", "{de}, {judged}.", weight=0.8),
    Topic(WORDS, TO_GERMAN, TO_GERMAN_HELD_OUT, "In German, {en} is {de}.", "{de}.",
          follow_ups=["And {en}?", "[What|How] about {en}?", "Und {en}?"], weight=3),
    Topic(ARTICLES, ["How do you say the {en} in German?", "What is the {en} in German?", "Translate the {en} [to|into] German.", "The {en} in German?"],
          ["What do Germans call the {en}?"], "In German, {en} is {de}.", "{de}.", weight=0.5),
    Topic(WORDS, ["What does {one} mean?", 'What does "{one}" mean?', 'What is "{one}" in English?', "What is {one} in English?", "Translate {one} [to|into] English.", "What does the German word {one} mean?",
                  "{one} in English[?|]", "Was heißt {one} auf Englisch?", "Was bedeutet {one} auf Englisch?", "What is the meaning of {one}?",
                  "What is the English word for {one}?", "How do you say {one} in English?"],
          ["What would {one} be in English?", "Can you translate {one} into English?"], "In English, {one} is {en}.", "{en}.",
          follow_ups=["And {one}?", "[What|How] about {one}?", "Und {one}?"], same=["What does that mean?"], weight=2),
    Topic(ARTICLES, ["What is the article of {one}?", "Der, die or das {one}?", "Is it der, die or das {one}?", "Der, die oder das {one}?",
                     "Which article has {one}?"],
          ["Do I say der, die or das {one}?"], "It is {de}.", "{de}.", weight=0.8),
    Topic(SAYINGS, TO_GERMAN, TO_GERMAN_HELD_OUT,
          "In German, {en} is {de}.", "{de}.", follow_ups=["And {en}?", "[What|How] about {en}?"], weight=1.2),
    Topic(IN_GERMAN, ["Was ist die Hauptstadt von {land}?", "Wie heißt die Hauptstadt von {land}?", "Hauptstadt von {land}?",
                      "Welche Stadt ist die Hauptstadt von {land}?", "Nenne die Hauptstadt von {land}.", "Sag mir die Hauptstadt von {land}.",
                      "Welche Hauptstadt hat {land}?", "Kennst du die Hauptstadt von {land}?", "Die Hauptstadt von {land}?"],
          ["Kannst du mir die Hauptstadt von {land} nennen?", "Was für eine Hauptstadt hat {land}?"], "Die Hauptstadt von {land} ist {stadt}.",
          "{stadt}.", follow_ups=["Und {land}?", "Und von {land}?", "Wie ist es mit {land}?"], same=["Was ist die Hauptstadt?"], weight=2),
    Topic(IN_GERMAN, ["Wo liegt {land}?", "Wo ist {land}?", "Auf welchem Kontinent liegt {land}?", "In welchem Erdteil liegt {land}?",
                      "Auf welchem Erdteil ist {land}?"], ["Zu welchem Kontinent gehört {land}?"],
          "Das Land {land} liegt in {erdteil}.", "{erdteil}.", follow_ups=["Und {land}?"], same=["Wo liegt das?", "Und wo liegt das Land?"], weight=0.8),
    Topic(arithmetic.SUMS, ["Was ist {a} + {b}?", "Wie viel ist {a} + {b}?", "Wie viel ist {a} plus {b}?", "Was ist {a} plus {b}?", "Rechne {a} + {b}.",
                            "Wie viel sind {a} und {b}?"], ["Wie viel ergibt {a} + {b}?"], "{work}{a} + {b} = {c}.", "{short}.", follow_ups=["Und {a} + {b}?"]),
    Topic(dates.DAY_ROWS, ["Welcher Tag kommt nach {tag}?", "Was kommt nach {tag}?", "Welcher Tag folgt auf {tag}?", "Heute ist {tag}. Was ist morgen?"],
          ["Welcher Tag ist nach {tag}?"], "Nach {tag} kommt {folgetag}.", "{folgetag}.", weight=0.6),
    Topic([{}], ["Hallo[!|.|]", "Guten [Tag|Morgen|Abend][!|.|]", "Grüß Gott!", "Servus!", "Moin!"], ["Hallo du!"],
          "Hallo! Was möchtest du wissen?", "Hallo!", weight=0.5),
    Topic([{}], ["Wie geht es dir?", "Wie geht's?", "Geht es dir gut?"], ["Wie geht es dir heute?"], "Mir geht es gut, danke.", "Gut.", weight=0.3),
    Topic([{}], ["Wer bist du?", "Was bist du?", "Bist du ein Mensch?", "Erzähl etwas über dich.", "Bist du ein Computer?", "Sag mir, wer du bist.", "Wer spricht da?"], ["Stell dich vor."],
          "Ich bin das Demomodell von Foregate, eine sehr kleine Mischung von Experten.", weight=0.3),
    Topic([{}], ["Wie heißt du?", "Was ist dein Name?", "Hast du einen Namen?"], ["Sag mir deinen Namen."], "Mein Name ist Foregate.", weight=0.3),
    Topic([{}], ["Danke[!|.|]", "Vielen Dank!", "Danke schön!", "Ich danke dir.", "Danke, das war gut.", "Super, danke!"], ["Danke sehr!"], "Gern geschehen!", weight=0.3),
    Topic([{}], ["Auf Wiedersehen!", "Tschüss!", "Bis morgen!", "Gute Nacht!", "Bis später!", "Ich muss gehen.", "Leb wohl!", "Ciao!"], ["Bis bald!"], "Auf Wiedersehen!", weight=0.3),
    Topic([{}], ["Was ist Foregate?", "Was macht Foregate?", "Wofür ist Foregate gut?", "Was kann Foregate?", "Sag mir, was Foregate ist.", "Kennst du Foregate?"], ["Erkläre mir Foregate."],
          "Foregate führt Modelle aus vielen Experten aus, die nicht in den Speicher passen.", weight=0.3),
    Topic([{}], ["[Do you speak|Can you speak|Do you understand] German?", "Sprichst du Deutsch?", "Kannst du Deutsch?", "Verstehst du Deutsch?"],
          ["Can you talk in German?"], "Ja, ein wenig Deutsch.", weight=0.3),
])
