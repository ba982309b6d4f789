// MXFP4, four blocks of 32 as 17 words: [e0 e1 e2 e3, qs0 (4), qs1 (4), qs2 (4), qs3 (4)]. Weight = e2m1 * 2^(e - 127); low
// nibbles are a block's first half.
const QUANT_LEN = 128u;
const QUANT_WORDS = 17u;
const QUANT_UNITS = 8u;

// e2m1 times two, as signed bytes: 0 1 2 3, 4 6 8 12, 0 -1 -2 -3, -4 -6 -8 -12.
const QUANT_TABLE = vec4<u32>(0x03020100u, 0x0c080604u, 0xfdfeff00u, 0xf4f8fafcu);

fn QUANT_unit(group: u32, unit: u32) -> mat4x4<f32> {
    let e = (weights[group] >> ((unit / 2u) * 8u)) & 0xffu;
    // 2^(e - 128), the half that the doubled table asks for. The two that are subnormal come in two steps, so that an
    // adapter that flushes subnormals loses only products that are subnormal themselves.
    let d = bitcast<f32>((max(e, 2u) - 1u) << 23u);
    let rest = select(1.0, select(0.5, 0.25, e == 0u), e < 2u);
    let a = weights[group + 1u + unit * 2u];
    let b = weights[group + 2u + unit * 2u];
    return mat4x4<f32>(QUANT_four(a) * d * rest, QUANT_four(b) * d * rest, QUANT_four(a >> 4u) * d * rest, QUANT_four(b >> 4u) * d * rest);
}
