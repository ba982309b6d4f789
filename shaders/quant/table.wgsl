// Four weights by table: a nibble names a signed byte of QUANT_TABLE.
fn QUANT_value(nibble: u32) -> f32 {
    return f32(extractBits(i32(QUANT_TABLE[nibble / 4u]), (nibble % 4u) * 8u, 8u));
}

fn QUANT_four(word: u32) -> vec4<f32> {
    let n = unpack4xU8(word & 0x0f0f0f0fu);
    return vec4<f32>(QUANT_value(n.x), QUANT_value(n.y), QUANT_value(n.z), QUANT_value(n.w));
}
