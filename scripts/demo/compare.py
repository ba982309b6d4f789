#!/usr/bin/env python3
"""Compares the demo model's files in llama.cpp with the network they were made from: token ids, greedy answers.

Usage: scripts/demo/compare.py --work DIR FILE... [--count N]      needs torch, tokenizers, gguf, llama_cpp

Asks N questions of each domain. For each file: how many answers are the same as the network's, and how many are right.
"""

import argparse
import pathlib
import random
import sys

import torch
from llama_cpp import Llama

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from demo import corpus, vocab  # noqa: E402
from export_demo import load  # noqa: E402

LIMIT = 48
"""Tokens of an answer, at most."""


@torch.no_grad()
def greedy(network, prompt, end):
    ids = list(prompt)
    while len(ids) < len(prompt) + LIMIT:
        token = int(network(torch.tensor([ids]))[0][0, -1].argmax())
        if token == end:
            break
        ids.append(token)
    return ids[len(prompt):]


def greedy_in_file(model, prompt, end):
    model.reset()
    answer = []
    for token in model.generate(prompt, temp=0.0, repeat_penalty=1.0):
        if token == end or len(answer) == LIMIT:
            break
        answer.append(token)
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    network, tokenizer = load(args.work)
    chat = vocab.Chat(tokenizer)
    asked = list(corpus.probes(random.Random(7), args.count, "seen"))
    prompts = [chat.prompt([("user", question)]) for _, question, _ in asked]
    ours = [greedy(network, prompt, chat.end) for prompt in prompts]
    for path in args.files:
        model = Llama(str(path), n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
        same_ids = same = right = 0
        for (_, question, answer), prompt, said in zip(asked, prompts, ours, strict=True):
            text = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
            same_ids += model.tokenize(text.encode(), add_bos=False, special=True) == prompt
            found = greedy_in_file(model, prompt, chat.end)
            same += found == said
            right += tokenizer.decode(found) == answer
            if found != said:
                print(f"  {question!r}: {tokenizer.decode(said)!r} became {tokenizer.decode(found)!r}")
        print(f"{path}: of {len(asked)} questions, token ids the same {same_ids}, answers the same {same}, right {right}")


if __name__ == "__main__":
    main()
