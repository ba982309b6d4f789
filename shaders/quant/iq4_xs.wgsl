// IQ4_XS, 256 weights in 34 words: [d | scales_h << 16, scales_l, qs (32)]. Run i of 32 weights has a scale of 6 bits, minus
// 32: nibble i of scales_l and, above it, bit pair i of scales_h. Weight = d * scale * table[nibble]; low nibbles are a
// run's first half.
const QUANT_LEN = 256u;
const QUANT_WORDS = 34u;
const QUANT_UNITS = 16u;

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let run = unit / 2u;
    let head = weights[group];
    let low = (weights[group + 1u] >> (run * 4u)) & 15u;
    let high = (head >> (16u + run * 2u)) & 3u;
    let d = f16_to_f32(head & 0xffffu) * f32(i32(low | (high << 4u)) - 32);
    let a = weights[group + 2u + unit * 2u];
    let b = weights[group + 3u + unit * 2u];
    return d * mat4x4<f32>(QUANT_four(a), QUANT_four(b), QUANT_four(a >> 4u), QUANT_four(b >> 4u));
}
