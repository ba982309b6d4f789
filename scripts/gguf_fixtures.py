#!/usr/bin/env python3
"""Writes tests/fixtures/gguf: small GGUF files by the reference Python package, and what it reads back from them.

Usage (needs `pip install gguf numpy`): scripts/gguf_fixtures.py

- every_type.gguf: one key of each value type and an array of each, one tensor of each type that files hold.
- plain.gguf: what readers of a narrower range can read too: no nested array, no type number from 40 on.
- split-0000N-of-00003.gguf: the same kind of model as three shards.
- readings.json: per file, each tensor's name, type number, dimensions, absolute offset and length in bytes.

The weights are the bytes 0, 1, 2, ... (not numbers that mean anything): the tests read headers and extents.
"""

import json
import pathlib

import gguf
import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "gguf"
# In memory only: no file holds them, and for Q8_1 the package's size differs from ggml's.
NEVER_IN_FILES = {gguf.GGMLQuantizationType.Q8_1, gguf.GGMLQuantizationType.Q8_K}


def weights(ty, rows, columns):
    block, size = gguf.GGML_QUANT_SIZES[ty]
    n = rows * columns // block * size
    return (np.arange(n) % 256).astype(np.uint8).reshape(rows, n // rows)


def add_tensor(writer, name, ty, rows=2, columns=256):
    data = weights(ty, rows, columns)
    plain = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "I8": np.int8, "I16": np.int16, "I32": np.int32,
             "I64": np.int64}.get(ty.name)
    if plain is not None:
        writer.add_tensor(name, data.view(plain))
    else:
        writer.add_tensor(name, data, raw_dtype=ty)


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def values(w):
    w.add_uint8("v.u8", 200)
    w.add_int8("v.i8", -100)
    w.add_uint16("v.u16", 60000)
    w.add_int16("v.i16", -30000)
    w.add_uint32("v.u32", 4000000000)
    w.add_int32("v.i32", -2000000000)
    w.add_float32("v.f32", 0.1)
    w.add_bool("v.bool", True)
    w.add_string("v.string", "Grüße, 世界")
    w.add_uint64("v.u64", 2**63 + 1)
    w.add_int64("v.i64", -(2**62))
    w.add_float64("v.f64", 1e300)
    w.add_array("a.strings", ["", "one", "Ġtwo", "世"])
    w.add_array("a.ints", [1, -2, 3])
    w.add_array("a.floats", [0.5, -1.25, 1e-8])
    w.add_array("a.bools", [True, False, True])


def every_type():
    w = gguf.GGUFWriter(OUT / "every_type.gguf", "none")
    values(w)
    w.add_array("a.nested", [[1, 2], [3]])
    for ty in gguf.GGML_QUANT_SIZES:
        if ty not in NEVER_IN_FILES:
            add_tensor(w, f"t.{ty.name}", ty)
    w.add_tensor("t.one_dimension", np.arange(5, dtype=np.float32))
    w.add_tensor("t.four_dimensions", np.zeros((2, 3, 1, 4), dtype=np.float32))
    close(w)


def plain():
    w = gguf.GGUFWriter(OUT / "plain.gguf", "none")
    values(w)
    for ty in gguf.GGML_QUANT_SIZES:
        if ty not in NEVER_IN_FILES and int(ty) < 40:
            add_tensor(w, f"t.{ty.name}", ty, rows=1)
    close(w)


def split():
    w = gguf.GGUFWriter(OUT / "split.gguf", "none", split_max_tensors=2)
    w.add_uint32("v.u32", 7)
    for i in range(5):
        add_tensor(w, f"t.{i}", gguf.GGMLQuantizationType.Q8_0)
    close(w)


def reading(path):
    return [
        {"name": t.name, "type": int(t.tensor_type), "dims": [int(d) for d in t.shape], "offset": int(t.data_offset),
         "bytes": int(t.n_bytes)}
        for t in gguf.GGUFReader(path).tensors
    ]


OUT.mkdir(parents=True, exist_ok=True)
every_type()
plain()
split()
readings = {p.name: reading(p) for p in sorted(OUT.glob("*.gguf"))}
rows = ",\n".join(f'"{n}": [\n' + ",\n".join(json.dumps(t) for t in ts) + "\n]" for n, ts in readings.items())
(OUT / "readings.json").write_text("{\n" + rows + "\n}\n")
