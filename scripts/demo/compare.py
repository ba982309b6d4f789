#!/usr/bin/env python3
"""Compares Foregate with llama.cpp on the demo model's files: greedy answers of the F32 file, perplexity of both.

Usage: scripts/demo/compare.py --f32 FILE [--q8-0 FILE] [--foregate PROGRAM] [--count N]     needs gguf, llama_cpp, numpy

llama.cpp runs with an F32 KV cache and without flash attention, Foregate with an F32 KV cache on the CPU.
"""

import argparse
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from demo import corpus  # noqa: E402
from demo.domains import stories  # noqa: E402
from llama_oracle import Llama  # noqa: E402

CTX = 256
"""Tokens of a perplexity chunk."""
LIMIT = 160
"""Tokens of an answer, at most."""
FLAGS = ["--device", "cpu", "--kv", "f32", "--threads", "1", "--io", "mmap", "--json"]


def questions(count):
    """`count` questions, of all domains in turn; stories too."""
    rng = random.Random(11)
    by_domain = [[question for _, question, _ in group] for _, group in itertools.groupby(corpus.probes(11, count, "seen"), key=lambda p: p[0])]
    by_domain.append([f"Tell me a story about {row['a']} called {row['name']}." for row in (stories.tale(rng) for _ in range(count))])
    return [question for turn in zip(*by_domain, strict=False) for question in turn][:count]


def ask_llama(model, question):
    """The greedy answer's ids, without the end token."""
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    [end] = model.tokenize("<|im_end|>", parse_special=True)
    model.reset()
    logits, ids = model.feed(model.tokenize(prompt, parse_special=True)), []
    while len(ids) < LIMIT:
        token = int(logits[-1].argmax())
        if token == end:
            break
        ids.append(token)
        logits = model.feed([token])
    return ids, end


def foregate(program, command, file, *flags):
    done = subprocess.run([program, command, file, *flags, *FLAGS], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def perplexity(model, text):
    """As llama.cpp's tool defines it, for a model that adds no BOS: the second half of each chunk of CTX tokens."""
    ids, nll = model.tokenize(text), []
    for start in range(0, len(ids) - CTX + 1, CTX):
        chunk = ids[start:start + CTX]
        model.reset()
        logits = model.feed(chunk).astype(np.float64)
        for at in range(CTX // 2, CTX - 1):
            row = logits[at] - logits[at].max()
            nll.append(np.log(np.exp(row).sum()) - row[chunk[at + 1]])
    return float(np.exp(np.mean(nll))), len(ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--f32", required=True)
    parser.add_argument("--q8-0", default=ROOT / "assets/foregate-demo.gguf")
    parser.add_argument("--foregate", default=ROOT / "target/release/foregate")
    parser.add_argument("--count", type=int, default=50)
    args = parser.parse_args()

    model, same = Llama(args.f32, 1024), 0
    for question in questions(args.count):
        theirs, end = ask_llama(model, question)
        ours = foregate(args.foregate, "generate", args.f32, "--chat", "-p", question, "--temp", "0", "-n", str(LIMIT))
        ids = [token for token in ours["ids"] if token != end]
        same += ids == theirs
        if ids != theirs:
            agreed = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ids, theirs, strict=False))))
            print(f"  {question!r}: {ours['text']!r}; llama.cpp says otherwise from token {agreed} on")
    print(f"greedy answers, F32: {same} of {args.count} the same, token for token")

    rng = random.Random(12)
    text = "\n".join(str(stories.tale(rng)["story"]) for _ in range(60))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        # The program leaves out one newline at the end.
        file.write(text + "\n")
        file.flush()
        for name, path in (("F32", args.f32), ("Q8_0", args.q8_0)):
            theirs, count = perplexity(Llama(path, 1024), text)
            ours = foregate(args.foregate, "perplexity", path, "-f", file.name, "--ctx", str(CTX))["perplexity"]
            print(f"perplexity, {name}, {count} tokens: {ours:.5f}, llama.cpp {theirs:.5f}, {100 * (ours / theirs - 1):+.4f} %")


if __name__ == "__main__":
    main()
