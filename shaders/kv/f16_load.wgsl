// Reads a KV row of F16: two elements per word.
fn KV_four(row: u32, i: u32) -> vec4<f32> {
    let a = KV_cache[row + i / 2u];
    let b = KV_cache[row + i / 2u + 1u];
    return vec4<f32>(
        f16_to_f32(a & 0xffffu), f16_to_f32(a >> 16u), f16_to_f32(b & 0xffffu), f16_to_f32(b >> 16u));
}

fn KV_one(row: u32, i: u32) -> f32 {
    return f16_to_f32((KV_cache[row + i / 2u] >> (i % 2u * 16u)) & 0xffffu);
}
