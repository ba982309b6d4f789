#!/usr/bin/env python3
"""Measures how the demo model routes: load, next-token reuse, hit rates of caches, and how well a layer's router is
foretold by layers before it; beside recorded traces of large models.

Usage: scripts/demo/routing.py --work DIR [--traces DIR] [--json FILE]     needs torch, tokenizers

--work: of scripts/train_demo.py. --traces: with bigmoeonedge/qwen.route.csv.gz and warp/trace_olmoe_299.jsonl.gz.
"""

import argparse
import csv
import gzip
import itertools
import json
import pathlib
import random
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from demo import vocab  # noqa: E402
from demo.cache import belady_hits, lru_hits, next_token_reuse  # noqa: E402
from demo.corpus import pick  # noqa: E402
from demo.domains import DOMAINS  # noqa: E402
from demo.network import Batch, load_entropy, rms_norm  # noqa: E402
from demo.topic import say  # noqa: E402
from export_demo import load  # noqa: E402

SHARES = (0.125, 0.25, 0.5)
DISTANCES = (0, 1, 2, 3)


def texts_of(chat, domain, tokens, rng):
    """Conversations of three turns about one domain, of `tokens` tokens together or a little more."""
    found = []
    while sum(map(len, found)) < tokens:
        messages = []
        for _ in range(3):
            topic = pick(rng, domain.topics)
            row = topic.row(rng)
            messages += [("user", say(rng, rng.choice(topic.seen)).format(**row)), ("assistant", topic.answer.format(**row))]
        found.append(chat.encode(messages)[0])
    return found


@torch.no_grad()
def route(network, ids):
    """Experts chosen for each token (layers, tokens, used), and what each layer's router would say of the stream before
    an earlier layer's experts: {d: (layers - d, tokens, used)}."""
    c = network.config
    batch = Batch.of([ids])
    rates = c.rope_base ** (-torch.arange(0, c.head_dim, 2) / c.head_dim)
    angles = (batch.positions[:, None] * rates)[:, None]
    h, chosen, streams = network.token_embd[batch.ids], [], []
    for block in network.blk:
        h = h + block.attention(rms_norm(h, block.attn_norm, c.eps), angles.cos(), angles.sin(), batch.lengths)
        streams.append(h)
        y, _, experts = block.experts(rms_norm(h, block.ffn_norm, c.eps))
        chosen.append(experts)
        h = h + y
    foretold = {
        d: torch.stack([block.route(rms_norm(stream, block.ffn_norm, c.eps))[1] for stream, block in zip(streams, network.blk[d:], strict=False)])
        for d in DISTANCES}
    return torch.stack(chosen), foretold


def recall(chosen, foretold):
    """Share of the chosen experts (layers, tokens, used) that were foretold, by layer."""
    return (chosen[..., :, None] == foretold[..., None, :]).any(-1).float().mean((1, 2)).tolist()


def study(trace, layers, experts):
    """Figures of a trace alone; the cache is one pool over all layers' experts."""
    slots = {share: int(share * layers * experts) for share in SHARES}
    return {
        "layers": layers, "experts": experts, "used": len(trace[0][0]), "tokens": len(trace),
        "next_token_reuse": next_token_reuse(trace),
        "lru": {share: lru_hits(trace, count) for share, count in slots.items()},
        "belady": {share: belady_hits(trace, count) for share, count in slots.items()},
    }


def recorded(folder):
    """(name, trace of the decode phase, layers, experts) of the recorded runs."""
    with gzip.open(folder / "bigmoeonedge/qwen.route.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(line for line in file if not line.startswith("#")) if row["phase"] == "1"]
    trace = [
        [[int(row["expert"]) for row in layer] for _, layer in itertools.groupby(step, key=lambda row: row["layer"])]
        for _, step in itertools.groupby(rows, key=lambda row: (row["turn"], row["step"]))]
    yield "Qwen3-30B-A3B, 6 experts used", trace, 48, 128
    with gzip.open(folder / "warp/trace_olmoe_299.jsonl.gz", "rt") as file:
        yield "OLMoE-1B-7B", [json.loads(line)["layers"] for line in file], 16, 64


def measure(work, tokens):
    """Figures of the demo model: by domain, and of all domains one after another."""
    network, tokenizer = load(work)
    chat, c = vocab.Chat(tokenizer), network.config
    loads, trace, ahead = {}, [], {d: [] for d in DISTANCES}
    result = {"domains": {}}
    for domain in DOMAINS:
        rng = random.Random(f"routing {domain.name}")
        routed = [route(network, ids) for ids in texts_of(chat, domain, tokens, rng)]
        chosen = torch.cat([found for found, _ in routed], dim=1)
        steps = chosen.transpose(0, 1).tolist()
        trace += steps
        for d in DISTANCES:
            ahead[d].append((chosen[d:], torch.cat([foretold[d] for _, foretold in routed], dim=1)))
        loads[domain.name] = torch.stack([layer.flatten().bincount(minlength=c.experts) / layer.numel() for layer in chosen])
        result["domains"][domain.name] = {
            "load_entropy": [load_entropy(layer, c.experts) for layer in chosen], **study(steps, c.layers, c.experts)}
    mean = torch.stack(list(loads.values())).mean(0)
    for name, load_of in loads.items():
        # Half the summed difference of shares: 0 where a domain's load is that of all, 1 where they share no expert.
        result["domains"][name]["distance"] = (0.5 * (load_of - mean).abs().sum(1)).tolist()
        result["domains"][name]["load"] = [[round(share, 4) for share in layer] for layer in load_of.tolist()]
    result["all"] = {
        **study(trace, c.layers, c.experts),
        "load_entropy": [float(-(layer * layer.clamp_min(1e-12).log()).sum() / torch.tensor(float(c.experts)).log()) for layer in mean],
        "recall": {d: recall(torch.cat([a for a, _ in pairs], dim=1), torch.cat([b for _, b in pairs], dim=1)) for d, pairs in ahead.items()},
    }
    return result


def row(name, found):
    """One line of the table."""
    rates = [f"{100 * found[kind][share]:.1f}" for kind in ("lru", "belady") for share in SHARES]
    return f"| {name} | {found['tokens']} | {100 * found['next_token_reuse']:.1f} | " + " | ".join(rates) + " |"


def show(result):
    print("All in percent; one pool over (layer, expert), the first 16 tokens not counted.\n")
    print("| trace | tokens | reuse | LRU 12.5 | LRU 25 | LRU 50 | Belady 12.5 | Belady 25 | Belady 50 |")
    print("| --- " * 9 + "|")
    print(row("the demo model, all domains", result["all"]))
    for name, found in result.get("recorded", {}).items():
        print(row(name, found))
    for name, found in result["domains"].items():
        print(row(name, found))
    print("\n| domain | load entropy by layer | distance from the mean load by layer |\n| --- | --- | --- |")
    for name, found in result["domains"].items():
        print(f"| {name} | " + ", ".join(f"{e:.2f}" for e in found["load_entropy"]) + " | " + ", ".join(f"{e:.2f}" for e in found["distance"]) + " |")
    print("| all | " + ", ".join(f"{e:.2f}" for e in result["all"]["load_entropy"]) + " | |")
    print("\n| distance d | recall, mean of layers | by layer foretold |\n| --- | --- | --- |")
    for d, found in result["all"]["recall"].items():
        print(f"| {d} | {100 * sum(found) / len(found):.1f} | " + ", ".join(f"{100 * r:.0f}" for r in found) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--traces", type=pathlib.Path, help="folder of recorded traces")
    parser.add_argument("--tokens", type=int, default=600, help="tokens of each domain")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    result = measure(args.work, args.tokens)
    if args.traces:
        result["recorded"] = {name: study(trace, layers, experts) for name, trace, layers, experts in recorded(args.traces)}
    show(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
