// Columns and scales of Q4_K and Q5_K: 32 bytes hold two runs of 32 weights, low nibbles first.
fn QUANT_columns(unit: u32) -> vec4<u32> {
    let first = (unit / 4u) * 64u + (unit % 4u) * 8u;
    return vec4<u32>(first, first + 4u, first + 32u, first + 36u);
}

// Scale and minimum of run i, 6 bits each: bytes i and i + 4 for i < 4; beyond, the nibbles of byte i + 4 and, above
// them, the two high bits of bytes i - 4 and i.
fn QUANT_scale_min(group: u32, i: u32) -> vec2<f32> {
    let shift = (i % 4u) * 8u;
    let a = weights[group + 1u] >> shift;
    let b = weights[group + 2u] >> shift;
    let c = weights[group + 3u] >> shift;
    let low = vec2<u32>(a & 63u, b & 63u);
    let high = vec2<u32>((c & 15u) | ((a >> 2u) & 48u), ((c >> 4u) & 15u) | ((b >> 2u) & 48u));
    return vec2<f32>(select(low, high, i >= 4u));
}
