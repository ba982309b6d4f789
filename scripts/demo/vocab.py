"""The demo model's tokenizer: byte-level BPE with the pre-tokeniser that GGUF files call "qwen2" (single digits)."""

import itertools

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from demo import corpus

CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
"""The last ids of the vocabulary, in this order."""

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def empty():
    """A tokenizer without tokens that splits and decodes as the demo model's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(size, seed, count=20000):
    """A tokenizer of at most `size` tokens, from `count` conversations."""
    tokenizer = empty()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(CONTROL), min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    texts = (f"{role}\n{text}" for messages in itertools.islice(corpus.conversations(seed), count) for role, text in messages)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(CONTROL)
    return tokenizer


class Chat:
    """Conversations as token ids."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        _, self.start, self.end = (tokenizer.token_to_id(token) for token in CONTROL)
        self.newline = tokenizer.encode("\n").ids

    def message(self, role, content):
        """`<|im_start|>role\\ncontent<|im_end|>\\n`, and which of the ids the model itself has to say."""
        head = [self.start, *self.tokenizer.encode(f"{role}\n").ids]
        body = [*self.tokenizer.encode(content).ids, self.end]
        says = role == "assistant"
        return [*head, *body, *self.newline], [*[False] * len(head), *[says] * len(body), *[False] * len(self.newline)]

    def encode(self, messages):
        """The ids of all messages, and which of them the model has to say; of a text without a chat, all but the first."""
        if messages[0][0] == "text":
            ids = [*self.tokenizer.encode(messages[0][1]).ids, self.end]
            return ids, [False, *[True] * (len(ids) - 1)]
        parts = [self.message(role, content) for role, content in messages]
        return [i for ids, _ in parts for i in ids], [s for _, says in parts for s in says]

    def prompt(self, messages):
        """The ids up to where the assistant's next answer begins."""
        return [*self.encode(messages)[0], self.start, *self.tokenizer.encode("assistant\n").ids]
