// Q4_1, one block of 32 as 5 words: [d | m << 16, qs (4)]. Weight = d * nibble + m; low nibbles are the first half.
const QUANT_LEN = 32u;
const QUANT_WORDS = 5u;
const QUANT_UNITS = 2u;

fn QUANT_weights(word: u32, d: f32, m: f32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu)) * d + vec4<f32>(m);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let dm = weights[group];
    let d = f16_to_f32(dm & 0xffffu);
    let m = f16_to_f32(dm >> 16u);
    let a = weights[group + 1u + unit * 2u];
    let b = weights[group + 2u + unit * 2u];
    return mat4x4<f32>(
        QUANT_weights(a, d, m), QUANT_weights(b, d, m), QUANT_weights(a >> 4u, d, m), QUANT_weights(b >> 4u, d, m));
}
