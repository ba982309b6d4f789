#!/usr/bin/env python3
"""Makes tests/fixtures/chat/tiny.gguf: a random MoE model with a tokenizer and a chat template.

Three layers, eight experts in Q8_0, byte-level BPE with a few merges, ChatML. It says nothing sensible and never ends by
itself, which the tests of interrupts and full contexts need. The result is the same at every run.

    pip install gguf==0.19.0 numpy && python3 scripts/make_chat_fixture.py
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "tests" / "fixtures" / "chat" / "tiny.gguf"

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, EXPERTS, USED, EXPERT_WIDTH, CONTEXT = 3, 32, 4, 2, 16, 8, 2, 32, 512
WORDS = "the in er an on re at en ed it is or to nd ing and ou ha hi st ll ea ar".split()
TEMPLATE = (
    "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor -%}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}"
    "{#- thoughts stand between <think> and </think> #}"
)


def byte_alphabet() -> list[str]:
    """The character that stands for each byte in byte-level BPE, as GPT-2 defined it."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (b for b in range(256) if b not in plain)
    table = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [table[b] for b in range(256)]


def vocabulary() -> tuple[list[str], list[int], list[str]]:
    """Tokens, their types (1 normal, 3 control, 4 user defined) and merges."""
    tokens, merges = byte_alphabet(), []
    space = tokens[32]
    for word in [*WORDS, *(space + c for c in "abcdefghilmnoprstw")]:
        for end in range(2, len(word) + 1):
            if word[:end] not in tokens:
                merges.append(f"{word[: end - 1]} {word[end - 1]}")
                tokens.append(word[:end])
    types = [1] * len(tokens) + [3, 3, 3, 4, 4]
    tokens += ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    return tokens, types, merges


def main() -> None:
    rng = np.random.default_rng(7)
    tokens, types, merges = vocabulary()
    writer = GGUFWriter(str(FIXTURE), "qwen3moe")
    writer.add_name("tiny random chat model")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(EXPERT_WIDTH * USED)
    writer.add_expert_feed_forward_length(EXPERT_WIDTH)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(USED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_chat_template(TEMPLATE)

    def matrix(name: str, *shape: int, gain: float = 1.0) -> None:
        data = rng.normal(0, gain / shape[-1] ** 0.5, shape).astype(np.float32)
        if len(shape) == 3:
            writer.add_tensor(name, quantize(data, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(name, data)

    def ones(name: str, n: int) -> None:
        writer.add_tensor(name, (1 + rng.normal(0, 0.1, n)).astype(np.float32))

    matrix("token_embd.weight", len(tokens), WIDTH, gain=4.0)
    ones("output_norm.weight", WIDTH)
    # What is no plain text, and the end, come up rarely: their logits are near 0, those of text up to 4.
    output = rng.normal(0, 2 / WIDTH**0.5, (len(tokens), WIDTH))
    for i, token in enumerate(tokens):
        if not (token.isascii() or token[0] == tokens[32]) or token.startswith("<|") or "think" in token:
            output[i] *= 0.02
    writer.add_tensor("output.weight", output.astype(np.float32))
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        ones(at + "attn_norm.weight", WIDTH)
        matrix(at + "attn_q.weight", HEADS * HEAD, WIDTH)
        matrix(at + "attn_k.weight", KV_HEADS * HEAD, WIDTH)
        matrix(at + "attn_v.weight", KV_HEADS * HEAD, WIDTH)
        matrix(at + "attn_output.weight", WIDTH, HEADS * HEAD)
        ones(at + "attn_q_norm.weight", HEAD)
        ones(at + "attn_k_norm.weight", HEAD)
        ones(at + "ffn_norm.weight", WIDTH)
        matrix(at + "ffn_gate_inp.weight", EXPERTS, WIDTH, gain=3.0)
        matrix(at + "ffn_gate_exps.weight", EXPERTS, EXPERT_WIDTH, WIDTH)
        matrix(at + "ffn_up_exps.weight", EXPERTS, EXPERT_WIDTH, WIDTH)
        matrix(at + "ffn_down_exps.weight", EXPERTS, WIDTH, EXPERT_WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
