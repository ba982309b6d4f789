"""What Foregate is, and what its commands and flags do."""

from demo.topic import Domain, Topic

COMMANDS = {
    "chat": "talks with a model in the terminal",
    "generate": "writes one completion of a prompt",
    "inspect": "shows what a model file is and where memory would go",
    "perplexity": "measures how well a model predicts a text",
    "logits": "writes the logits at every position of a list of tokens",
    "tokenize": "prints the token ids of a text",
    "template": "prints the prompt that a conversation becomes",
    "devices": "lists the CPU and the GPU adapters",
    "completions": "prints a completion script for a shell",
    "man": "prints the manual pages",
}

FLAGS = {
    "--memory": "sets a ceiling for the memory of the process",
    "--vram": "sets a ceiling for the memory of the GPU",
    "--cache": "sets the size of the expert cache",
    "--device": "chooses where to compute: auto, cpu, gpu or reference",
    "--ctx": "sets how many tokens prompt and answer may have together",
    "--threads": "sets the number of worker threads",
    "--io": "chooses how experts are read: auto, mmap or direct",
    "--lanes": "sets how many reads run at a time",
    "--kv": "chooses how keys and values are stored: f16, f32 or q8_0",
    "--batch": "sets how many tokens of a prompt are computed together",
    "--temp": "sets the temperature of sampling, and 0 takes the best token always",
    "--top-k": "keeps the best tokens only, as many as it says",
    "--top-p": "keeps the fewest best tokens whose probabilities reach its value",
    "--min-p": "keeps tokens that are probable enough beside the best",
    "--seed": "makes the random draw the same every time",
    "--stop": "ends the answer before a given text",
    "--system": "gives the system prompt",
    "--stats": "prints speed, hit rates and bytes read",
    "--json": "prints one JSON object",
    "--cpu-features": "chooses the instructions of the CPU device",
}

IN_CHAT = {
    "/help": "lists the commands of the chat",
    "/stats": "shows speed and hit rates of the last answer",
    "/system": "begins anew with a system prompt",
    "/reset": "forgets the conversation",
    "/exit": "leaves the chat",
}

ARCHITECTURES = "qwen3moe, olmoe, qwen2moe, llama, granitemoe, phimoe, gpt-oss and deepseek2"

ABOUT = [
    (["[What is|What's|Define] Foregate[?|]", "What does Foregate do?", "[Tell me|Say something] about Foregate.", "Explain Foregate[| to me].",
      "What is Foregate [good|there] for?", "What kind of program is Foregate?", "Foregate?", "What can Foregate do?",
      "Why would I use Foregate?", "What is the [purpose|point] of Foregate?", "Do you know Foregate?"],
     ["Describe Foregate for me.", "Can you tell me what Foregate is?", "In one sentence, what is Foregate?"],
     "Foregate runs mixture-of-experts models that do not fit in memory."),
    (["How does Foregate work?", "How does Foregate save memory?", "How can Foregate run [a large model|models that do not fit in memory]?",
      "How does it work[| inside]?", "What does Foregate keep in memory?", "What is kept in memory?", "How does Foregate [do it|do that]?",
      "Explain how Foregate works."],
     ["By what means does Foregate run a big model?", "Can you explain how Foregate works?"],
     "It keeps the dense part and a cache of experts in memory and reads the other experts from the file."),
    (["What is an expert?", "What are experts?", "What is an expert in a model?", "What does expert mean?", "Define expert.", "What are the experts[| of a model| for]?", "Tell me what an expert is."],
     ["Explain what an expert is.", "Can you tell me what an expert is?"],
     "An expert is one of many small networks in a layer, and a router picks a few of them for each token."),
    (["What is a router?", "What does [the|a] router do?", "What is the router for?", "Define router.", "Tell me what a router is.", "How are experts chosen?",
      "Who chooses the experts?"],
     ["Explain what a router is.", "Can you tell me what the router does?"],
     "The router gives each expert a score and picks the best few for each token."),
    (["What is a mixture of experts?", "What does MoE [mean|stand for]?", "What is [MoE|an MoE]?", "What are mixture-of-experts models?",
      "Define mixture of experts.", "Tell me what a mixture of experts is."],
     ["Explain mixture of experts.", "Can you tell me what a mixture of experts is?"],
     "A mixture of experts is a model whose layers use only a few of their experts for each token."),
    (["What is a token?", "What are tokens?", "Define token.", "What does token mean?", "Tell me what a token is."], ["Explain what a token is."],
     "A token is a piece of text, often a word or a part of one."),
    (["What is the expert cache?", "What does the cache do?", "What is in the cache?", "What is the cache for?"], ["Explain the expert cache."],
     "The cache keeps the experts that were used last in memory."),
    (["What is a hit?", "What is a cache hit?", "What does hit rate mean?", "What is a miss?"], ["Explain hits and misses."],
     "A hit is an expert that is in the cache when it is asked for, and a miss must be read from the file."),
    (["What files does Foregate read?", "[Which|What] file format does Foregate use?", "Which files [can I use|work]?", "What is the format of the models?",
      "What format do the models have?", "[Which|What] model files does Foregate take?"],
     ["What kind of file do I give to Foregate?", "In which format must my model be?"], "Foregate reads models in GGUF files."),
    (["Which models can Foregate run?", "[Which|What] models does Foregate support?", "Which architectures does Foregate [run|know|support]?",
      "What models work?", "Can Foregate run [Qwen|Mixtral|OLMoE]?"],
     ["What models am I able to run with Foregate?"], f"Foregate runs these architectures: {ARCHITECTURES}."),
    (["Does the answer depend on memory?", "Does less memory change the answer?", "Is the answer the same with less memory?",
      "Does a small cache change the answer?", "Is the output the same at any budget?", "Do I get other answers with less memory?"],
     ["Will a smaller memory change what you say?"], "The answer is the same, bit for bit, with any amount of memory."),
    (["[What|Which] language is Foregate written in?", "In which language is Foregate [written|programmed]?", "Is Foregate written in [Rust|C|Python]?",
      "What is Foregate [written|made] in?"],
     ["Which programming language was used for Foregate?"], "Foregate is written in Rust."),
    (["What is the [licence|license] of Foregate?", "Which [licence|license] does Foregate have?", "Is Foregate free?", "May I [copy|use] Foregate?",
      "Is Foregate open source?"],
     ["Under which licence is Foregate?"], "Foregate has the MIT licence or the Apache 2.0 licence, as you like."),
    (["How do I start a chat?", "How can I chat with a model?", "Which command starts a chat?", "How do I talk to [a|my] model?", "How do I use Foregate?",
      "How do I run a model?", "How do I [start|run] Foregate?"],
     ["What do I type to chat?", "How is a chat started?"], "Type foregate chat and the path of a GGUF file."),
    (["How do I leave[ the chat|]?", "How can I quit?", "How do I exit?", "How do I [end|close|stop] the chat?", "How can I leave[| this program]?", "I want to [leave|quit|stop].", "How do I quit Foregate?", "Which command leaves the chat?"],
     ["How do I get out of here?"], "Type /exit to leave the chat."),
    (["How do I start again?", "How can I reset the chat?", "How do I clear the chat?", "How do I [begin|start] a new conversation?", "How do I forget the chat?"],
     ["How do I begin anew?"], "Type /reset to start again."),
    (["How do I set [a|the] system prompt?", "How can I [change|give] the system prompt?", "How do I change the system message?"],
     ["Where do I put a system prompt?"], "Type /system and the text, or start with the flag --system."),
    (["How do I [limit|bound|set] the memory?", "How can I use less memory?", "How do I run with 4 GiB of memory?", "How do I set a memory budget?"],
     ["What do I type to use less memory?"], "Use the flag --memory with a size, such as --memory 4GiB."),
    (["How do I stop an answer?", "How can I interrupt you?", "How do I make you stop?"], ["What stops an answer?"], "Press Ctrl-C to stop an answer."),
    (["How do I get help?", "How do I see all flags?", "Where is the help?", "Where are the flags listed?", "How can I find all flags?", "Which flags are there?", "How do I list the flags of a command?"], ["What shows me the flags?"],
     "Type foregate and the command, then --help."),
    (["[What|Which] commands [does Foregate have|are there|has Foregate]?", "[List|Name] the commands[| of Foregate].", "[List|Name] all commands."],
     ["Can you list the commands of Foregate?"], "The commands are " + ", ".join(list(COMMANDS)[:-1]) + " and man."),
    (["How [big|large|small] are you?", "How many parameters do you have?", "How many [experts|layers|parameters] does the demo model have?", "Are you a [big|large|small] model?", "How many [experts|layers] do you have?", "What is your size?"],
     ["How large is this model?"], "I have 8 layers with 32 experts each, and 4 experts of a layer work on a token."),
    (["How were you trained?", "What were you trained on?", "How do you know that?", "What is your training data?"], ["With what data were you trained?"],
     "I was trained on conversations that a script makes."),
    (["Does Foregate need a GPU?", "Can Foregate [use|run on] a GPU?", "Does Foregate run on the CPU?", "Do I need a GPU?", "Does it run without a GPU?"],
     ["Is a GPU necessary for Foregate?"], "Foregate runs on the CPU or on a GPU."),
    (["Is there a server?", "Does Foregate have a server?", "Can Foregate serve over HTTP?"], ["Can I use Foregate as a server?"], "There is no server yet."),
]

EXPLAIN = ["What does [the flag |the option |]{name} do?", "What is [the flag |]{name} for?", "Explain [the flag |]{name}.", "What does the flag {name} mean?",
           "What is {name}?", "Tell me about {name}.", "What do I use {name} for?", "[What's|What is] the meaning of {name}?", "{name}?", "When do I need {name}?", "Tell me what {name} does.", "Say what the flag {name} is.", "What does {name} change?"]


def rows(table):
    return [{"name": name, "does": does} for name, does in table.items()]


def which(table):
    return [{"what": does, "name": name} for name, does in table.items()]


DOMAIN = Domain("foregate", 1.6, [
    *[Topic([{}], seen, held_out, answer, weight=0.4) for seen, held_out, answer in ABOUT],
    Topic(rows(COMMANDS),
          ["What does [the command |]foregate {name} do?", "What is foregate {name}[| for]?", "What does the command {name} do?",
           "Explain [foregate|the command] {name}.", "What is the command {name} for?", "When do I use [foregate|the command] {name}?",
           "Tell me about [foregate|the command] {name}.", "foregate {name}?", "What happens when I type foregate {name}?", "How do I use foregate {name}?",
           "Tell me what foregate {name} does.", "I typed foregate {name}. What does it do?", "Say what the command {name} is."],
          ["Tell me what foregate {name} is good for.", "Can you explain foregate {name}?", "What would foregate {name} do?"],
          "The command {name} {does}.", follow_ups=["And {name}?", "[What|How] about {name}?", "And foregate {name}?"], weight=4),
    Topic(which(COMMANDS), ["[Which|What] command {what}?", "Which command of Foregate {what}?", "Name the command that {what}.", "I need a command that {what}."],
          ["What is the command that {what}?"], "The command {name} {what}.", weight=1.5),
    Topic(rows(FLAGS), EXPLAIN, ["What is the flag {name} good for?", "Can you explain {name}?", "What would the flag {name} do?"],
          "The flag {name} {does}.", follow_ups=["And {name}?", "[What|How] about {name}?"], weight=4),
    Topic(which(FLAGS), ["[Which|What] flag {what}?", "Which flag of Foregate {what}?", "Name the flag that {what}.", "I need a flag that {what}."],
          ["What is the flag that {what}?"], "The flag {name} {what}.", weight=1.5),
    Topic(rows(IN_CHAT), ["What does {name} do?", "What is {name}[| for]?", "Explain {name}.", "What happens when I type {name}?", "Tell me about {name}.",
                          "When do I use {name}?", "In the chat, what does {name} do?", "What is the command {name} for?", "Tell me what {name} does.", "{name}?",
                          "What happens after {name}?", "I typed {name}. What does it do?", "What does {name} mean?", "Say what {name} is."],
          ["Tell me what {name} is good for.", "Can you explain {name}?"], "In the chat, {name} {does}.",
          follow_ups=["And {name}?", "[What|How] about {name}?"], weight=2),
])
