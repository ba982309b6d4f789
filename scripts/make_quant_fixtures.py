#!/usr/bin/env python3
"""Makes tests/fixtures/quant: random blocks of every supported type, and the weights that they are.

For each type, NAME.blocks holds whole blocks and NAME.f32 the little-endian f32 that gguf.quants.dequantize makes of
them. The first blocks have odd scales: zeros, subnormals, the largest finite, infinities, NaN. The result is the same
at every run.

    pip install gguf==0.19.0 numpy
    python3 scripts/make_quant_fixtures.py
"""

import zlib
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

OUT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "quant"

# Byte offsets of the f16 fields of each type's block.
F16_FIELDS = {
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q8_0": [0],
    "Q2_K": [80, 82],
    "Q3_K": [108],
    "Q4_K": [0, 2],
    "Q5_K": [0, 2],
    "Q6_K": [208],
    "IQ4_NL": [0],
    "IQ4_XS": [0],
}
ODD_F16 = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00]
ODD_E8M0 = [0, 1, 2, 3, 126, 127, 128, 129, 252, 253, 254, 255]


def blocks_of(name: str, rng: np.random.Generator) -> np.ndarray:
    """Blocks `(n, bytes)` with random quants and scales in the range that weights have, the first ones odd."""
    length, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    n = 28 if length == 256 else 64
    blocks = rng.integers(0, 256, (n, size), dtype=np.uint8)
    blocks[12] = 0
    blocks[13] = 255
    for field in F16_FIELDS.get(name, []):
        scales = (rng.normal(0, 0.02, n)).astype(np.float16).view(np.uint16)
        scales[: len(ODD_F16)] = ODD_F16 if field == F16_FIELDS[name][0] else rng.permutation(ODD_F16)
        scales[12], scales[13] = 0x3C00, 0x3C00
        blocks[:, field : field + 2] = scales.astype("<u2").view(np.uint8).reshape(n, 2)
    if name == "MXFP4":
        blocks[: len(ODD_E8M0), 0] = ODD_E8M0
        blocks[14:, 0] = rng.integers(110, 130, n - 14)
    return blocks


def floats_of(name: str, rng: np.random.Generator) -> np.ndarray:
    """Plain numbers as bytes: every exponent, and the edges of each."""
    if name == "F32":
        bits = rng.integers(0, 1 << 32, 512, dtype=np.uint32)
        bits[:8] = [0, 1 << 31, 1, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000]
        return bits.astype("<u4").view(np.uint8)
    shift = 10 if name == "F16" else 7
    exponents = np.arange(1 << (16 - shift), dtype=np.uint32) << shift
    edges = [exponents, exponents + 1, exponents + (1 << shift) - 1]
    bits = np.concatenate([*edges, rng.integers(0, 1 << 16, 256, dtype=np.uint32)])
    return bits.astype("<u2").view(np.uint8)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name in ["F32", "F16", "BF16", *F16_FIELDS, "MXFP4"]:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        kind = GGMLQuantizationType[name]
        blocks = floats_of(name, rng) if name in ("F32", "F16", "BF16") else blocks_of(name, rng)
        with np.errstate(all="ignore"):
            weights = quants.dequantize(blocks.reshape(1, -1), kind).astype("<f4")
        (OUT / f"{name}.blocks").write_bytes(blocks.tobytes())
        (OUT / f"{name}.f32").write_bytes(weights.tobytes())


if __name__ == "__main__":
    main()
