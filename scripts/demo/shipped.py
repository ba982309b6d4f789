"""The network and the tokenizer of a GGUF file that scripts/export_demo.py wrote, to go on training from."""

import json
import pathlib

import gguf
import torch
from tokenizers import Tokenizer

from demo import vocab


def read(path: pathlib.Path) -> tuple[Tokenizer, dict[str, torch.Tensor]]:
    """Its tokenizer, and its tensors by the network's names; those of a quantised file as they are rounded there."""
    reader = gguf.GGUFReader(path)
    tokens, merges = (reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges"))
    tensors = {
        tensor.name.removesuffix(".weight"):
            torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy()).view(*reversed(tensor.shape.tolist()))
        for tensor in reader.tensors}
    return tokenizer(tokens, merges), tensors


def tokenizer(tokens: list[str], merges: list[str]) -> Tokenizer:
    """That of the file: ids as they stand there, control tokens last."""
    plain = tokens[:-len(vocab.CONTROL)]
    found = vocab.empty()
    state = json.loads(found.to_str())
    state["model"] |= {"vocab": {token: i for i, token in enumerate(plain)}, "merges": [merge.split(" ") for merge in merges]}
    found = Tokenizer.from_str(json.dumps(state))
    found.add_special_tokens(vocab.CONTROL)
    return found
