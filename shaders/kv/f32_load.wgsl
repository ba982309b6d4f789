// Reads a KV row of F32: one word per element.
fn KV_four(row: u32, i: u32) -> vec4<f32> {
    let w = row + i;
    return bitcast<vec4<f32>>(vec4<u32>(KV_cache[w], KV_cache[w + 1u], KV_cache[w + 2u], KV_cache[w + 3u]));
}

fn KV_one(row: u32, i: u32) -> f32 {
    return bitcast<f32>(KV_cache[row + i]);
}
