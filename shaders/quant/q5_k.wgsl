// Q5_K, 256 weights in 44 words: [d | dmin << 16, scales (3), qh (8), qs (32)]. As Q4_K, with a fifth bit: bit i of qh[l]
// for weight l of run i.
const QUANT_LEN = 256u;
const QUANT_WORDS = 44u;
const QUANT_UNITS = 16u;

fn QUANT_four(word: u32, high: u32, scale: vec2<f32>) -> vec4<f32> {
    let q = unpack4xU8((word & 0x0f0f0f0fu) | ((high & 0x01010101u) << 4u));
    return vec4<f32>(q) * scale.x - vec4<f32>(scale.y);
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let dm = weights[group];
    let d = vec2<f32>(f16_to_f32(dm & 0xffffu), f16_to_f32(dm >> 16u));
    let run = (unit / 4u) * 2u;
    let s0 = d * QUANT_scale_min(group, run);
    let s1 = d * QUANT_scale_min(group, run + 1u);
    let ha = weights[group + 4u + (unit % 4u) * 2u] >> run;
    let hb = weights[group + 5u + (unit % 4u) * 2u] >> run;
    let a = weights[group + 12u + unit * 2u];
    let b = weights[group + 13u + unit * 2u];
    return mat4x4<f32>(
        QUANT_four(a, ha, s0), QUANT_four(b, hb, s0), QUANT_four(a >> 4u, ha >> 1u, s1), QUANT_four(b >> 4u, hb >> 1u, s1));
}
