#!/usr/bin/env python3
"""Writes the trained demo model as GGUF files: F32 to compare with, Q8_0 to ship.

Usage: scripts/export_demo.py --work DIR [--out FILE]      needs torch, tokenizers, gguf

Reads DIR/checkpoint.pt and DIR/tokenizer.json of scripts/train_demo.py; writes DIR/foregate-demo-f32.gguf and the Q8_0
file, assets/foregate-demo.gguf if none is named. The router and the norms stay F32 in both.
"""

import argparse
import json
import pathlib

import gguf
import torch
from tokenizers import Tokenizer

from demo import vocab
from demo.network import Config, Network

OUT = pathlib.Path(__file__).resolve().parent.parent / "assets" / "foregate-demo.gguf"
F32, Q8_0 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.Q8_0


def load(work):
    """The network and the tokenizer of a training directory."""
    state = torch.load(work / "checkpoint.pt", map_location="cpu")
    network = Network(Config(**state["config"]))
    network.load_state_dict(state["network"])
    return network.eval(), Tokenizer.from_file(str(work / "tokenizer.json"))


def add_model(writer, c):
    writer.add_name("Foregate demo")
    writer.add_author("The Foregate authors")
    writer.add_license("MIT OR Apache-2.0")
    writer.add_description("A very small mixture of experts that chats about a few things; see assets/README.md")
    writer.add_context_length(c.context)
    writer.add_embedding_length(c.d_model)
    writer.add_block_count(c.layers)
    # Readers ask for it although no layer is dense: what one token's experts have together.
    writer.add_feed_forward_length(c.expert_ff * c.used)
    writer.add_head_count(c.heads)
    writer.add_head_count_kv(c.kv_heads)
    writer.add_key_length(c.head_dim)
    writer.add_value_length(c.head_dim)
    writer.add_layer_norm_rms_eps(c.eps)
    writer.add_rope_freq_base(c.rope_base)
    writer.add_expert_count(c.experts)
    writer.add_expert_used_count(c.used)
    writer.add_expert_feed_forward_length(c.expert_ff)
    writer.add_vocab_size(c.vocab)


def add_tokenizer(writer, tokenizer):
    size = tokenizer.get_vocab_size()
    # Pairs of strings or single strings with a space between, by the version of the package.
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    control = {tokenizer.token_to_id(token) for token in vocab.CONTROL}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([tokenizer.id_to_token(i) for i in range(size)])
    writer.add_token_types([gguf.TokenType.CONTROL if i in control else gguf.TokenType.NORMAL for i in range(size)])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    pad, _, end = (tokenizer.token_to_id(token) for token in vocab.CONTROL)
    writer.add_eos_token_id(end)
    writer.add_bos_token_id(pad)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    writer.add_chat_template(vocab.CHAT_TEMPLATE)


def export(path, network, tokenizer, kind):
    """Writes one file; matrices but the router's are of `kind`."""
    writer = gguf.GGUFWriter(path, "qwen3moe")
    add_model(writer, network.config)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if kind == F32 else gguf.LlamaFileType.MOSTLY_Q8_0)
    add_tokenizer(writer, tokenizer)
    for name, tensor in network.state_dict().items():
        data = tensor.numpy()
        plain = kind == F32 or data.ndim == 1 or name.endswith("ffn_gate_inp")
        data = data if plain else gguf.quants.quantize(data, kind)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=F32 if plain else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{path}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    args = parser.parse_args()
    network, tokenizer = load(args.work)
    export(args.work / "foregate-demo-f32.gguf", network, tokenizer, F32)
    export(args.out, network, tokenizer, Q8_0)


if __name__ == "__main__":
    main()
