"""Ordinary questions that are out of the model's reach, each by itself."""

from demo.domains.out_of_reach import DECLINE, DECLINE_GERMAN, DOMAIN, topic
from demo.topic import Topic

QUESTIONS = """What time is it?|What is the date today?|What day is today?|What will the weather be tomorrow?|Who won the match yesterday?
Can you call me a taxi?|What is the price of gold?|Translate this into French.|Write an app for my phone.|Solve this equation.
Can you see me?|What is the meaning of life?|Tell me a secret.|Open the door.|How many people live in London?|What is the news?
Which book should I read?|What should I eat tonight?|Do you believe in ghosts?|How do I bake a cake?|Why is the sky blue?|How far is the sun?
What is the largest planet?|Why do cats purr?|Who was the first man on the moon?|How deep is the ocean?|How high is Mount Everest?
What is the longest river in the world?|How many bones has a human?|What is the speed of light?|Why do leaves fall?|Who discovered America?
What is the best phone?|Which car should I buy?|How do I lose weight?|What is good for a cold?|How do I learn to swim?|How do I tie a tie?
Tell me a joke.|Sing a song.|Write a poem.|Make me laugh.|Play a game with me.|Tell me my fortune.|What is love?|Are you alive?|Do you have feelings?
What do you think?|What is your favourite food?|Do you like music?|How old are you?|Where do you live?|Do you sleep?|Can you dance?|Do you love me?
Order a pizza.|Book a flight for me.|Set an alarm for seven.|Turn on the light.|Remind me to call my mother.|Show me a picture of a cat.
Search the internet.|Read my mail.|What is on television tonight?|When does the train leave?|Where is the next restaurant?|How do I get to the airport?
Who is the strongest man?|Who will win the election?|How is steel made?|How do planes fly?|How does a car engine work?
What is DNA?|What is a black hole?|What is water made of?|How many planets are there?|Why is the sea salty?|How hot is the sun?
What is the boiling point of water?|What is the chemical formula of salt?|What is the atomic number of iron?|How many stars are there?
Is there life on Mars?|What came first, the chicken or the egg?|Why do we dream?|How long do dogs live?|What do whales eat?|How fast is a cheetah?
What is the tallest building in the world?|Which is the largest country?|How many countries are there?|Which is the oldest city?
What is the best film?|Who sang this song?|How do I play the piano?|What is a symphony?|Who painted this?|When did the war end?
Write a sorting algorithm in Java.|Write a website.|Fix my code.|What is a compiler?|How do I install Linux?|What is a database?|What is JavaScript?
Write C code that opens a file.|Explain recursion.|What is the best programming language?|How do I learn programming?|What is machine learning?
How do I invest my money?|What is a mortgage?|How do I write a resume?|What should I study?|How do I find a job?|How do I ask for more money?
My head hurts.|I am sad.|I am bored.|I lost my key.|My computer is broken.|I had a bad dream.|I cannot sleep.|I am in love.|It is raining.
What is a synonym of happy?|What rhymes with house?|How do you spell necessary?|What is a verb?|What is an adjective?|What is a metaphor?
What is the past tense of go?|Write a sentence with the word tree.|Correct my text.|Summarise this article.|What is the longest word?
How do I cook rice?|How do I make coffee?|What is in a pizza?|How do I clean a window?|How do I grow tomatoes?|How do I plant a tree?
How do I repair a bicycle?|How do I change a tyre?|How do I build a house?|How do I paint a wall?|How do I sew a button?|How do I train a dog?
Who is your favourite singer?|Which team is the best?|Who invented chess?|What are the rules of football?|How long is a marathon?
What happened in 1989?|What happened yesterday?|What will happen tomorrow?|When is Easter?|How many days until Christmas?
Is God real?|What is justice?|What is truth?|Why are we here?|What is consciousness?|Is it wrong to lie?|What is art?|Who am I to judge?
Give me advice.|Tell me something.|Tell me something interesting.|Surprise me.|Say something funny.|Tell me a riddle.|Ask me a question.
asdf|qwerty|blah blah|xyz|hm|foo bar|lorem ipsum|la la la|1234567|???|What?|Why?|How?|Who?|Where?|When?
What is the volume of a sphere?|What is pi?|What is an integral?|What is a prime number?|What is the area of a circle?|How do I divide fractions?
What is the zip code of Berlin?|What is the phone number of the police?|What is my address?|What is my password?|How much money do I have?
How many litres are in a gallon?|How many miles is a marathon?|Convert 20 dollars into euros.|Convert 30 degrees Celsius to Fahrenheit.
How many calories has an apple?|How heavy is an elephant?|How tall is the Eiffel Tower?|How big is the earth?|How old is the universe?"""

HELD_OUT = """Will it rain tonight?|How do I fix my bicycle?|Why is grass green?|Play some music.|What does a lawyer do?|Who built this city?
How do magnets work?|What is the smallest country?|Which dog is the best for children?|How do I remove a stain?|Who invented the wheel?
What is a star made of?|How do birds find their way?|What should I wear today?|Tell me about your childhood.|Who is the best singer?
How many teeth has a shark?|How do I make pancakes?|What is the national anthem of France?|When was the printing press invented?
Why do we sleep?|What is a good name for a dog?|How does a microwave work?|What is the deepest lake?|Can you drive a car?
Write an email to my landlord.|What is the theory of relativity?|Is chocolate healthy?|How do I open a bank account?|What is the anthem of Westeros?"""

GERMAN = """Wie spät ist es?|Wie wird das Wetter?|Wer ist der Kanzler?|Erzähl mir einen Witz.|Was ist Liebe?|Wie alt bist du?|Wo wohnst du?
Wer hat Faust geschrieben?|Wie koche ich Reis?|Warum ist der Himmel blau?|Schreib ein Gedicht.|Wie hoch ist der Mount Everest?|Was soll ich essen?
Wie viele Menschen leben in Berlin?|Wer war Goethe?|Was ist ein Atom?|Wie funktioniert ein Motor?|Sing ein Lied.|Was gibt es Neues?
Wie weit ist der Mond?|Wer hat das Spiel gewonnen?|Was kostet ein Auto?|Wie lerne ich schwimmen?|Was ist der Sinn des Lebens?|Hast du Hunger?"""
GERMAN_HELD_OUT = "Wie backe ich einen Kuchen?|Wer war Mozart?|Was ist die Zeit?|Wie tief ist das Meer?|Warum regnet es?"


def listed(text: str) -> list[str]:
    return [question for line in text.splitlines() for question in line.split("|")]


DOMAIN.topics += [
    topic([{}], listed(QUESTIONS), listed(HELD_OUT), 6),
    Topic([{}], listed(GERMAN), listed(GERMAN_HELD_OUT), DECLINE_GERMAN, german=DECLINE_GERMAN, weight=0.6),
]

__all__ = ["DECLINE", "DOMAIN"]
