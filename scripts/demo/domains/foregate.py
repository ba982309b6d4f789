"""What Foregate is, and what its commands and flags do."""

import random

from demo.domains import claims
from demo.topic import Domain, Row, Topic

COMMANDS = {
    "chat": "talks with a model in the terminal",
    "generate": "writes one completion of a prompt",
    "inspect": "shows what a model file is and where memory would go",
    "perplexity": "measures how well a model predicts a text",
    "bench": "measures speed and hit rates over cache sizes, policies and prefetching",
    "tune": "finds the fastest settings on this machine and keeps them",
    "simulate": "tells the hit rates of a recorded trace by policy and cache size",
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
    "--policy": "chooses which expert leaves the cache",
    "--prefetch": "says whether experts are read before the router asks for them",
    "--lookahead": "sets how many layers ahead experts are predicted",
    "--predictor": "chooses who predicts the next experts",
    "--warm-start": "begins with the experts that the cache held last time",
    "--profile": "uses the settings that tune found",
    "--trace": "records the routing in a file for simulate",
    "--device": "chooses where to compute: auto, cpu, gpu or reference",
    "--ctx": "sets how many tokens prompt and answer may have together",
    "--threads": "sets the number of worker threads",
    "--io": "chooses how experts are read: auto, mmap, buffered or direct",
    "--lanes": "sets how many reads run at a time",
    "--kv": "chooses how keys and values are stored: f16, f32 or q8_0",
    "--batch": "sets how many tokens of a prompt are computed together",
    "--tokens": "sets how many tokens an answer may have",
    "--temp": "sets the temperature of sampling, and 0 takes the best token always",
    "--top-k": "keeps the best tokens only, as many as it says",
    "--top-p": "keeps the fewest best tokens whose probabilities reach its value",
    "--min-p": "keeps tokens that are probable enough beside the best",
    "--repeat-penalty": "makes tokens that came up lately less likely",
    "--seed": "makes the random draw the same every time",
    "--stop": "ends the answer before a given text",
    "--system": "gives the system prompt",
    "--chat-template": "gives a template in place of that of the model",
    "--prompt": "gives the text to begin with",
    "--file": "reads the text from a file",
    "--chat": "asks in the template of the model",
    "--stats": "prints speed, hit rates and bytes read",
    "--json": "prints one JSON object",
    "--verbose": "prints the plan and the seed",
    "--cpu-features": "chooses the instructions of the CPU device",
    "--help": "lists the flags of a command",
    "--version": "prints the version of Foregate",
    "--report": "makes bench write a page with plots",
    "--cold": "makes bench take the model out of the page cache before each run",
    "--what-if": "makes tune tell what other budgets would reach",
    "--again": "makes tune measure anew",
    "--as-recorded": "makes simulate repeat the recorded run itself",
    "--share": "sets the cache sizes of simulate as shares of all experts",
    "--warmup": "sets how many tokens of simulate are not counted",
    "--chunks": "makes perplexity score only the first parts of a text",
    "--pieces": "makes tokenize show the pieces of the text",
    "--no-special": "makes tokenize add no tokens for begin and end",
    "--trace-scores": "records the scores of all experts in the trace too",
    "--recall": "makes generate measure how often predictions of experts are right",
    "--dry-run": "makes tune keep nothing",
    "--slots": "sets the cache sizes of simulate in slots",
    "--phase": "chooses which steps of a trace simulate replays",
    "--sizes": "sets the cache sizes of bench",
    "--policies": "chooses the policies that bench compares",
    "--prefetch-modes": "chooses the ways of prefetching that bench compares",
    "--prompts": "gives a file with other prompts for bench and tune",
    "--ids": "gives the token ids for logits",
    "--out": "chooses the file that logits writes",
}

SHORT_FLAGS = {
    "-n": "sets how many tokens an answer may have",
    "-p": "gives the text to begin with",
    "-f": "reads the text from a file",
    "-v": "prints the plan and the seed",
    "-s": "gives the system prompt",
    "-h": "lists the flags of a command",
    "-V": "prints the version of Foregate",
}

FLAG_GOALS = {
    "--memory": "put a limit on memory, set the memory ceiling, set a limit for memory", "--vram": "limit the memory of the GPU, set the ceiling of GPU memory",
    "--cache": "set the cache size, make the cache larger, change the size of the cache", "--policy": "choose the policy, change the policy, pick another policy",
    "--prefetch": "turn prefetching off, switch prefetching on, turn off prefetching", "--lookahead": "predict experts more layers ahead, set the lookahead",
    "--predictor": "choose the predictor, change the predictor", "--warm-start": "start with a warm cache, begin with the experts of last time",
    "--profile": "use what tune found, use the tuned settings", "--device": "choose the device, compute on the GPU, compute on the CPU",
    "--ctx": "set the context length, make the context longer", "--threads": "set the number of threads, use fewer threads, use more threads",
    "--io": "read experts with mmap, choose how experts are read", "--lanes": "read more at a time, set the number of reads at a time",
    "--kv": "store keys and values in f32, choose the storage of keys and values", "--batch": "set the batch size, compute more tokens of a prompt together",
    "--tokens": "set the number of tokens of an answer, limit the tokens of an answer", "--temp": "set the temperature, change the temperature",
    "--top-k": "keep only the best tokens, keep the best ten tokens", "--min-p": "drop improbable tokens",
    "--repeat-penalty": "avoid repeated tokens, punish repetitions", "--seed": "set the seed, fix the random draw", "--stop": "end the answer before a word, stop at a text",
    "--chat-template": "use another chat template, replace the template of the model", "--prompt": "give the text to begin with, pass the prompt",
    "--file": "read the prompt from a file, read the text from a file", "--stats": "see the hit rates, print the speed, see how many bytes were read",
    "--json": "get JSON, print JSON", "--verbose": "see the plan, print the plan", "--cpu-features": "choose the instructions of the CPU, choose the CPU features",
    "--version": "see the version, print the version", "--report": "write a page with plots, get plots from bench", "--cold": "measure with a cold page cache",
    "--what-if": "know what other budgets would reach, predict other budgets", "--again": "measure anew with tune, make tune measure again",
    "--as-recorded": "repeat the recorded run", "--share": "set the cache shares of simulate", "--warmup": "leave out the first tokens in simulate",
    "--chunks": "score only a part of a text", "--pieces": "see the pieces of a text, show the text of each token",
    "--trace-scores": "record the scores of the router", "--recall": "measure the predictions of experts", "--dry-run": "tune and keep nothing",
    "--slots": "set the slots of simulate", "--sizes": "set the sizes that bench measures", "--policies": "set the policies that bench measures",
    "--ids": "pass token ids to logits", "--out": "write the logits to a file", "--prompts": "bench with other prompts",
}
"""What a user may want, and the flag for it."""

COMMAND_GOALS = {
    "chat": "talk with a model, speak with a model, have a conversation with a model", "generate": "complete a text, continue a text, complete a prompt",
    "inspect": "look into a model file, see what a model file is, see where memory would go, inspect a model",
    "perplexity": "measure perplexity, measure how well a model predicts a text, get the perplexity of a text", "bench": "measure hit rates, compare ways of prefetching",
    "tune": "find the best settings, keep the fastest settings", "simulate": "try policies on a trace, get the hit rates of a trace",
    "logits": "get the logits, write the logits of tokens", "tokenize": "tokenize a text, get the token ids of a text, split a text into tokens",
    "template": "see the prompt of a conversation, print the prompt of a conversation", "devices": "list the devices, see the GPU adapters, see which GPUs there are",
    "completions": "get shell completions, complete commands in the shell", "man": "read the manual, print the manual pages",
}
"""What a user may want, and the command for it."""

POLICIES = {
    "lru": "drops the least recently used expert first",
    "lfu": "drops the least often used expert first",
    "decay": "drops the expert that was least used of late first",
    "next-use": "drops the expert that is expected back last first",
    "router": "drops the expert with the lowest router scores of late first",
    "shallow": "drops the experts of deep layers first",
    "slru": "drops experts that were used only once first",
}

IN_CHAT = {
    "/help": "lists the commands of the chat",
    "/stats": "shows speed and hit rates of the last answer",
    "/system": "begins anew with a system prompt",
    "/reset": "forgets the conversation",
    "/exit": "leaves the chat",
}

ARCHITECTURES = "qwen3moe, olmoe, qwen2moe, llama, granitemoe, phimoe, gpt-oss and deepseek2"


def meaning(word: str, it: str) -> list[str]:
    """Ways to ask for the meaning of a word."""
    return [f"What is {it}[| in Foregate]?", f"What's {it}?", f"What does [the word |]{word} mean[| here]?", f"Define {word}.", f"Tell me what {it} is.",
            f"What is meant by {word}?", f"{word[0].upper()}{word[1:]}?", f"Tell me about {it}."]


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
    ([*meaning("expert cache", "the expert cache"), "What does the cache do?", "What is in the cache?", "What is the cache for?"], ["Explain the expert cache."],
     "The cache keeps the experts that were used last in memory."),
    ([*meaning("hit", "a hit"), "What is a cache hit?", "When is there a hit?", "What are hits?", "What is a hit and what is a miss?"], ["Explain hits and misses."],
     "A hit is an expert that is in the cache when it is asked for, and a miss must be read from the file."),
    ([*meaning("miss", "a miss"), "What is a cache miss?", "When is there a miss?", "What are misses?", "What happens at a miss?"], ["Explain cache misses."],
     "A miss is an expert that is not in the cache when it is asked for, so it must be read from the file."),
    ([*meaning("hit rate", "the hit rate"), "What is a hit rate?", "What does the hit rate say?", "What are hit rates?"], ["Explain hit rates."],
     "The hit rate is the share of experts that were in the cache when they were asked for."),
    ([*meaning("slot", "a slot"), "What are slots?", "What is a slot of the cache?", "What does a slot hold?", "What are cache slots?"], ["Explain what slots are."],
     "A slot is a place in the cache that holds one expert."),
    ([*meaning("prefetching", "prefetching"), "What is a prefetch?", "What does prefetch mean?", "How does prefetching work?", "What does it mean to prefetch?",
      "Why prefetch experts?"], ["Explain prefetching to me."],
     "Prefetching reads experts that are predicted before the router asks for them."),
    ([*meaning("token cycle", "the token cycle"), "What is a token cycle?", "How long is a token cycle?"], ["Explain the token cycle to me."],
     "The token cycle is the number of experts that one token uses in all layers."),
    ([*meaning("Belady", "Belady"), "Who is Belady?", "What is the Belady bound?", "What does Belady do?", "What is Belady's policy?", "What is Belady's bound?"],
     ["Explain Belady to me."], "Belady drops the expert that is needed again last, which no policy can beat."),
    ([*meaning("policy", "a policy"), "What is a cache policy?", "What does the policy do?", "What are policies?", "What is the policy for?"], ["Explain policies."],
     "A policy chooses which expert leaves the cache when another one needs its slot."),
    (["Which policies are there?", "What policies are there?", "[List|Name] the policies[| of Foregate].", "[Which|What] policies does Foregate [have|know]?", "[Which|What] cache policies are there?",
      "What can --policy be?", "Which values does --policy take?"],
     ["Can you list the policies?"], "The policies are lru, lfu, decay, next-use, router, shallow and slru."),
    (["Which policy is the default?", "What is the default policy?", "[Which|What] policy is used[| by default]?", "Which policy does Foregate use?"],
     ["If I choose no policy, which is taken?"], "The default policy is next-use."),
    ([*meaning("trace", "a trace"), "What is a routing trace?", "What is in a trace?", "What are traces[| for]?"], ["Explain traces."],
     "A trace is a file with the experts that each token used."),
    ([*meaning("lane", "a lane"), "What are lanes?"], ["Explain lanes."], "A lane is one of the reads that run at the same time."),
    ([*meaning("wave", "a wave"), "What are waves?", "What is a wave of experts?"], ["Explain waves."],
     "A wave is a group of experts that fit into the cache together and are computed together."),
    ([*meaning("eviction", "an eviction"), "What are evictions?", "What does evict mean?"], ["Explain evictions."],
     "An eviction takes an expert out of the cache to make room for another one."),
    ([*meaning("GGUF", "GGUF"), "What is a GGUF file?", "What are GGUF files?"], ["Explain GGUF."], "GGUF is the file format of the models."),
    ([*meaning("context", "the context"), "What is the context length?", "What is a context?"], ["Explain the context of a model."],
     "The context is the tokens that prompt and answer may have together."),
    ([*meaning("temperature", "the temperature of sampling"), "What does temperature 0 do?", "What is temperature?", "What does a high temperature do?"], ["Explain the temperature."],
     "The temperature says how freely tokens are drawn, and 0 takes the best token always."),
    ([*meaning("perplexity", "perplexity"), "What does perplexity measure?", "What is a low perplexity?"], ["Explain perplexity to me."],
     "Perplexity says how well a model predicts a text, and less is better."),
    (["How do I find the fastest [settings|setting]?", "How can I make Foregate faster?", "How do I make it faster?", "Which settings are the fastest?", "How do I tune Foregate?",
      "How do I tune a model?", "How do I get more speed?"],
     ["What do I type for the best speed?"], "Type foregate tune and the path of the model."),
    (["How do I measure the speed?", "How do I [run|make|start] a benchmark?", "How fast is [a|my] model?", "How do I compare policies?", "How do I compare cache sizes?"],
     ["What do I type to measure speed?"], "Type foregate bench and the path of the model."),
    (["How do I record a trace?", "How do I [make|get|write] a trace?", "How do I record the routing?"], ["What do I type to record a trace?"],
     "Use the flag --trace with a file, such as --trace run.csv."),
    (["How do I simulate a trace?", "How do I replay a trace?", "What do I do with a trace?"], ["What do I type to replay a trace?"],
     "Type foregate simulate and the path of the trace."),
    (["What is the default temperature?", "Which temperature is the default?"], ["If I set no temperature, which is taken?"], "The default temperature is 0.8."),
    (["How do I get the same answer every time?", "How do I make answers repeatable?", "How do I turn off randomness?"], ["What do I type to get equal answers?"],
     "Use --temp 0, or a fixed --seed."),
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
           "What is {name}?", "Tell me about {name}.", "What do I use {name} for?", "[What's|What is] the meaning of {name}?", "{name}?", "When do I need {name}?",
           "Tell me what {name} does.", "Say what the flag {name} is.", "What does {name} change?", "What does the {bare} flag do?", "What is the {bare} flag[| for]?",
           "What does the option {bare} do?", "What's {name}[| for]?", "How do I use {name}?", "What does {name} mean?", "What happens with {name}?", "Why would I use {name}?",
           "What does {name} set?", "The flag {name}: what does it do?"]
EXPLAIN_COMMAND = ["What does [the command |]foregate {name} do?", "What is foregate {name}[| for]?", "What does the command {name} do?",
                   "Explain [foregate|the command] {name}.", "What is the command {name} for?", "When do I use [foregate|the command] {name}?",
                   "Tell me about [foregate|the command] {name}.", "foregate {name}?", "What happens when I type foregate {name}?", "How do I use foregate {name}?",
                   "Tell me what foregate {name} does.", "I typed foregate {name}. What does it do?", "Say what the command {name} is.", "What does the {name} command do?",
                   "What is the {name} command[| for]?", "What does {name} do in Foregate?", "Why would I use foregate {name}?", "What can I do with foregate {name}?",
                   "What's foregate {name}[| for]?", "The command {name}: what does it do?"]


def rows(table):
    return [{"name": name, "bare": name.lstrip("-"), "does": does} for name, does in table.items()]


def which(table):
    return [{"what": does, "name": name} for name, does in table.items()]


def third(goal: str) -> str:
    """What something does that one wants to do: "limits the memory"."""
    verb, _, rest = goal.partition(" ")
    return f"{verb}{'es' if verb.endswith(('s', 'x', 'ch', 'sh')) else 's'} {rest}".strip()


def goals(wanted: dict[str, str], table: dict[str, str]) -> list[Row]:
    """A row for all that one may want."""
    return [{"name": name, "does": table[name], "goal": goal, "thirds": third(goal)} for name, text in wanted.items() for goal in text.split(", ")]


WANTED = ["How [do|can] I {goal}?", "I want to {goal}.", "How do you {goal}?", "What do I need to {goal}?", "Can I {goal}?", "I would like to {goal}. How?"]


def default_claim(rng: random.Random) -> Row:
    """The default policy, or another."""
    return claims.said(rng, "next-use", [name for name in POLICIES if name != "next-use"])


COMMAND_ROWS, FLAG_ROWS = rows(COMMANDS), rows(FLAGS)

DOMAIN = Domain("foregate", 3.8, [
    *[Topic([{}], seen, held_out, answer, weight=0.35) for seen, held_out, answer in ABOUT],
    Topic(COMMAND_ROWS, EXPLAIN_COMMAND,
          ["Tell me what foregate {name} is good for.", "Can you explain foregate {name}?", "What would foregate {name} do?"],
          "The command {name} {does}.", follow_ups=["And {name}?", "[What|How] about {name}?", "And foregate {name}?"], weight=4),
    Topic(which(COMMANDS), ["[Which|What] command {what}?", "Which command of Foregate {what}?", "Name the command that {what}.", "I need a command that {what}."],
          ["What is the command that {what}?"], "The command {name} {what}.", weight=1.5),
    Topic(FLAG_ROWS, EXPLAIN, ["What is the flag {name} good for?", "Can you explain {name}?", "What would the flag {name} do?"],
          "The flag {name} {does}.", follow_ups=["And {name}?", "[What|How] about {name}?"], weight=6),
    Topic(goals(FLAG_GOALS, FLAGS), [*WANTED, "[Which|What] flag {thirds}?", "[Which|What] flag do I [use|need] to {goal}?", "[Which|What] flag is there to {goal}?",
                                     "I need a flag to {goal}.", "[Which|What] option {thirds}?", "Name the flag to {goal}.", "[Which|What] flag lets me {goal}?"],
          ["With which flag can I {goal}?", "Is there a flag to {goal}?"], "The flag {name} {does}.", weight=2.4),
    Topic(goals(COMMAND_GOALS, COMMANDS), [*WANTED, "[Which|What] command {thirds}?", "[Which|What] command do I [use|need] to {goal}?", "I need a command to {goal}.",
                                           "Name the command to {goal}.", "[Which|What] command lets me {goal}?", "[Which|What] command is there to {goal}?"],
          ["With which command can I {goal}?", "Is there a command to {goal}?"], "The command {name} {does}.", weight=1.4),
    Topic(default_claim, ["Is {said} the default policy?", "Is the default policy {said}?", "The default policy is {said}, right?", "Is it true that {said} is the default policy?",
                          *claims.asked("{said} is the default policy")],
          ["Would you say that {said} is the default policy?"], "The default policy is next-use, {judged}.", weight=0.3),
    Topic(rows(SHORT_FLAGS), [ask for ask in EXPLAIN if "{bare}" not in ask], [], "The flag {name} {does}.", follow_ups=["And {name}?"], weight=0.9, exact=True),
    Topic(rows(POLICIES), ["What does the policy {name} do?", "What is the policy {name}?", "Explain the policy {name}.", "What does --policy {name} do?", "What is the {name} policy?",
                           "Tell me about the policy {name}.", "How does the policy {name} work?", "What does the {name} policy drop first?", "Which expert does {name} drop first?"],
          ["Can you explain the policy {name}?"], "The policy {name} {does}.", follow_ups=["And {name}?", "And the policy {name}?"], weight=1.6),
    Topic(which(FLAGS), ["[Which|What] flag {what}?", "Which flag of Foregate {what}?", "Name the flag that {what}.", "I need a flag that {what}."],
          ["What is the flag that {what}?"], "The flag {name} {what}.", weight=1.5),
    Topic(rows(IN_CHAT), ["What does {name} do?", "What is {name}[| for]?", "Explain {name}.", "What happens when I type {name}?", "Tell me about {name}.",
                          "When do I use {name}?", "In the chat, what does {name} do?", "What is the command {name} for?", "Tell me what {name} does.", "{name}?",
                          "What happens after {name}?", "I typed {name}. What does it do?", "What does {name} mean?", "Say what {name} is."],
          ["Tell me what {name} is good for.", "Can you explain {name}?"], "In the chat, {name} {does}.",
          follow_ups=["And {name}?", "[What|How] about {name}?"], weight=2),
])
