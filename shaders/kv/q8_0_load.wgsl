// Reads a KV row of Q8_0: blocks of 32 elements in 9 words, the scale (already rounded to a half) as the bits of an f32,
// then the signed bytes.
fn KV_four(row: u32, i: u32) -> vec4<f32> {
    let block = row + i / 32u * 9u;
    return bitcast<f32>(KV_cache[block]) * vec4<f32>(unpack4xI8(KV_cache[block + 1u + i % 32u / 4u]));
}

fn KV_one(row: u32, i: u32) -> f32 {
    let block = row + i / 32u * 9u;
    let q = extractBits(i32(KV_cache[block + 1u + i % 32u / 4u]), i % 4u * 8u, 8u);
    return bitcast<f32>(KV_cache[block]) * f32(q);
}
