"""Many ordinary nouns, and words that nobody has seen before, for questions that are answered by a rule and not by heart."""

import random

THINGS = """anchor apron arrow axe badge bakery balloon bandage barn barrel bathroom battery beam bean beard bedroom bell belt bicycle
    blanket blossom board boot bowl bracelet brick bubble bucket button cabin cabinet cable camera candle candy canoe cannon carpet
    carriage castle ceiling chain chapter chart cherub chimney circle closet cloth coin collar comb compass concert contract cookie
    corner cottage cotton counter cousin cradle crayon cream crown curtain cushion dance dancer danger desert desk diamond dinner
    doctor document dollar dragon drawer dream driver drum elbow elevator envelope eraser event farmhouse feather fence festival fiddle
    film fireplace flame flute fork fountain frame game garage giant glove goal grain grape guest guitar hammer hammock
    harbour harp helmet hotel hut insect jacket jar jewel joke journey judge jug kettle kitchen kite knot ladder lantern lawn
    lawyer ladle lecture lesson letter lever lid lizard locker log magazine magnet mailbox map marble market mask mat meadow meal
    medal melon message meter minute mirror mitten motor muffin museum mushroom nail napkin necklace needle nest net nurse oar ocean
    office oven owner oyster package page palace pan panel parcel parrot passenger path pebble pedal pepper picnic picture pillow
    pilot pipe pirate plant plum pocket poem poet pond porch postcard poster pot present prince prize puddle pump puppet puzzle queue
    quilt raft railway raindrop ramp razor recipe record ribbon rider robot rocket roof room root rope rug ruler saddle sailor salad
    sandal sausage saw scooter scorpion screen screw seat seed shadow shell sign signal singer sink skirt sled slipper snail
    soldier song sparrow spider spring squirrel stable stadium stamp station statue stick stool storm stove straw stream student
    sweater sword table tailor tank teacup teapot tent throne ticket tool tower toy tractor trail trumpet trunk tunnel turkey twig
    umbrella uncle valley van vase violin visitor waiter wallet walnut wagon weapon wheelchair whistle window wing worker
    yacht zebra zipper aunt bat beetle brain camel cheek chin crab crow dolphin donkey dove eagle falcon forehead hawk heart hen
    kangaroo kitten lamb leopard lip lobster moth neck octopus owl panda peacock pelican penguin pigeon rat raven rib rooster seal
    shoulder shrimp skeleton skull spine stork swan tail thumb toad tongue tortoise vulture whale worm wrist actor artist author
    banker barber captain chef clerk clown dentist detective engineer explorer gardener hunter inventor manager mechanic miner monk
    neighbour painter plumber reporter scientist secretary servant shepherd tourist trader writer""".split()
"""Countable, with a regular plural."""

MORE_NOUNS = """academy agency amateur argument aunt author baby bachelor ballot beach berry biscuit blouse boat body bully bunny bush butterfly cake
    calendar candidate canary cart category cave century chance charity citizen claim coach coast colony comedy company compass couch
    county crash cross crossbow crutch cube daisy deputy diary dish ditch dose duchess duty eagle ear earring elevation enemy error essay
    exam eyelash fairy fax ferry filly flash flower flush folder fork fortress galaxy gallery gate glass goddess grape grocery guess
    hairbrush harness hatch hedge hobby hoax holiday hunch idea itch jeep jelly journal jury kid lace lady lash latch leash library loss
    lottery lynx marsh mattress melody memory mess mirror monarchy movie mystery nanny navy nephew niece oath ostrich paintbrush pass
    patch penny perch phrase pitch pony porch princess prophecy punch rash ray reflex remedy robin salary sash scratch secret sketch
    speech speed spray stitch story strawberry stress study suffix switch tax theory torch toss toy tragedy tray trench turtle twitch
    university valley victory volley waitress walrus watch wax wedding wish witness wrench""".split()
"""More of them, for plurals alone: many that hiss at the end or end in y."""

HISSES = ("s", "x", "z", "ch", "sh")


def plural(noun: str) -> str:
    """Of a regular noun."""
    if noun[-1] == "y" and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(HISSES) else "s")


CONSONANTS = "b bl br d dr f fl g gl gr k kl kr l m n p pl pr r s sl sp st t tr v w z".split()
VOWELS = "a e i o u oo ee".split()
ENDS = "b d g k l m n nk nt p r rd rk t".split()


def made_up(rng: random.Random) -> str:
    """A word that does not exist, such as "blorp"; its plural takes an s."""
    parts = [rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.choice([1, 1, 2]))]
    return "".join(parts) + rng.choice(ENDS)


HISSING_ENDS = "sh ch ss x tch lch nch zz tz s".split()


def made_up_noun(rng: random.Random) -> str:
    """A word that does not exist, of any ending that a rule of plurals knows."""
    word, chance = made_up(rng), rng.random()
    if chance < 0.5:
        return word
    if chance < 0.75:
        return word.rstrip("bdgklmnprt") + rng.choice(HISSING_ENDS)
    if chance < 0.93:
        return word + "y"
    return word.rstrip("bdgklmnprt").rstrip("aeiou") + rng.choice(["ay", "ey", "oy"])


def place(rng: random.Random) -> str:
    """The name of a country or town that does not exist."""
    return (made_up(rng) + rng.choice(["", "ia", "land", "or", "a", "ville"])).capitalize()
