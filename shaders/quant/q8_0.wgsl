// Q8_0, two blocks of 32 as 17 words: [d0 | d1 << 16, qs0 (8), qs1 (8)]. Weight = d * q, q a signed byte.
const QUANT_LEN = 64u;
const QUANT_WORDS = 17u;
const QUANT_UNITS = 4u;

fn QUANT_four(i: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xI8(weights[i]));
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let d = f16_to_f32((weights[group] >> ((unit / 2u) * 16u)) & 0xffffu);
    let i = group + 1u + unit * 4u;
    return d * mat4x4<f32>(QUANT_four(i), QUANT_four(i + 1u), QUANT_four(i + 2u), QUANT_four(i + 3u));
}
