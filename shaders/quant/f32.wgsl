// F32: 16 weights in 16 words.
const QUANT_LEN = 16u;
const QUANT_WORDS = 16u;
const QUANT_UNITS = 1u;

fn QUANT_four(i: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(weights[i], weights[i + 1u], weights[i + 2u], weights[i + 3u]));
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    return mat4x4<f32>(QUANT_four(group), QUANT_four(group + 4u), QUANT_four(group + 8u), QUANT_four(group + 12u));
}
