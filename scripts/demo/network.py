"""A mixture-of-experts transformer of the architecture that GGUF files call qwen3moe, in model order.

Pre-norm blocks; grouped-query attention with an RMS norm on each head's query and key, then rotary positions on
halves ("neox"); a router with a softmax over all experts, the best k made to sum to one; SwiGLU experts; the output
matrix is the embedding.

Tokens of all texts stand one after another, so that all work but attention is on (tokens, d_model). Attention is within
a text.
"""

import dataclasses
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Config:
    vocab: int
    d_model: int = 128
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    experts: int = 32
    used: int = 4
    expert_ff: int = 32
    context: int = 1024
    rope_base: float = 10000.0
    eps: float = 1e-6


@dataclasses.dataclass
class Batch:
    """Texts one after another."""

    ids: torch.Tensor
    """(tokens)"""
    positions: torch.Tensor
    """(tokens): places in their texts"""
    lengths: list[int]
    """(texts): tokens of each"""

    @staticmethod
    def of(texts: list[list[int]]) -> "Batch":
        lengths = [len(text) for text in texts]
        return Batch(torch.tensor([i for text in texts for i in text]), torch.cat([torch.arange(n) for n in lengths]), lengths)


def matrix(*shape, gain=1.0):
    """Rows of the last dimension, so that unit inputs give outputs of about `gain`."""
    return nn.Parameter(torch.randn(*shape) * gain / math.sqrt(shape[-1]))


def rms_norm(x, weight, eps):
    return F.rms_norm(x, weight.shape, weight, eps)


def rope(x, cos, sin):
    """x: (tokens, heads, head_dim); pairs are (i, i + head_dim / 2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def by_expert(chosen):
    """The order that sorts experts, which keeps that of equal ones. On the CPU numpy's counting sort is faster."""
    if chosen.device.type != "cpu":
        return chosen.argsort(stable=True)
    return torch.from_numpy(np.argsort(chosen.numpy().astype(np.uint8), kind="stable"))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        shrink = 1 / math.sqrt(2 * c.layers)
        self.attn_norm = nn.Parameter(torch.ones(c.d_model))
        self.attn_q = matrix(c.heads * c.head_dim, c.d_model)
        self.attn_k = matrix(c.kv_heads * c.head_dim, c.d_model)
        self.attn_v = matrix(c.kv_heads * c.head_dim, c.d_model)
        self.attn_q_norm = nn.Parameter(torch.ones(c.head_dim))
        self.attn_k_norm = nn.Parameter(torch.ones(c.head_dim))
        self.attn_output = matrix(c.d_model, c.heads * c.head_dim, gain=shrink)
        self.ffn_norm = nn.Parameter(torch.ones(c.d_model))
        self.ffn_gate_inp = matrix(c.experts, c.d_model, gain=0.3)
        self.ffn_gate_exps = matrix(c.experts, c.expert_ff, c.d_model)
        self.ffn_up_exps = matrix(c.experts, c.expert_ff, c.d_model)
        self.ffn_down_exps = matrix(c.experts, c.d_model, c.expert_ff, gain=2 * shrink)

    def attention(self, x, cos, sin, lengths):
        c = self.c
        heads = lambda matrix, n: F.linear(x, matrix).view(-1, n, c.head_dim)  # noqa: E731
        q = rope(rms_norm(heads(self.attn_q, c.heads), self.attn_q_norm, c.eps), cos, sin)
        k = rope(rms_norm(heads(self.attn_k, c.kv_heads), self.attn_k_norm, c.eps), cos, sin)
        v = heads(self.attn_v, c.kv_heads)
        k, v = (y.repeat_interleave(c.heads // c.kv_heads, dim=1) for y in (k, v))
        parts = []
        for qkv in zip(q.split(lengths), k.split(lengths), v.split(lengths), strict=True):
            y = F.scaled_dot_product_attention(*(y.transpose(0, 1)[None] for y in qkv), is_causal=True)
            parts.append(y[0].transpose(0, 1).flatten(1))
        return F.linear(torch.cat(parts), self.attn_output)

    def route(self, x):
        """x: (tokens, d_model), normed. Gives the router's logits, the chosen experts and their weights (tokens, used)."""
        logits = F.linear(x, self.ffn_gate_inp)
        weights, chosen = logits.softmax(-1).topk(self.c.used, dim=-1)
        return logits, chosen, weights / weights.sum(-1, keepdim=True)

    def experts(self, x):
        """x: (tokens, d_model). Gives the output, the router's logits and the chosen experts (tokens, used)."""
        c = self.c
        logits, chosen, weights = self.route(x)
        # Tokens in the order of their experts, so that each expert is one matrix product.
        order = by_expert(chosen.flatten())
        rows = order // c.used
        counts = chosen.flatten().bincount(minlength=c.experts).tolist()
        both = torch.cat([self.ffn_gate_exps, self.ffn_up_exps], dim=1).mT.unbind()
        inner = torch.cat([part @ matrix for part, matrix in zip(x.index_select(0, rows).split(counts), both, strict=True)])
        gate, up = inner.chunk(2, dim=-1)
        inner = F.silu(gate) * up * weights.flatten()[order, None]
        down = self.ffn_down_exps.mT.unbind()
        y = torch.cat([part @ matrix for part, matrix in zip(inner.split(counts), down, strict=True)])
        return torch.zeros_like(x).index_add(0, rows, y), logits, chosen

    def forward(self, h, cos, sin, lengths):
        h = h + self.attention(rms_norm(h, self.attn_norm, self.c.eps), cos, sin, lengths)
        y, logits, chosen = self.experts(rms_norm(h, self.ffn_norm, self.c.eps))
        return h + y, logits, chosen


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Parameter(torch.randn(config.vocab, config.d_model) * 0.1)
        self.blk = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output_norm = nn.Parameter(torch.ones(config.d_model))

    def forward(self, batch, wanted):
        """Gives logits (wanted, vocab) of the tokens numbered `wanted`, and for each layer the router's logits and choices
        for all tokens."""
        c = self.config
        rates = c.rope_base ** (-torch.arange(0, c.head_dim, 2) / c.head_dim)
        angles = (batch.positions[:, None] * rates)[:, None]
        cos, sin = angles.cos(), angles.sin()
        h = self.token_embd[batch.ids]
        routing = []
        for block in self.blk:
            h, logits, chosen = block(h, cos, sin, batch.lengths)
            routing.append((logits, chosen))
        return F.linear(rms_norm(h[wanted], self.output_norm, c.eps), self.token_embd), routing


def balance_loss(logits, chosen):
    """Switch Transformer's load-balancing loss over k choices: 1 when all experts are used alike."""
    experts = logits.shape[-1]
    share = chosen.flatten().bincount(minlength=experts) / chosen.numel()
    return experts * (share * logits.softmax(-1).mean(0)).sum()


def z_loss(logits):
    """ST-MoE's router z-loss: keeps the router's logits small."""
    return logits.logsumexp(-1).square().mean()


def load_entropy(chosen, experts):
    """Entropy of the experts' load over its greatest value: 1 when all are used alike."""
    share = chosen.flatten().bincount(minlength=experts) / chosen.numel()
    return float(-(share * share.clamp_min(1e-12).log()).sum() / math.log(experts))
