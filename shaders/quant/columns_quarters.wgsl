// Columns where a byte holds bits of weights l, l + 32, l + 64 and l + 96 of a half of the block: unit = (half, l / 4).
fn QUANT_columns(unit: u32) -> vec4<u32> {
    return vec4<u32>(0u, 32u, 64u, 96u) + vec4<u32>((unit / 8u) * 128u + (unit % 8u) * 4u);
}
