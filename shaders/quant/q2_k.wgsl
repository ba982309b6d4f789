// Q2_K, 256 weights in 21 words: [scales (4), qs (16), d | dmin << 16]. A byte of qs holds weights l, l + 32, l + 64 and
// l + 96 of its half of the block; 16 weights share a scale byte: weight = d * (low nibble) * q - dmin * (high nibble).
const QUANT_LEN = 256u;
const QUANT_WORDS = 21u;
const QUANT_UNITS = 16u;

fn QUANT_four(group: u32, word: u32, scale: u32, d: f32, dmin: f32) -> vec4<f32> {
    let byte = (weights[group + scale / 4u] >> ((scale % 4u) * 8u)) & 0xffu;
    return vec4<f32>(unpack4xU8(word & 0x03030303u)) * (d * f32(byte & 15u)) - vec4<f32>(dmin * f32(byte >> 4u));
}

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let dm = weights[group + 20u];
    let d = f16_to_f32(dm & 0xffffu);
    let dmin = f16_to_f32(dm >> 16u);
    let q = weights[group + 4u + unit];
    let scale = (unit / 8u) * 8u + (unit % 8u) / 4u;
    return mat4x4<f32>(
        QUANT_four(group, q, scale, d, dmin), QUANT_four(group, q >> 2u, scale + 2u, d, dmin),
        QUANT_four(group, q >> 4u, scale + 4u, d, dmin), QUANT_four(group, q >> 6u, scale + 6u, d, dmin));
}
