// Writes a KV row as F32: one word per element.
const KV_RUN = 4u;
const KV_WORDS = 4u;

fn store_run(word: u32, first: u32, count: u32) {
    for (var i = 0u; i < count; i++) {
        cache[word + i] = bitcast<u32>(src[first + i]);
    }
}
