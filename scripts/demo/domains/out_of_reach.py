"""What the model cannot know or do, all answered with the same sentence."""

from demo.topic import Domain, Topic

DECLINE = "I do not know that: I can talk about Foregate, capitals, small sums, opposites and plurals."

THINGS = """love, the sea, winter, a dragon, my garden, the moon, music, football, cheese, computers, history, the weather,
    politics, money, dreams, a horse, space, gravity, dinosaurs, the internet, cooking, a film, my boss, chess, tea, bread,
    the stars, philosophy, a war, medicine, volcanoes, my mother, art, trains, a song, the ocean, physics, the law"""
PEOPLE = """the president, Napoleon, Einstein, the queen, Shakespeare, Mozart, the pope, my neighbour, Newton, Cleopatra,
    the best player, the first king, Columbus, Picasso, the mayor, your father, Darwin, Beethoven"""
THING_ROWS = [{"thing": " ".join(thing.split())} for thing in THINGS.split(",")]
PERSON_ROWS = [{"person": " ".join(person.split())} for person in PEOPLE.split(",")]

DOMAIN = Domain("out of reach", 1.2, [
    Topic(THING_ROWS[:-6],
          ["Write a poem about {thing}.", "Tell me a joke about {thing}.", "What do you think about {thing}?",
           "Why do people like {thing}?", "Explain {thing} to me.", "What is the history of {thing}?",
           "Write an essay about {thing}.", "How does {thing} work?", "Draw {thing}.", "Where can I find {thing}?",
           "Tell me about {thing}.", "Do you like {thing}?", "What is {thing}?", "Sing about {thing}."],
          ["Give me an opinion on {thing}.", "Write a letter about {thing}."], DECLINE, held_out_rows=THING_ROWS[-6:], weight=3),
    Topic(PERSON_ROWS[:-4],
          ["Who is {person}?", "Who was {person}?", "When was {person} born?", "How old is {person}?", "Where does {person} live?",
           "What did {person} say?", "How tall is {person}?", "What is the name of {person}?"],
          ["What is the birthday of {person}?"], DECLINE, held_out_rows=PERSON_ROWS[-4:], weight=2),
    Topic([{}],
          ["What time is it?", "What is the date today?", "What will the weather be tomorrow?", "Who won the match yesterday?",
           "Can you call me a taxi?", "Send an email to Anna.", "What is the price of gold?", "Translate this into French.",
           "Write a program for me.", "Solve this equation.", "Can you see me?", "What is the meaning of life?",
           "Tell me a story.", "Tell me a secret.", "Open the door.", "What is my name?", "How many people live in London?",
           "What is the news?", "Which book should I read?", "What should I eat tonight?", "Do you believe in ghosts?",
           "How do I bake a cake?", "Why is the sky blue?", "How far is the sun?", "What is the largest planet?"],
          ["Will it rain tonight?", "How do I fix my bicycle?", "Why is grass green?", "Play some music."], DECLINE, weight=2),
])
