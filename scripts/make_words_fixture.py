#!/usr/bin/env python3
"""Makes tests/fixtures/models/words: a tiny trained qwen3moe with a real tokenizer, and what llama.cpp says with it.

A grammar below writes the training text and, with another seed, words.txt, which the model has not seen. words.gguf
(F32) and words-q8_0.gguf hold a byte-level BPE vocabulary and a ChatML template. words.json holds greedy continuations
of a few prompts and the perplexity of words.txt in chunks of `ctx` tokens. Another run trains another model, with other
answers; takes about a minute on one core.

    pip install gguf==0.19.0 numpy llama-cpp-python==0.3.36 tokenizers torch transformers
    python3 scripts/make_words_fixture.py
"""

import json
import random
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from llama_oracle import Llama, quantize, write_gguf

OUT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "models" / "words"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCAB = 384
BOS = VOCAB - 3
CTX = 128
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PROMPTS = [
    "The keeper of the north gate",
    "In the year 1742 a boat came to",
    "At dawn the baker",
    "<|im_start|>user\nWho carried the lamp?<|im_end|>\n<|im_start|>assistant\n",
    "“Où est le café?” asked",
]
WHO = "keeper baker miller ferryman weaver captain clerk gardener smith widow pilot teacher".split()
WHERE = "gate harbour mill bridge tower market garden river school island".split()
WHAT = "lamp rope letter map basket key clock boat bell coat".split()
HOW = "old red small heavy silver broken quiet new".split()
DID = "carried painted counted repaired hid sold found kept".split()
WHEN = ["At dawn", "In the evening", "After the storm", "Before the market opened", "On the third day"]
SIDE = "north south east west".split()


def sentence(rng: random.Random, chat: bool) -> str:
    """One sentence of the grammar, or (with `chat`) sometimes a question and its answer."""
    who, other, where, what, how, did = (rng.choice(x) for x in (WHO, WHO, WHERE, WHAT, HOW, DID))
    form = rng.randrange(8 if chat else 7)
    if form == 0:
        return f"The {who} of the {rng.choice(SIDE)} {where} {did} the {how} {what}."
    if form == 1:
        return f"{rng.choice(WHEN)} the {who} {did} a {what} and walked to the {where}."
    if form == 2:
        return f"In the year {rng.randint(1500, 1899)} a {what} came to the {where}; the {who} {did} it."
    if form == 3:
        return f"“Where is the {how} {what}?” asked the {who}. “At the {where},” said the {other}."
    if form == 4:
        return f"The {who}’s {what} was {how}, so the {other} {did} it for {rng.randint(2, 99)} coins."
    if form == 5:
        return f"It wasn't the {who} who {did} the {what}; it was the {other}."
    if form == 6:
        return f"“Où est le café?” asked the {who}, and the {other} didn't answer."
    return (
        f"\n<|im_start|>user\nWho {did} the {what}?<|im_end|>\n"
        f"<|im_start|>assistant\nThe {who} {did} the {how} {what}.<|im_end|>\n"
    )


def text(seed: int, length: int, chat: bool) -> str:
    """Sentences until the text has that many characters."""
    rng = random.Random(seed)
    parts = []
    while sum(map(len, parts)) < length:
        parts.append(sentence(rng, chat) + rng.choice([" ", " ", " ", "\n\n"]))
    return "".join(parts)


def train_tokenizer(corpus: str) -> Tokenizer:
    """Byte-level BPE behind the splitter of `pre` = qwen2."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(QWEN2), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB - len(SPECIAL), initial_alphabet=alphabet, show_progress=False)
    for special in SPECIAL:
        corpus = corpus.replace(special, " ")
    tokenizer.train_from_iterator([corpus], trainer)
    tokenizer.add_special_tokens(SPECIAL)
    assert tokenizer.get_vocab_size() == VOCAB
    return tokenizer


def train_model(ids: list[int]) -> Qwen3MoeForCausalLM:
    """A few hundred steps: enough that greedy text is not degenerate."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    config = Qwen3MoeConfig(
        vocab_size=VOCAB, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        intermediate_size=64, moe_intermediate_size=32, num_experts=6, num_experts_per_tok=2, norm_topk_prob=True,
        max_position_embeddings=512, tie_word_embeddings=True, output_router_logits=True, router_aux_loss_coef=0.01,
    )
    model = Qwen3MoeForCausalLM(config).float()
    data, length, steps = torch.tensor(ids), 96, 500
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for step in range(steps):
        at = torch.randint(0, len(data) - length, (12,))
        batch = torch.stack([data[i : i + length] for i in at])
        batch[:, 0] = BOS
        loss = model(batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.3f}", flush=True)
    return model.eval()


def gguf_keys(tokenizer: Tokenizer, config) -> dict:
    """Hyper-parameters, vocabulary and template."""
    state = json.loads(tokenizer.to_str())["model"]
    tokens = [None] * VOCAB
    for token, i in tokenizer.get_vocab().items():
        tokens[i] = token
    merges = [m if isinstance(m, str) else " ".join(m) for m in state["merges"]]
    return {
        "general.name": "words",
        "general.license": "MIT OR Apache-2.0",
        ".block_count": config.num_hidden_layers,
        ".context_length": config.max_position_embeddings,
        ".embedding_length": config.hidden_size,
        ".feed_forward_length": config.intermediate_size,
        ".expert_feed_forward_length": config.moe_intermediate_size,
        ".expert_count": config.num_experts,
        ".expert_used_count": config.num_experts_per_tok,
        ".attention.head_count": config.num_attention_heads,
        ".attention.head_count_kv": config.num_key_value_heads,
        ".attention.key_length": config.head_dim,
        ".attention.value_length": config.head_dim,
        ".attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        ".rope.freq_base": float(config.rope_parameters["rope_theta"]),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in SPECIAL else 1 for token in tokens],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": BOS,
        "tokenizer.ggml.eos_token_id": VOCAB - 1,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": TEMPLATE,
    }


def gguf_tensors(state: dict, config) -> dict[str, np.ndarray]:
    """The weights under their names in GGUF."""
    at = lambda name: np.ascontiguousarray(state[name].detach().numpy(), "<f4")
    tensors = {"token_embd.weight": at("model.embed_tokens.weight"), "output_norm.weight": at("model.norm.weight")}
    names = {
        "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "ffn_gate_inp": "mlp.gate",
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
    }
    for il in range(config.num_hidden_layers):
        for name, source in names.items():
            tensors[f"blk.{il}.{name}.weight"] = at(f"model.layers.{il}.{source}.weight")
        gate_up = at(f"model.layers.{il}.mlp.experts.gate_up_proj")  # (experts, gate | up, d)
        gate, up = np.split(gate_up, 2, axis=1)
        tensors[f"blk.{il}.ffn_gate_exps.weight"] = np.ascontiguousarray(gate)
        tensors[f"blk.{il}.ffn_up_exps.weight"] = np.ascontiguousarray(up)
        tensors[f"blk.{il}.ffn_down_exps.weight"] = at(f"model.layers.{il}.mlp.experts.down_proj")
    return tensors


def greedy(model: Llama, prompt: str, n: int) -> dict:
    """The likeliest token, n times, and by how much the closest second missed it."""
    model.reset()
    ids = model.tokenize(prompt, add_special=True, parse_special=True)
    logits, out, margin = model.feed(ids)[-1], [], np.inf
    for _ in range(n):
        second, first = np.partition(logits, -2)[-2:]
        margin = min(margin, first - second)
        out.append(int(logits.argmax()))
        logits = model.feed(out[-1:])[0]
    assert margin > 1e-3, f"{prompt!r}: a near tie ({margin}); choose another prompt"
    return {"text": prompt, "prompt_ids": ids, "greedy_ids": out}


def perplexity(model: Llama, content: str) -> float:
    """As llama.cpp's tool defines it: the second half of each chunk of CTX tokens, BOS first, an empty cache."""
    ids = model.tokenize(content, add_special=True)
    nll = []
    for start in range(0, len(ids) - CTX + 1, CTX):
        chunk = [BOS, *ids[start + 1 : start + CTX]]
        model.reset()
        logits = model.feed(chunk).astype(np.float64)
        for at in range(CTX // 2, CTX - 1):
            row = logits[at] - logits[at].max()
            nll.append(np.log(np.exp(row).sum()) - row[chunk[at + 1]])
    return float(np.exp(np.mean(nll)))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    corpus, content = text(1, 150_000, chat=True), text(2, 9_000, chat=False)
    (OUT / "words.txt").write_text(content)
    tokenizer = train_tokenizer(corpus)
    model = train_model(tokenizer.encode(corpus).ids)
    keys, tensors = gguf_keys(tokenizer, model.config), gguf_tensors(model.state_dict(), model.config)
    write_gguf(OUT / "words.gguf", "qwen3moe", keys, tensors)
    matrices = [name for name, values in tensors.items() if values.ndim >= 2 and "gate_inp" not in name]
    blocks = {name: quantize(tensors[name], "Q8_0")[0] for name in matrices}
    write_gguf(OUT / "words-q8_0.gguf", "qwen3moe", keys, tensors | blocks, dict.fromkeys(matrices, "Q8_0"))
    plain, q8_0 = Llama(OUT / "words.gguf", 512), Llama(OUT / "words-q8_0.gguf", 512)
    answers = [greedy(plain, prompt, 64) for prompt in PROMPTS]
    for answer in answers:
        print(repr(answer["text"]), "->", repr(tokenizer.decode(answer["greedy_ids"], skip_special_tokens=False)))
    facts = {"ctx": CTX, "tokens": len(plain.tokenize(content, add_special=True))}
    facts |= {"perplexity": perplexity(plain, content), "perplexity_q8_0": perplexity(q8_0, content)}
    print(facts)
    (OUT / "words.json").write_text(json.dumps(facts | {"prompts": answers}, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
