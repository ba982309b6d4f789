#!/usr/bin/env python3
"""Trains the demo model on the corpus of scripts/demo, and goes on from its last checkpoint when started again.

Usage: scripts/train_demo.py --work DIR [--steps N] [--report FILE]        needs torch and tokenizers

DIR gets tokenizer.json, checkpoint.pt (every 50 steps) and log.jsonl. The learning rate rises for 20 steps, stays, and
falls to zero over the last third of the steps; a finished run goes on when --steps is made larger. Step n trains on the
same conversations in every run.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import random
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from demo import corpus, vocab
from demo.network import Config, Network, balance_loss, load_entropy, z_loss

PROMPT_WEIGHT = 0.05
"""Weight in the loss of the tokens that the user says."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--minutes", type=float, help="stop at a checkpoint after so long; the schedule stays")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    parser.add_argument("--batch", type=int, default=8, help="rows of a step")
    parser.add_argument("--tokens", type=int, default=192, help="tokens of a row")
    parser.add_argument("--vocab", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", type=pathlib.Path, help="write what was learned to this file")
    for field in dataclasses.fields(Config):
        if field.name != "vocab":
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default)
    return parser.parse_args()


def pack(chat, source, batch, tokens):
    """Whole conversations side by side in rows: ids, document numbers and loss weights, each (batch, tokens)."""
    ids = torch.full((batch, tokens), chat.pad)
    documents = torch.zeros(batch, tokens, dtype=torch.long)
    weights = torch.zeros(batch, tokens)
    used, row, number = 0, 0, 0
    for messages in source:
        said, says = chat.encode(messages)
        n = len(said)
        if n > tokens:
            continue
        if used + n > tokens:
            row, used = row + 1, 0
        if row == batch:
            break
        number += 1
        ids[row, used:used + n] = torch.tensor(said)
        documents[row, used:used + n] = number
        weights[row, used:used + n] = torch.tensor([1.0 if s else PROMPT_WEIGHT for s in says])
        # Nothing comes before a conversation's first token.
        weights[row, used] = 0
        used += n
    return ids, documents, weights


def batch_of(chat, args, step):
    """The batch of one step: the same for the same seed and step."""
    seed = random.Random(f"{args.seed} {step}").getrandbits(32)
    return pack(chat, corpus.conversations(seed), args.batch, args.tokens)


def losses(network, ids, documents, weights):
    logits, routing = network(ids, documents)
    each = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    weights = weights[:, 1:].flatten()
    spoken = (weights == 1).float()
    real = documents.flatten() > 0
    routing = [(scores[real], chosen[real]) for scores, chosen in routing]
    balance = sum(balance_loss(*r) for r in routing) / len(routing)
    z = sum(z_loss(scores) for scores, _ in routing) / len(routing)
    total = (each * weights).sum() / weights.sum() + 0.01 * balance + 0.001 * z
    answers = float((each.detach() * spoken).sum() / spoken.sum())
    return total, answers, float(balance.detach()), [load_entropy(chosen, network.config.experts) for _, chosen in routing]


def rate_at(step, args):
    rise = min(1.0, (step + 1) / 20)
    fall = min(1.0, (args.steps - step) / (args.steps / 3))
    return args.rate * rise * fall


def save(path, network, optimizer, step, config):
    """Replaces the checkpoint whole, or not at all."""
    new = path.with_suffix(".new")
    torch.save({"config": dataclasses.asdict(config), "step": step, "network": network.state_dict(),
                "optimizer": optimizer.state_dict()}, new)
    os.replace(new, path)


@torch.no_grad()
def accuracy(chat, network, kind, count=100):
    """Share of probes by domain whose greedy answer is exactly right, and how many were asked.

    With the right answer as input, a greedy answer is right where each next token is the likeliest.
    """
    right, asked = {}, {}
    for domain, question, answer in corpus.probes(random.Random(0), count, kind):
        ids, says = chat.encode([("user", question), ("assistant", answer)])
        best = network(torch.tensor([ids]))[0][0].argmax(-1).tolist()
        ok = all(best[i - 1] == ids[i] for i in range(1, len(ids)) if says[i])
        right[domain] = right.get(domain, 0) + ok
        asked[domain] = asked.get(domain, 0) + 1
    return {domain: {"right": round(right[domain] / asked[domain], 3), "asked": asked[domain]} for domain in asked}


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    words = args.work / "tokenizer.json"
    if not words.exists():
        vocab.train(args.vocab, args.seed).save(str(words))
    tokenizer = Tokenizer.from_file(str(words))
    chat = vocab.Chat(tokenizer)

    shape = {field.name: getattr(args, field.name) for field in dataclasses.fields(Config) if field.name != "vocab"}
    config = Config(vocab=tokenizer.get_vocab_size(), **shape)
    network = Network(config)
    matrices = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
        lr=args.rate, betas=(0.9, 0.95))
    checkpoint, step = args.work / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        if state["config"] != dataclasses.asdict(config):
            raise SystemExit(f"{checkpoint} is of another shape: {state['config']}")
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    print(f"{sum(p.numel() for p in network.parameters())} parameters, {config.vocab} tokens, from step {step}", flush=True)

    begun, smooth = time.monotonic(), None
    with open(args.work / "log.jsonl", "a") as log:
        while step < args.steps:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, args)
            total, answers, balance, entropy = losses(network, *batch_of(chat, args, step))
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step += 1
            smooth = answers if smooth is None else 0.9 * smooth + 0.1 * answers
            late = args.minutes is not None and time.monotonic() - begun > 60 * args.minutes
            if step % 10 == 0:
                record = {"step": step, "answer_loss": round(smooth, 4), "balance": round(balance, 3),
                          "load_entropy": [round(e, 3) for e in entropy], "seconds": round(time.monotonic() - begun, 1)}
                log.write(json.dumps(record) + "\n")
                log.flush()
                print(json.dumps(record), flush=True)
            if step % 50 == 0 or step == args.steps or late:
                save(checkpoint, network, optimizer, step, config)
            if late:
                break

    if args.report:
        # Conversations of another seed: the same facts, in other company.
        test = argparse.Namespace(seed=args.seed + 1, batch=args.batch, tokens=args.tokens)
        with torch.no_grad():
            measured = [losses(network, *batch_of(chat, test, n)) for n in range(8)]
        report = {
            "config": dataclasses.asdict(config), "parameters": sum(p.numel() for p in network.parameters()),
            "steps": step, "tokens_per_step": args.batch * args.tokens,
            "answer_loss": round(sum(m[1] for m in measured) / len(measured), 4),
            "load_entropy": [round(sum(layer) / len(layer), 3) for layer in zip(*(m[3] for m in measured), strict=True)],
            "exactly_right": {kind: accuracy(chat, network, kind) for kind in ("seen", "held_out", "unseen")},
        }
        args.report.write_text(json.dumps(report, indent=1) + "\n")
        print(json.dumps(report["exactly_right"], indent=1))


if __name__ == "__main__":
    main()
