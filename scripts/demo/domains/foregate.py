"""What Foregate is, and what its commands and flags do."""

from demo.topic import Domain, Topic

COMMANDS = {
    "chat": "talks with a model in the terminal",
    "generate": "writes on from one prompt",
    "inspect": "shows what a model file holds and its memory plan",
    "perplexity": "measures how well a model predicts a text",
    "logits": "writes the scores of the next tokens",
    "tokenize": "turns text into tokens",
    "template": "shows a chat as the model gets it",
    "devices": "lists the devices that can compute",
    "completions": "prints a completion script for a shell",
    "man": "prints the manual pages",
}

FLAGS = {
    "--memory": "sets a ceiling for the memory of the process",
    "--vram": "sets a ceiling for the memory of the GPU",
    "--cache": "sets the size of the expert cache",
    "--device": "chooses where to compute",
    "--ctx": "sets how many tokens the context holds",
    "--threads": "sets the number of worker threads",
    "--io": "chooses how experts are read",
    "--kv": "chooses how keys and values are stored",
}

ABOUT = [
    (["What is Foregate?", "What does Foregate do?", "Tell me about Foregate.", "Explain Foregate."],
     ["Describe Foregate for me."],
     "Foregate runs mixture-of-experts models that do not fit in memory."),
    (["How does Foregate work?", "How does Foregate save memory?", "How can Foregate run a large model?"],
     ["By what means does Foregate run a big model?"],
     "It keeps the dense part and a cache of experts in memory and reads the other experts from the file."),
    (["What is an expert?", "What are experts?", "What is an expert in a model?"], ["Explain what an expert is."],
     "An expert is one of many small networks in a layer, and a router picks a few of them for each token."),
    (["What is a router?", "What does the router do?"], ["Explain what a router is."],
     "The router gives each expert a score and picks the best few for each token."),
    (["What is a mixture of experts?", "What does MoE mean?", "What is MoE?"], ["Explain mixture of experts."],
     "A mixture of experts is a model whose layers use only a few of their experts for each token."),
    (["What files does Foregate read?", "Which file format does Foregate use?", "Which models can Foregate run?"],
     ["What kind of file do I give to Foregate?"], "Foregate reads models in GGUF files."),
    (["Does the answer depend on memory?", "Does less memory change the answer?",
      "Is the answer the same with less memory?"], ["Will a smaller memory change what you say?"],
     "The answer is the same, bit for bit, with any amount of memory."),
    (["What language is Foregate written in?", "In which language is Foregate written?"],
     ["Which programming language was used for Foregate?"], "Foregate is written in Rust."),
    (["What is the licence of Foregate?", "Which licence does Foregate have?", "Is Foregate free?"],
     ["Under which licence is Foregate?"], "Foregate has the MIT licence or the Apache 2.0 licence, as you like."),
    (["How do I start a chat?", "How can I chat with a model?", "Which command starts a chat?"],
     ["What do I type to chat?"], "Type foregate chat and the path of a GGUF file."),
    (["How do I leave the chat?", "How can I quit?", "How do I exit?"], ["How do I get out of here?"],
     "Type /exit to leave the chat."),
    (["How do I start again?", "How can I reset the chat?", "How do I clear the chat?"],
     ["How do I begin anew?"], "Type /reset to start again."),
]

DOMAIN = Domain("foregate", 1.4, [
    *[Topic([{}], seen, held_out, answer, weight=0.5) for seen, held_out, answer in ABOUT],
    Topic([{"name": name, "does": does} for name, does in COMMANDS.items()],
          ["What does foregate {name} do?", "What is foregate {name}?", "What does the command {name} do?",
           "Explain foregate {name}.", "What is the command {name} for?"],
          ["Tell me what foregate {name} is good for."],
          "The command {name} {does}.", follow_ups=["And {name}?", "What about {name}?"], weight=4),
    Topic([{"name": name, "does": does} for name, does in FLAGS.items()],
          ["What does {name} do?", "What is {name} for?", "Explain {name}.", "What does the flag {name} do?"],
          ["Tell me about the flag {name}."],
          "The flag {name} {does}.", follow_ups=["And {name}?", "What about {name}?"], weight=2.5),
])
