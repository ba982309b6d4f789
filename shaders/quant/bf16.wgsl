// BF16, the upper half of an f32: 16 weights in 8 words, two a word.
const QUANT_LEN = 16u;
const QUANT_WORDS = 8u;
const QUANT_UNITS = 1u;

fn QUANT_four(i: u32) -> vec4<f32> {
    let a = weights[i];
    let b = weights[i + 1u];
    return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    return mat4x4<f32>(QUANT_four(group), QUANT_four(group + 2u), QUANT_four(group + 4u), QUANT_four(group + 6u));
}
