// Writes a KV row as F16, rounded to nearest even: two elements per word. Widths are multiples of 4.
const KV_RUN = 4u;
const KV_WORDS = 2u;

fn store_run(word: u32, first: u32, count: u32) {
    cache[word] = f32_to_f16(src[first]) | (f32_to_f16(src[first + 1u]) << 16u);
    cache[word + 1u] = f32_to_f16(src[first + 2u]) | (f32_to_f16(src[first + 3u]) << 16u);
}
