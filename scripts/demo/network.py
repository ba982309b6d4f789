"""A mixture-of-experts transformer of the architecture that GGUF files call qwen3moe, in model order.

Pre-norm blocks; grouped-query attention with an RMS norm on each head's query and key, then rotary positions on
halves ("neox"); a router with a softmax over all experts, the best k made to sum to one; SwiGLU experts; the output
matrix is the embedding.
"""

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Config:
    vocab: int
    d_model: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    experts: int = 16
    used: int = 4
    expert_ff: int = 64
    context: int = 1024
    rope_base: float = 10000.0
    eps: float = 1e-6


def matrix(*shape, gain=1.0):
    """Rows of the last dimension, so that unit inputs give outputs of about `gain`."""
    return nn.Parameter(torch.randn(*shape) * gain / math.sqrt(shape[-1]))


def rms_norm(x, weight, eps):
    return F.rms_norm(x, weight.shape, weight, eps)


def rope(x, cos, sin):
    """x: (batch, heads, tokens, head_dim); pairs are (i, i + head_dim / 2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


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

    def attention(self, x, cos, sin, mask):
        c, (batch, tokens, _) = self.c, x.shape
        heads = lambda y, n: y.view(batch, tokens, n, c.head_dim).transpose(1, 2)  # noqa: E731
        q = rope(rms_norm(heads(x @ self.attn_q.T, c.heads), self.attn_q_norm, c.eps), cos, sin)
        k = rope(rms_norm(heads(x @ self.attn_k.T, c.kv_heads), self.attn_k_norm, c.eps), cos, sin)
        v = heads(x @ self.attn_v.T, c.kv_heads)
        group = c.heads // c.kv_heads
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return y.transpose(1, 2).reshape(batch, tokens, -1) @ self.attn_output.T

    def experts(self, x):
        """x: (tokens, d_model). Gives the output, the router's logits and the chosen experts (tokens, used)."""
        c = self.c
        logits = x @ self.ffn_gate_inp.T
        weights, chosen = logits.softmax(-1).topk(c.used, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        # Tokens in the order of their experts, so that each expert is one matrix product.
        order = chosen.flatten().argsort()
        rows = order // c.used
        counts = chosen.flatten().bincount(minlength=c.experts).tolist()
        parts = [
            (F.silu(part @ gate.T) * (part @ up.T)) @ down.T
            for part, gate, up, down in zip(
                x[rows].split(counts), self.ffn_gate_exps, self.ffn_up_exps, self.ffn_down_exps, strict=True)
        ]
        y = torch.cat(parts) * weights.flatten()[order, None]
        return torch.zeros_like(x).index_add(0, rows, y), logits, chosen

    def forward(self, h, cos, sin, mask):
        h = h + self.attention(rms_norm(h, self.attn_norm, self.c.eps), cos, sin, mask)
        y, logits, chosen = self.experts(rms_norm(h, self.ffn_norm, self.c.eps).flatten(0, 1))
        return h + y.view_as(h), logits, chosen


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Parameter(torch.randn(config.vocab, config.d_model) * 0.1)
        self.blk = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output_norm = nn.Parameter(torch.ones(config.d_model))

    def forward(self, ids, documents=None):
        """ids: (batch, tokens); documents: the same shape, tokens see only those with their own number.

        Gives logits (batch, tokens, vocab) and for each layer the router's logits and choices.
        """
        c, tokens = self.config, ids.shape[1]
        rates = c.rope_base ** (-torch.arange(0, c.head_dim, 2, device=ids.device) / c.head_dim)
        angles = torch.arange(tokens, device=ids.device)[:, None] * rates
        mask = torch.ones(tokens, tokens, dtype=torch.bool, device=ids.device).tril()
        if documents is not None:
            mask = mask & (documents[:, None, :, None] == documents[:, None, None, :])
        h = self.token_embd[ids]
        routing = []
        for block in self.blk:
            h, logits, chosen = block(h, angles.cos(), angles.sin(), mask)
            routing.append((logits, chosen))
        return rms_norm(h, self.output_norm, c.eps) @ self.token_embd.T, routing


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
