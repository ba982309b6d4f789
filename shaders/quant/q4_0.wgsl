// Q4_0, two blocks of 32 as 9 words: [d0 | d1 << 16, qs0 (4), qs1 (4)]. Weight = d * (nibble - 8); low nibbles are a
// block's first half.
const QUANT_LEN = 64u;
const QUANT_WORDS = 9u;
const QUANT_UNITS = 4u;

fn QUANT_nibbles(word: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu)) - vec4<f32>(8.0);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let d = f16_to_f32((weights[group] >> ((unit / 2u) * 16u)) & 0xffffu);
    let a = weights[group + 1u + unit * 2u];
    let b = weights[group + 2u + unit * 2u];
    return d * mat4x4<f32>(QUANT_nibbles(a), QUANT_nibbles(b), QUANT_nibbles(a >> 4u), QUANT_nibbles(b >> 4u));
}
