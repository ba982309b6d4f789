// Q5_0, two blocks of 32 as 11 words: [d0 | d1 << 16, qh0, qh1, qs0 (4), qs1 (4)].
// Weight = d * (nibble + 16 * bit - 16), bit i of qh for weight i; low nibbles are a block's first half.
const QUANT_LEN = 64u;
const QUANT_WORDS = 11u;
const QUANT_UNITS = 4u;

fn QUANT_five(word: u32, high: u32) -> vec4<f32> {
    let bits = (vec4<u32>(high) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u);
    return vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu) + bits * 16u) - vec4<f32>(16.0);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let block = unit / 2u;
    let d = f16_to_f32((weights[group] >> (block * 16u)) & 0xffffu);
    let high = weights[group + 1u + block] >> ((unit % 2u) * 8u);
    let a = weights[group + 3u + unit * 2u];
    let b = weights[group + 4u + unit * 2u];
    return d * mat4x4<f32>(
        QUANT_five(a, high), QUANT_five(b, high >> 4u), QUANT_five(a >> 4u, high >> 16u), QUANT_five(b >> 4u, high >> 20u));
}
