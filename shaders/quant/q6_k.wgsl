// Q6_K, 256 weights in 53 words: [ql (32), qh (16), scales (4 words of signed bytes), d]. In each half of the block,
// weights l, l + 32, l + 64, l + 96 take the low nibbles of ql[l] and ql[l + 32], then their high nibbles, and the four
// bit pairs of qh[l]. Weight = d * scale * (q - 32), a scale per 16 weights.
const QUANT_LEN = 256u;
const QUANT_WORDS = 53u;
const QUANT_UNITS = 16u;

fn QUANT_run_scale(group: u32, i: u32) -> f32 {
    return f32(extractBits(i32(weights[group + 48u + i / 4u]), (i % 4u) * 8u, 8u));
}

fn QUANT_six(low: u32, high: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8((low & 0x0f0f0f0fu) | ((high & 0x03030303u) << 4u))) - vec4<f32>(32.0);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let half = unit / 8u;
    let at = unit % 8u;
    let d = f16_to_f32(weights[group + 52u] & 0xffffu);
    let a = weights[group + half * 16u + at];
    let b = weights[group + half * 16u + at + 8u];
    let high = weights[group + 32u + half * 8u + at];
    let scale = half * 8u + at / 4u;
    return mat4x4<f32>(
        QUANT_six(a, high) * (d * QUANT_run_scale(group, scale)),
        QUANT_six(b, high >> 2u) * (d * QUANT_run_scale(group, scale + 2u)),
        QUANT_six(a >> 4u, high >> 4u) * (d * QUANT_run_scale(group, scale + 4u)),
        QUANT_six(b >> 4u, high >> 6u) * (d * QUANT_run_scale(group, scale + 6u)));
}
