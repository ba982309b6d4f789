// Columns where 16 bytes hold a run of 32 weights, low nibbles first: unit = (run, half of its bytes).
fn QUANT_columns(unit: u32) -> vec4<u32> {
    let first = (unit / 2u) * 32u + (unit % 2u) * 8u;
    return vec4<u32>(first, first + 4u, first + 16u, first + 20u);
}
