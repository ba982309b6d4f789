#!/usr/bin/env python3
"""Makes tests/fixtures/models: tiny random models of every architecture, with llama.cpp's logits and chosen experts.

For each case NAME.json holds the token ids, the file, the context and per MoE layer the experts of each token, best
first; NAME.logits.f32 the logits at every position as little-endian f32. The answer of a quantised file is that of the
same weights dequantised to F32. The result is the same at every run.

    pip install gguf==0.19.0 numpy llama-cpp-python==0.3.36
    python3 scripts/make_model_fixtures.py [NAME ...]
"""

import json
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

from llama_oracle import Llama, quantize, write_gguf

OUT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "models"
VOCAB = 96
TOKENS = 24


class Builder:
    """Random tensors and the keys of one model, put together part by part."""

    def __init__(self, name: str, arch: str, layers: int, d: int = 32, ctx: int = 128):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.name, self.arch, self.layers, self.d, self.ctx = name, arch, layers, d, ctx
        self.tensors: dict[str, np.ndarray] = {}
        self.keys = {
            "general.name": name,
            "tokenizer.ggml.model": "none",
            ".vocab_size": VOCAB,
            ".block_count": layers,
            ".context_length": ctx,
            ".embedding_length": d,
            ".attention.layer_norm_rms_epsilon": 1e-5,
        }
        self.tensors["token_embd.weight"] = self.rng.normal(0, 1, (VOCAB, d))
        self.norm("output_norm", d)
        self.matrix("output", VOCAB, d)

    def matrix(self, name: str, *shape: int, bias: bool = False):
        """`shape` is (experts,) rows, columns."""
        self.tensors[name + ".weight"] = self.rng.normal(0, 0.8 / shape[-1] ** 0.5, shape)
        if bias:
            self.vector(name + ".bias", *shape[:-1])

    def vector(self, name: str, *shape: int, centre: float = 0.0, spread: float = 0.2):
        self.tensors[name] = self.rng.normal(centre, spread, shape)

    def norm(self, name: str, n: int, bias: bool = False):
        self.vector(name + ".weight", n, centre=1.0)
        if bias:
            self.vector(name + ".bias", n)

    def attention(self, heads=4, kv_heads=2, head=16, bias=False, out_bias=False, fused=False, norms=None, norm_bias=False):
        """Grouped-query attention; `norms` is None, "head" or "whole"."""
        self.keys |= {".attention.head_count": heads, ".attention.head_count_kv": kv_heads}
        self.keys |= {".attention.key_length": head, ".attention.value_length": head, ".rope.dimension_count": head}
        for il in range(self.layers):
            blk = f"blk.{il}."
            self.norm(blk + "attn_norm", self.d, norm_bias)
            if fused:
                self.matrix(blk + "attn_qkv", (heads + 2 * kv_heads) * head, self.d, bias=bias)
            else:
                for part, n in (("q", heads), ("k", kv_heads), ("v", kv_heads)):
                    self.matrix(blk + f"attn_{part}", n * head, self.d, bias=bias)
            self.matrix(blk + "attn_output", self.d, heads * head, bias=out_bias)
            if norms:
                self.norm(blk + "attn_q_norm", head if norms == "head" else heads * head)
                self.norm(blk + "attn_k_norm", head if norms == "head" else kv_heads * head)

    def latent_attention(self, heads=2, nope=8, rope=8, value=8, kv_rank=16, q_rank=None, absorbed=True, layers=None):
        """Multi-head latent attention, in the new form of files (`absorbed`) or the old one."""
        self.keys |= {".attention.head_count": heads, ".rope.dimension_count": rope}
        self.keys |= {".attention.kv_lora_rank": kv_rank, ".attention.head_count_kv": 1 if absorbed else heads}
        key, kept = (kv_rank + rope, kv_rank) if absorbed else (nope + rope, value)
        self.keys |= {".attention.key_length": key, ".attention.value_length": kept}
        if absorbed:
            self.keys |= {".attention.key_length_mla": nope + rope, ".attention.value_length_mla": value}
        if q_rank:
            self.keys[".attention.q_lora_rank"] = q_rank
        for il in range(layers or self.layers):
            blk = f"blk.{il}."
            self.norm(blk + "attn_norm", self.d)
            if q_rank:
                self.matrix(blk + "attn_q_a", q_rank, self.d)
                self.norm(blk + "attn_q_a_norm", q_rank)
                self.matrix(blk + "attn_q_b", heads * (nope + rope), q_rank)
            else:
                self.matrix(blk + "attn_q", heads * (nope + rope), self.d)
            self.matrix(blk + "attn_kv_a_mqa", kv_rank + rope, self.d)
            self.norm(blk + "attn_kv_a_norm", kv_rank)
            if absorbed:
                self.matrix(blk + "attn_k_b", heads, kv_rank, nope)
                self.matrix(blk + "attn_v_b", heads, value, kv_rank)
            else:
                self.matrix(blk + "attn_kv_b", heads * (nope + value), kv_rank)
            self.matrix(blk + "attn_output", self.d, heads * value)

    def experts(self, ff=24, n=8, used=2, bias=False, merged=False, norm="ffn_norm", norm_bias=False, layers=None, key="."):
        """Routed experts of width `ff`; `key` is the prefix of the key that holds the width."""
        self.keys |= {".expert_count": n, ".expert_used_count": used, f"{key}feed_forward_length": ff}
        for il in layers or range(self.layers):
            blk = f"blk.{il}."
            self.norm(blk + norm, self.d, norm_bias)
            self.tensors[blk + "ffn_gate_inp.weight"] = self.rng.normal(0, 1.5 / self.d**0.5, (n, self.d))
            if bias:
                self.vector(blk + "ffn_gate_inp.bias", n)
            if merged:
                self.matrix(blk + "ffn_gate_up_exps", n, 2 * ff, self.d)
            else:
                self.matrix(blk + "ffn_gate_exps", n, ff, self.d, bias=bias)
                self.matrix(blk + "ffn_up_exps", n, ff, self.d, bias=bias)
            self.matrix(blk + "ffn_down_exps", n, self.d, ff, bias=bias)

    def ffn(self, suffix: str, ff: int, layers, norm=False):
        """A dense FFN ("") or a shared expert ("_shexp")."""
        for il in layers:
            blk = f"blk.{il}."
            if norm:
                self.norm(blk + "ffn_norm", self.d)
            self.matrix(blk + "ffn_gate" + suffix, ff, self.d)
            self.matrix(blk + "ffn_up" + suffix, ff, self.d)
            self.matrix(blk + "ffn_down" + suffix, self.d, ff)

    def yarn(self, factor: float, original: int, **more):
        """YaRN scaling of the rotation."""
        self.keys |= {".rope.scaling.type": "yarn", ".rope.scaling.factor": factor}
        self.keys |= {".rope.scaling.original_context_length": original}
        self.keys |= {f".rope.scaling.{key}": value for key, value in more.items()}


def llama():
    """Mixtral with fused QKV, biases, frequency factors and an expert scale."""
    b = Builder("llama", "llama", 2)
    b.attention(bias=True, out_bias=True, fused=True)
    b.experts(ff=28)
    b.tensors["rope_freqs.weight"] = b.rng.uniform(1, 8, 8)
    b.vector("blk.0.ffn_down_exps.scale", 8, centre=1.0)
    return b


def olmoe():
    b = Builder("olmoe", "olmoe", 2)
    b.attention(heads=4, kv_heads=4, head=8, norms="whole")
    b.experts(ff=24, n=8, used=3)
    return b


def qwen2moe():
    """Shared expert with a gate of its own; the experts' width follows from the number used."""
    b = Builder("qwen2moe", "qwen2moe", 2)
    b.attention(head=8, bias=True)
    b.experts(ff=24, n=8, used=3, key=".expert_")
    b.keys |= {".feed_forward_length": 72, ".expert_shared_feed_forward_length": 48}
    del b.keys[".expert_feed_forward_length"]
    b.ffn("_shexp", 48, range(2))
    for il in range(2):
        b.vector(f"blk.{il}.ffn_gate_inp_shexp.weight", 32)
    return b


def qwen3moe():
    """Tied output, linear rope scaling, scales beside the weights."""
    b = Builder("qwen3moe", "qwen3moe", 2)
    b.attention(norms="head")
    b.experts(ff=24, n=10, used=4, key=".expert_")
    b.keys |= {".feed_forward_length": 96, ".rope.freq_base": 1e6}
    b.keys |= {".rope.scaling.type": "linear", ".rope.scaling.factor": 2.5}
    del b.tensors["output.weight"]
    for part in ("gate", "up", "down"):
        b.vector(f"blk.1.ffn_{part}_exps.scale", 10, centre=1.0)
    for part in ("q", "k", "v", "output"):
        b.vector(f"blk.0.attn_{part}.scale", 1, centre=1.0)
    return b


def granitemoe():
    """All four scales, a shared expert, heads and widths given layer by layer."""
    b = Builder("granitemoe", "granitemoe", 2)
    b.attention(heads=4, kv_heads=2, head=8)
    b.experts(ff=16, n=12, used=5)
    b.keys |= {".attention.scale": 0.2, ".embedding_scale": 3.0, ".residual_scale": 0.4, ".logit_scale": 2.0}
    b.keys |= {".expert_shared_feed_forward_length": 40}
    b.keys |= {".attention.head_count_kv": [2, 2], ".feed_forward_length": [16, 16]}
    b.ffn("_shexp", 40, range(2))
    del b.tensors["output.weight"]
    return b


def phimoe():
    """Longrope: the factors depend on the allocated context."""
    b = Builder("phimoe", "phimoe", 2, ctx=1024)
    b.attention(head=8, bias=True, out_bias=True, norm_bias=True)
    b.experts(ff=24, norm_bias=True)
    b.vector("output_norm.bias", 32)
    b.vector("output.bias", VOCAB)
    b.keys |= {".rope.scaling.original_context_length": 256, ".rope.scaling.attn_factor": 1.19}
    b.tensors["rope_factors_short.weight"] = b.rng.uniform(1, 2, 4)
    b.tensors["rope_factors_long.weight"] = b.rng.uniform(2, 40, 4)
    return b


def gpt_oss(name="gpt-oss", d=32, ff=16):
    """Sinks, a window on the first and third layer, YaRN with its own base in the window."""
    b = Builder(name, "gpt-oss", 3, d=d)
    b.attention(bias=True, out_bias=True)
    b.experts(ff=ff, n=8, used=3, bias=True, norm="post_attention_norm", key=".expert_")
    b.keys |= {".attention.sliding_window": 7, ".rope.freq_base": 150000.0, ".rope.freq_base_swa": 1000.0}
    b.yarn(32.0, 16)
    for il in range(3):
        b.vector(f"blk.{il}.attn_sinks.weight", 4, spread=1.0)
    return b


def deepseek2():
    """V3: absorbed MLA, query rank, sigmoid with bias, groups, merged gate and up, a next-token layer to skip."""
    b = Builder("deepseek2", "deepseek2", 3)
    b.latent_attention(heads=4, q_rank=24)
    b.ffn("", 40, [0], norm=True)
    b.experts(ff=16, n=16, used=4, merged=True, layers=[1, 2], key=".expert_")
    b.ffn("_shexp", 32, [1, 2])
    b.keys |= {".feed_forward_length": 40, ".leading_dense_block_count": 1, ".expert_shared_count": 2}
    b.keys |= {".expert_gating_func": 2, ".expert_weights_norm": True, ".expert_weights_scale": 2.5}
    b.keys |= {".expert_group_count": 4, ".expert_group_used_count": 2, ".block_count": 4, ".nextn_predict_layers": 1}
    for il in (1, 2):
        b.vector(f"blk.{il}.exp_probs_b.bias", 16)
    return b


def deepseek2_lite():
    """V2-Lite: old `attn_kv_b` files without a query rank (llama.cpp wants 26 layers for that), YaRN with mscale."""
    b = Builder("deepseek2-lite", "deepseek2", 26, d=16)
    b.latent_attention(absorbed=False)
    b.ffn("", 16, range(24), norm=True)
    b.experts(ff=16, n=8, used=3, layers=[24, 25], key=".expert_")
    b.ffn("_shexp", 16, [24, 25])
    b.keys |= {".feed_forward_length": 16, ".leading_dense_block_count": 24, ".expert_shared_count": 1}
    b.yarn(8.0, 16, yarn_log_multiplier=0.0707)
    return b


def deepseek2_v2():
    """V2: old `attn_kv_b` with a query rank, groups, softmax, YaRN without mscale."""
    b = Builder("deepseek2-v2", "deepseek2", 2)
    b.latent_attention(heads=4, nope=16, q_rank=16, absorbed=False)
    b.experts(ff=24, n=8, used=2, key=".expert_")
    b.ffn("_shexp", 24, range(2))
    b.keys |= {".feed_forward_length": 40, ".expert_shared_count": 1, ".expert_weights_scale": 4.0}
    b.keys |= {".expert_group_count": 4, ".expert_group_used_count": 2}
    b.yarn(4.0, 16)
    return b


def wide(name: str, ff: int, heads: int = 4):
    """A model whose rows are a multiple of 256 where `ff` and 64 `heads` are."""
    b = Builder(name, "qwen3moe", 2, d=256)
    b.attention(heads=heads, kv_heads=heads // 2, head=64, norms="head")
    b.experts(ff=ff, n=4, used=2, key=".expert_")
    b.keys |= {".feed_forward_length": 2 * ff}
    return b


def pick(b: Builder, rules: list[tuple[str, str]]) -> dict[str, str]:
    """The type of each matrix: that of the first rule whose words are all in its name."""
    kinds = {}
    for name, values in b.tensors.items():
        for words, kind in rules:
            if values.ndim >= 2 and "gate_inp" not in name and all(word in name for word in words.split()):
                kinds[name] = kind
                break
    return kinds


def quantised():
    """Name -> model and the types of its tensors."""
    q4_k_m = wide("q4-k-m", 256)
    rules = [("blk.1 down", "Q6_K"), ("blk.1 attn_v", "Q6_K"), ("output.weight", "Q6_K"), ("", "Q4_K")]
    yield q4_k_m, pick(q4_k_m, rules)
    mixed = wide("k-mix", 64, heads=2)
    rules = [("blk.0 gate", "Q2_K"), ("blk.0 up", "Q3_K"), ("blk.0 down", "Q4_1"), ("blk.1 gate", "Q5_K")]
    rules += [("blk.1 up", "IQ4_XS"), ("blk.1 down", "Q5_1"), ("attn_q", "BF16"), ("attn_k", "F16"), ("attn_v", "Q4_0")]
    yield mixed, pick(mixed, rules + [("token_embd", "Q4_0"), ("", "Q8_0")])
    iq4 = wide("iq4-xs", 96, heads=2)
    yield iq4, pick(iq4, [("blk.0 down", "IQ4_NL"), ("blk.1 down", "Q5_0"), ("attn_output", "IQ4_NL"), ("", "IQ4_XS")])
    q8 = Builder("q8-0", "olmoe", 2)
    q8.attention(heads=4, kv_heads=4, head=8, norms="whole")
    q8.experts(ff=32, n=8, used=3)
    yield q8, pick(q8, [("", "Q8_0")])
    mxfp4 = gpt_oss("mxfp4", d=64, ff=64)
    yield mxfp4, pick(mxfp4, [("exps.bias", "F32"), ("exps", "MXFP4"), ("", "Q8_0")])


def answer(case: str, b: Builder, exact: Path, ctx: int, tokens: list[int], is_quantised: bool):
    """Asks for one case's logits and experts and writes them."""
    model = Llama(exact, ctx)
    logits = model.feed(tokens)
    model.close()
    logits.astype("<f4").tofile(OUT / f"{case}.logits.f32")
    facts = {"model": f"{b.name}.gguf", "ctx": ctx, "quantised": is_quantised, "n_vocab": VOCAB, "ids": tokens}
    facts["topk_by_layer"] = {str(il): rows for il, rows in sorted(model.experts.items())}
    (OUT / f"{case}.json").write_text(json.dumps(facts) + "\n")
    print(f"{case:16} {(OUT / b.name).with_suffix('.gguf').stat().st_size:8} bytes, logits to {np.abs(logits).max():.1f}")


def main():
    wanted = sys.argv[1:]
    OUT.mkdir(parents=True, exist_ok=True)
    plain = [llama(), olmoe(), qwen2moe(), qwen3moe(), granitemoe(), phimoe(), gpt_oss()]
    plain += [deepseek2(), deepseek2_lite(), deepseek2_v2()]
    tokens = [(7 * i * i + 11 * i + 5) % VOCAB for i in range(TOKENS)]
    for b, kinds in [*((b, {}) for b in plain), *quantised()]:
        if wanted and b.name not in wanted:
            continue
        stored = {name: np.ascontiguousarray(v, "<f4") for name, v in b.tensors.items()}
        exact = dict(stored)
        kinds = {name: kind for name, kind in kinds.items() if kind != "F32"}
        for name, kind in kinds.items():
            stored[name], exact[name] = quantize(stored[name], kind)
        write_gguf(OUT / f"{b.name}.gguf", b.arch, b.keys, stored, kinds)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "exact.gguf"
            write_gguf(path, b.arch, b.keys, exact)
            if b.name == "phimoe":
                answer("phimoe-short", b, path, 256, tokens, False)
                answer("phimoe-long", b, path, 512, tokens, False)
            else:
                answer(b.name, b, path, 128, tokens, bool(kinds))


if __name__ == "__main__":
    main()
