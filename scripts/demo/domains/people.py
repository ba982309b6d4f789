"""Names of people in stories and conversations."""

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

CITIES = """Paris Rome Madrid Berlin London Vienna Oslo Lisbon Athens Dublin Tokyo Delhi Cairo Lima Boston Chicago Hamburg Munich
    Milan Venice Geneva Sydney Toronto Prague Warsaw Glasgow""".split()

COLOURS = "red blue green yellow orange purple pink brown black white grey".split()

ANIMALS = "dog cat horse rabbit parrot hamster goat turtle canary pony".split()
