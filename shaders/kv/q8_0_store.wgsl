// Writes a KV row as Q8_0: scale = largest magnitude / 127, rounded to a half; bytes rounded to nearest. See q8_0_load.
const KV_RUN = 32u;
const KV_WORDS = 9u;

fn store_run(word: u32, first: u32, count: u32) {
    var largest = 0.0;
    for (var i = 0u; i < count; i++) {
        largest = max(largest, abs(src[first + i]));
    }
    let d = largest / 127.0;
    let inverse = select(1.0 / d, 0.0, d == 0.0);
    cache[word] = bitcast<u32>(f16_to_f32(f32_to_f16(d)));
    for (var w = 0u; w < 8u; w++) {
        var packed = 0u;
        for (var b = 0u; b < 4u; b++) {
            let i = w * 4u + b;
            if i < count {
                let q = clamp(i32(round(src[first + i] * inverse)), -127, 127);
                packed |= (bitcast<u32>(q) & 0xffu) << (b * 8u);
            }
        }
        cache[word + 1u + w] = packed;
    }
}
