// Columns where 16 neighbouring weights make a unit.
fn QUANT_columns(unit: u32) -> vec4<u32> {
    return vec4<u32>(0u, 4u, 8u, 12u) + vec4<u32>(unit * 16u);
}
