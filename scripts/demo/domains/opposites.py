"""Words and their opposites."""

import random

from demo.domains import claims
from demo.topic import Domain, Row, Topic, table

PAIRS = """hot cold, big small, fast slow, high low, up down, left right, old new, good bad, day night, open closed, hard soft,
    light dark, long short, rich poor, wet dry, early late, full empty, loud quiet, happy sad, strong weak, young old,
    thick thin, wide narrow, deep shallow, near far, clean dirty, easy difficult, true false, first last, sweet sour,
    heavy light, love hate, black white, inside outside, above below, always never, begin end, win lose, push pull,
    friend enemy, warm cool, huge tiny, tall short, cheap expensive, alive dead, careful careless, more less, many
    few, everything nothing, yes no, before after, over under, in out, on off, north south, east west, summer winter,
    buy sell, give take, come go, remember forget, laugh cry, arrive leave, question answer, war peace, front back,
    top bottom, man woman, king queen, brother sister, mother father, boy girl, ugly beautiful, safe dangerous,
    healthy sick, possible impossible, increase decrease, fail pass, best worst"""
MORE = """accept reject, advantage disadvantage, agree disagree, ancient modern, appear disappear, approve disapprove, arrival departure, asleep
    awake, attack defend, attract repel, forward backward, blunt sharp, brave cowardly, bright dim, build destroy, busy idle, calm nervous,
    ceiling floor, adult child, clever stupid, combine separate, comfortable uncomfortable, complete incomplete, simple complex, connect
    disconnect, correct incorrect, kind cruel, smooth rough, straight curved, dawn dusk, admit deny, hope despair, birth death, multiply
    divide, add subtract, plus minus, employer employee, entrance exit, even odd, inhale exhale, expand shrink, import export, interior
    exterior, fact fiction, familiar strange, float sink, wise foolish, freeze melt, frequent rare, fresh stale, smile frown, past future,
    generous stingy, giant dwarf, guilty innocent, guest host, harmful harmless, heaven hell, hero villain, show hide, honest dishonest,
    horizontal vertical, proud humble, husband wife, notice ignore, include exclude, inner outer, input output, indoors outdoors, joy sorrow,
    junior senior, legal illegal, lend borrow, lazy diligent, like dislike, likely unlikely, lock unlock, logical illogical, loose tight, lost
    found, loyal disloyal, lucky unlucky, major minor, majority minority, male female, married single, mature immature, maximum minimum, noon
    midnight, mountain valley, natural artificial, positive negative, nephew niece, uncle aunt, son daughter, grandfather grandmother, prince
    princess, bride groom, lord lady, duke duchess, waiter waitress, everybody nobody, everywhere nowhere, noisy silent, obey disobey, online
    offline, optimist pessimist, optimistic pessimistic, original copy, patient impatient, permanent temporary, perfect imperfect, singular
    plural, polite rude, wealth poverty, praise criticize, present absent, private public, problem solution, profit loss, rational irrational,
    raw cooked, real fake, regular irregular, reward punishment, rise fall, rural urban, sane insane, satisfied dissatisfied, spend save,
    gather scatter, selfish selfless, sender receiver, send receive, sit stand, sober drunk, sooner later, start stop, teacher student,
    success failure, sunrise sunset, sunny cloudy, superior inferior, sure unsure, tame wild, teach learn, here there, this that, these those,
    together apart, tidy messy, comedy tragedy, transparent opaque, trust distrust, truth lie, useful useless, upper lower, upstairs
    downstairs, upward downward, valid invalid, valuable worthless, victory defeat, violent peaceful, visible invisible, voluntary compulsory,
    sleep wake, winner loser, with without, better worse, wrap unwrap, dress undress, fold unfold, load unload, pack unpack, zip unzip, tie
    untie, cover uncover, plug unplug, install uninstall, do undo, lead follow, buyer seller, fertile barren, flexible rigid, formal informal,
    friendly unfriendly, grateful ungrateful, hopeful hopeless, important unimportant, initial final, known unknown, liquid solid, limited
    unlimited, native foreign, mild severe, necessary unnecessary, normal abnormal, occupied vacant, often seldom, ordinary special, pleasant
    unpleasant, plentiful scarce, probable improbable, pure impure, qualified unqualified, reasonable unreasonable, reliable unreliable,
    responsible irresponsible, strict lenient, suitable unsuitable, tender tough, bold timid, usual unusual, clear unclear, virtue vice,
    strength weakness, spring autumn, shiny dull, eager reluctant, equal unequal, exact approximate, exciting boring, expected unexpected,
    fair unfair, allow forbid, former latter, freedom slavery, cheerful gloomy, inflate deflate, compliment insult, introvert extrovert, most
    least, nice nasty, obedient disobedient, popular unpopular, predator prey, prefix suffix, poetry prose, proper improper, prove disprove,
    quickly slowly, loudly quietly, well badly, happily sadly, carefully carelessly, yesterday tomorrow, reveal conceal, shout whisper, master
    servant, sincere insincere, sow reap, strengthen weaken, sufficient insufficient, surplus shortage, tighten loosen, worthy unworthy,
    active passive, same different, amateur professional, ancestor descendant, ascend descend, graceful awkward, expert beginner, bless curse,
    capable incapable, cause effect, certain uncertain, coarse fine, conscious unconscious, producer consumer, credit debit, crowded deserted,
    supply demand, uphill downhill, encourage discourage, internal external, literal figurative, wisdom folly, sudden gradual, health illness,
    knowledge ignorance, mortal immortal, pleasure pain, relaxed tense, advance retreat, spacious cramped, theory practice"""
ONE_WAY = "hungry full, fat thin, quick slow, wealthy poor, raise lower, shut open, large small"
"""Words whose opposites have another opposite."""
ROWS = table(", ".join([PAIRS, MORE, ONE_WAY]), "word", "opposite")
# A word's opposite the other way round, where the word is not in the list with another one.
KNOWN = {row["word"] for row in ROWS}
for row in list(ROWS):
    if row["opposite"] not in KNOWN:
        KNOWN.add(row["opposite"])
        ROWS.append({"word": row["opposite"], "opposite": row["word"]})


def claim(rng: random.Random) -> Row:
    """A word with its opposite, or with another word of the list."""
    row = rng.choice(ROWS)
    return row | claims.said(rng, row["opposite"], [word for word in WORDS if (word, row["word"]) not in EITHER_WAY and word != row["word"]])


WORDS = sorted(KNOWN)
EITHER_WAY = {(row[a], row[b]) for row in ROWS for a, b in (("word", "opposite"), ("opposite", "word"))}
ASK = ["[What is|What's] the opposite of {word}[?|]", "[Tell me|Name|Give me|Say] the opposite of {word}[.|]", "[Opposite of|The opposite of] {word}[?|]",
       "[Which|What] word is the opposite of {word}?", "What is the contrary of {word}?", "Give the opposite of {word}.", "[What is|What's] the opposite of \"{word}\"?",
       "Opposite of '{word}'?", "What is the [opposite of the word|antonym of] {word}?", "{word}: what is the opposite?", "opposite of {word}",
       "[Which|What] word means the opposite of {word}?", "The opposite of {word} is what?", "Not {word}, but what?", "{word} opposite[?|]", "opposite {word}",
       "If something is not {word}, what is it?", "I need the opposite of {word}.", "What is the reverse of {word}?", "{word}'s opposite[?|]",
       "Do you know a word that means the opposite of {word}?", "[Find|Say] a word [opposite to|that is the opposite of] {word}.",
       "Antonym of {word}?", "[What's|What is] [an|the] antonym [for|of] {word}?", "What is {word}'s opposite?", "[What is|What's] not {word}?",
       "What would be the opposite of {word}?", "Tell me what the opposite of {word} is.", "I am looking for the opposite of {word}.",
       "The contrary of {word}?", "What is opposite to {word}?", "{word} and its opposite?",
       "[Do you have|Is there] an opposite of {word}?", "Can you tell me the opposite of {word}?", "How do you call the opposite of {word}?",
       "[What|Which] is the word opposite to {word}?", "Name the antonym of {word}."]

DOMAIN = Domain("opposites", 3.4, [
    Topic(ROWS, ASK,
          ["Do you know the opposite of {word}?", "Name the word that is opposite to {word}.", "What word is opposite to {word}?",
           "Can you give me the opposite of {word}?", "How do you say the opposite of {word}?"],
          "The opposite of {word} is {opposite}.", "{opposite}.",
          follow_ups=["And {word}?", "[What|How] about {word}?", "And of {word}?", "And the opposite of {word}?", "Now {word}.", "{word}?"], weight=3.6),
    Topic(claim, ["Is {said} the opposite of {word}?", "Is the opposite of {word} {said}?", "Is it true that {said} is the opposite of {word}?",
                  "The opposite of {word} is {said}, right?", "{said} is the opposite of {word}, isn't it?", "Are {word} and {said} opposites?",
                  "Does {said} mean the opposite of {word}?", *claims.asked("{said} is the opposite of {word}")],
          ["Would you say that {said} is the opposite of {word}?"], "The opposite of {word} is {opposite}, {judged}.", "{opposite}, {judged}."),
])
