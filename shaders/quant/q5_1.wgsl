// Q5_1, one block of 32 as 6 words: [d | m << 16, qh, qs (4)]. Weight = d * (nibble + 16 * bit) + m, bit i of qh for
// weight i; low nibbles are the first half.
const QUANT_LEN = 32u;
const QUANT_WORDS = 6u;
const QUANT_UNITS = 2u;

fn QUANT_five(word: u32, high: u32) -> vec4<f32> {
    let bits = (vec4<u32>(high) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u);
    return vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu) + bits * 16u);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let dm = weights[group];
    let d = f16_to_f32(dm & 0xffffu);
    let m = vec4<f32>(f16_to_f32(dm >> 16u));
    let high = weights[group + 1u] >> (unit * 8u);
    let a = weights[group + 2u + unit * 2u];
    let b = weights[group + 3u + unit * 2u];
    return mat4x4<f32>(
        QUANT_five(a, high) * d + m, QUANT_five(b, high >> 4u) * d + m,
        QUANT_five(a >> 4u, high >> 16u) * d + m, QUANT_five(b >> 4u, high >> 20u) * d + m);
}
