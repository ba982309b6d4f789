// IQ4_NL, two blocks of 32 as 9 words: [d0 | d1 << 16, qs0 (4), qs1 (4)]. Weight = d * table[nibble]; low nibbles are a
// block's first half.
const QUANT_LEN = 64u;
const QUANT_WORDS = 9u;
const QUANT_UNITS = 4u;

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let d = f16_to_f32((weights[group] >> ((unit / 2u) * 16u)) & 0xffffu);
    let a = weights[group + 1u + unit * 2u];
    let b = weights[group + 2u + unit * 2u];
    return d * mat4x4<f32>(QUANT_four(a), QUANT_four(b), QUANT_four(a >> 4u), QUANT_four(b >> 4u));
}
