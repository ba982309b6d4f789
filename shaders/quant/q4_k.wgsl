// Q4_K, 256 weights in 36 words: [d | dmin << 16, scales (3), qs (32)]. 32 bytes of qs hold two runs of 32 weights, low
// nibbles first; run i has scale and minimum of 6 bits: weight = d * scale * q - dmin * minimum.
const QUANT_LEN = 256u;
const QUANT_WORDS = 36u;
const QUANT_UNITS = 16u;

fn QUANT_four(word: u32, scale: vec2<f32>) -> vec4<f32> {
    return vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu)) * scale.x - vec4<f32>(scale.y);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let dm = weights[group];
    let d = vec2<f32>(f16_to_f32(dm & 0xffffu), f16_to_f32(dm >> 16u));
    let run = (unit / 4u) * 2u;
    let s0 = d * QUANT_scale_min(group, run);
    let s1 = d * QUANT_scale_min(group, run + 1u);
    let a = weights[group + 4u + unit * 2u];
    let b = weights[group + 5u + unit * 2u];
    return mat4x4<f32>(QUANT_four(a, s0), QUANT_four(b, s0), QUANT_four(a >> 4u, s1), QUANT_four(b >> 4u, s1));
}
