// Q3_K, 256 weights in 28 words: [hmask (8), qs (16), scales (3), d]. Low bits as in Q2_K; the third bit of weight
// 128 n + 32 j + l is bit 4 n + j of hmask[l], and 0 there means minus 4. Scales are 6 bits, minus 32: scale i has its
// low four bits in nibble i / 8 of byte i % 8, its high two at bit 2 (i / 4) of byte 8 + i % 4.
const QUANT_LEN = 256u;
const QUANT_WORDS = 28u;
const QUANT_UNITS = 16u;

fn QUANT_run_scale(group: u32, i: u32) -> f32 {
    let low = (weights[group + 24u + (i % 8u) / 4u] >> ((i % 4u) * 8u + (i / 8u) * 4u)) & 15u;
    let high = (weights[group + 26u] >> ((i % 4u) * 8u + (i / 4u) * 2u)) & 3u;
    return f32(i32(low | (high << 4u)) - 32);
}

fn QUANT_four(word: u32, mask: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8((word & 0x03030303u) | ((mask & 0x01010101u) << 2u))) - vec4<f32>(4.0);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let d = f16_to_f32(weights[group + 27u] & 0xffffu);
    let q = weights[group + 8u + unit];
    let mask = weights[group + unit % 8u] >> ((unit / 8u) * 4u);
    let scale = (unit / 8u) * 8u + (unit % 8u) / 4u;
    return mat4x4<f32>(
        QUANT_four(q, mask) * (d * QUANT_run_scale(group, scale)),
        QUANT_four(q >> 2u, mask >> 1u) * (d * QUANT_run_scale(group, scale + 2u)),
        QUANT_four(q >> 4u, mask >> 2u) * (d * QUANT_run_scale(group, scale + 4u)),
        QUANT_four(q >> 6u, mask >> 3u) * (d * QUANT_run_scale(group, scale + 6u)));
}
