#!/usr/bin/env python3
"""Trains the demo model on the corpus of scripts/demo, and goes on from its last checkpoint when started again.

Usage: scripts/train_demo.py --work DIR [--from FILE] [--steps N] [--minutes N] [--report FILE]        needs torch, tokenizers and gguf

DIR gets tokenizer.json, checkpoint.pt (every 50 steps, and when interrupted) and log.jsonl. An empty DIR begins with random
weights, or with those and the tokenizer of a demo model's GGUF file: so a model learns what was added to the corpus. The learning rate rises for
50 steps, stays, and falls to zero over the last part of the steps, or of the minutes where these end sooner; a finished
run goes on when --steps is made larger. Step n trains on the same conversations in every run.
"""

import argparse
import dataclasses
import itertools
import json
import os
import pathlib
import random
import signal
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from demo import corpus, shipped, team, vocab
from demo.muon import Muon
from demo.network import Batch, Config, Network, balance_loss, load_entropy, z_loss

KINDS = ("seen", "held_out", "unseen")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--from", type=pathlib.Path, dest="begin", help="a demo model's GGUF file to begin with, where DIR has no checkpoint")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after so long at the latest")
    parser.add_argument("--fall", type=float, default=0.35, help="share of the run over which the learning rate falls")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=8e-3, help="highest learning rate of the matrices inside")
    parser.add_argument("--outer-rate", type=float, default=4e-3, help="that of the embedding, the routers and the norms")
    parser.add_argument("--tokens", type=int, default=4096, help="tokens of a step, about")
    parser.add_argument("--longest", type=int, default=512, help="leave out texts of more tokens")
    parser.add_argument("--vocab", type=int, default=3072)
    parser.add_argument("--processes", type=int, default=2, help="of one thread each, unless --threads says otherwise")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto", help="cpu, cuda or another that torch knows; auto is a GPU if there is one")
    parser.add_argument("--report", type=pathlib.Path, help="write what was learned to this file")
    for field in dataclasses.fields(Config):
        if field.name != "vocab":
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default)
    args = parser.parse_args()
    if args.device == "auto":
        args.device = "cuda" if torch.cuda.is_available() else "cpu"
    if args.device != "cpu":
        # One process feeds a GPU.
        args.processes = 1
    return args


def batch_of(chat, args, step, part=0, parts=1):
    """The texts of one step, the same for the same seed and step, or one of equal parts of them: the batch, the numbers of
    those tokens after which it is the model's turn to say one, what it is to say, and how much each counts."""
    seed = random.Random(f"{args.seed} {step}").getrandbits(32)
    texts, total = [], 0
    for messages in corpus.conversations(seed):
        ids, says = chat.encode(messages)
        if len(ids) > args.longest:
            continue
        texts.append((ids, says))
        total += len(ids)
        if total >= args.tokens:
            # By length first: then all parts take equally long.
            return collate(sorted(texts, key=lambda text: len(text[0]))[part::parts])


def collate(texts):
    """The batch of (ids, whether the model has to say them), the tokens before those, those, and how much each counts.

    A token of an answer of n counts 1 / sqrt(n): a story has a hundred tokens, and "Paris." must not be lost among them.
    """
    batch = Batch.of([ids for ids, _ in texts])
    wanted, counts, at = [], [], 0
    for _, says in texts:
        for ours, part in itertools.groupby(says):
            tokens = len(list(part))
            if ours:
                wanted += range(at - 1, at - 1 + tokens)
                counts += [tokens ** -0.5] * tokens
            at += tokens
    wanted, counts = torch.tensor(wanted), torch.tensor(counts)
    return batch, wanted, batch.ids[wanted + 1], counts / counts.sum()


def losses(network, batch, wanted, right, counts):
    """What training makes small; and the loss per token of answers, the balance loss, the load entropy of each layer."""
    logits, routing = network(batch, wanted)
    each = F.cross_entropy(logits, right, reduction="none")
    balance = sum(balance_loss(*r) for r in routing) / len(routing)
    z = sum(z_loss(scores) for scores, _ in routing) / len(routing)
    entropy = [load_entropy(chosen, network.config.experts) for _, chosen in routing]
    return each @ counts + 0.01 * balance + 0.001 * z, each.mean().item(), balance.item(), entropy


def optimizers(network, args):
    """Muon for the matrices inside, AdamW for the embedding, the routers and the norms."""
    named = dict(network.named_parameters())
    inside = [name for name, p in named.items() if p.dim() > 1 and name != "token_embd" and not name.endswith("ffn_gate_inp")]
    outside = [p for name, p in named.items() if name not in inside]
    return (Muon([named[name] for name in inside], lr=args.rate, weight_decay=0.05),
            torch.optim.AdamW(outside, lr=args.outer_rate, betas=(0.9, 0.95), weight_decay=0.0))


def height(done, step, fall):
    """Learning rate of step `step` over the highest one, when the share `done` of the run is over."""
    return min(1.0, (step + 1) / 50) * min(1.0, (1 - done) / fall)


def save(path, network, used, step):
    """Replaces the checkpoint whole, or not at all."""
    new = path.with_suffix(".new")
    torch.save({"config": dataclasses.asdict(network.config), "step": step, "network": network.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in used]}, new)
    os.replace(new, path)


@torch.no_grad()
def accuracy(chat, network, kind, count):
    """Share of probes by domain whose greedy answer is exactly right, and how many were asked.

    With the right answer as input, a greedy answer is right where each next token is the likeliest.
    """
    probes = [(domain, chat.encode([("user", question), ("assistant", answer)])) for domain, question, answer in corpus.probes(0, count, kind)]
    right, asked = {domain: 0 for domain, _ in probes}, {domain: 0 for domain, _ in probes}
    for start in range(0, len(probes), 32):
        some = probes[start:start + 32]
        batch, wanted, tokens, _ = collate([text for _, text in some])
        same = network(batch, wanted)[0].argmax(-1) == tokens
        for (domain, _), answer in zip(some, same.split([sum(says) for _, (_, says) in some]), strict=True):
            right[domain] += bool(answer.all())
            asked[domain] += 1
    return {domain: {"right": round(right[domain] / asked[domain], 3), "asked": asked[domain]} for domain in asked}


def step_together(network, chat, args, step, place, done):
    """One step's gradients, the mean of all processes, in place; and its answer loss, balance loss, entropies and the
    leader's `done`."""
    total, answers, balance, entropy = losses(network, *batch_of(chat, args, step, place.rank, place.size))
    total.backward()
    told = torch.tensor([answers, balance, done if place.rank == 0 else 0.0, *entropy])
    gradients = [p.grad for p in network.parameters()]
    mean = place.mean(torch.cat([*(g.flatten() for g in gradients), told]))
    for gradient, part in zip(gradients, mean.split([g.numel() for g in gradients] + [len(told)]), strict=False):
        gradient.copy_(part.view_as(gradient))
    answers, balance, done, *entropy = mean[-len(told):].tolist()
    return answers, balance, done * place.size, entropy


def train(network, used, chat, args, step, place):
    """Trains from step `step` to the end; returns the last step's number, and whether it was not interrupted before."""
    begun, smooth, stop = time.monotonic(), None, []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.append(True))
    log = open(args.work / "log.jsonl", "a") if place.rank == 0 else None

    def note(record):
        log.write(json.dumps(record) + "\n")
        log.flush()
        print(json.dumps(record), flush=True)

    while True:
        done = 2.0 if stop else max(step / args.steps, (time.monotonic() - begun) / (60 * args.minutes))
        answers, balance, done, entropy = step_together(network, chat, args, step, place, done)
        if done >= 1:
            break
        for optimizer, rate in zip(used, (args.rate, args.outer_rate), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * height(done, step, args.fall)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in used:
            optimizer.step()
            optimizer.zero_grad()
        step += 1
        smooth = answers if smooth is None else 0.95 * smooth + 0.05 * answers
        if place.rank > 0:
            continue
        if step % 25 == 0:
            note({"step": step, "answer_loss": round(smooth, 4), "balance": round(balance, 3),
                  "load_entropy": [round(e, 3) for e in entropy], "rate": round(used[0].param_groups[0]["lr"], 6),
                  "seconds": round(time.monotonic() - begun, 1)})
        if step % 50 == 0:
            save(args.work / "checkpoint.pt", network, used, step)
        if step % 250 == 0:
            note({kind: {domain: found["right"] for domain, found in accuracy(chat, network, kind, 20).items()} for kind in KINDS})
    if place.rank == 0:
        save(args.work / "checkpoint.pt", network, used, step)
    return step, not stop


@torch.no_grad()
def report(network, chat, args, step):
    """What the trained network does, on conversations of another seed: the same facts in other company."""
    test = argparse.Namespace(seed=args.seed + 1, tokens=args.tokens, longest=args.longest)
    measured = [losses(network, *batch_of(chat, test, n)) for n in range(8)]
    return {
        "config": dataclasses.asdict(network.config), "parameters": sum(p.numel() for p in network.parameters()),
        "steps": step, "tokens_per_step": args.tokens,
        "answer_loss": round(sum(m[1] for m in measured) / len(measured), 4),
        "load_entropy": [round(sum(layer) / len(layer), 3) for layer in zip(*(m[3] for m in measured), strict=True)],
        "exactly_right": {kind: accuracy(chat, network, kind, 200) for kind in KINDS},
    }


def build(args):
    """The tokenizer's chat, and a new network."""
    tokenizer = Tokenizer.from_file(str(args.work / "tokenizer.json"))
    shape = {field.name: getattr(args, field.name) for field in dataclasses.fields(Config) if field.name != "vocab"}
    torch.manual_seed(args.seed)
    return vocab.Chat(tokenizer), Network(Config(vocab=tokenizer.get_vocab_size(), **shape))


def work(place, args):
    """What each process does."""
    torch.set_num_threads(args.threads)
    torch.set_default_device(args.device)
    chat, network = build(args)
    used = optimizers(network, args)
    checkpoint, step = args.work / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=args.device)
        if state["config"] != dataclasses.asdict(network.config):
            raise SystemExit(f"{checkpoint} is of another shape: {state['config']}")
        network.load_state_dict(state["network"])
        for optimizer, kept in zip(used, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        step = state["step"]
    elif args.begin:
        network.load_state_dict(shipped.read(args.begin)[1])
    if place.rank == 0:
        count = sum(p.numel() for p in network.parameters())
        print(f"{count} parameters, {network.config.vocab} tokens, from step {step}", flush=True)
    # Nobody goes on and saves before all have read the checkpoint.
    place.mean(torch.zeros(1))
    step, ended = train(network, used, chat, args, step, place)
    if args.report and ended and place.rank == 0:
        found = report(network, chat, args, step)
        args.report.write_text(json.dumps(found, indent=1) + "\n")
        print(json.dumps(found["exactly_right"], indent=1))


def main():
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    words = args.work / "tokenizer.json"
    if not words.exists():
        (shipped.read(args.begin)[0] if args.begin else vocab.train(args.vocab, args.seed)).save(str(words))
    _, network = build(args)
    # All gradients and a few figures.
    team.run(work, args.processes, sum(p.numel() for p in network.parameters()) + 3 + args.layers, args)


if __name__ == "__main__":
    main()
