// Stores keys or values of some tokens in a layer's cache, one row per position; kv/*_store.wgsl has the format.
// Grid: (x, y) folded over runs of THREADS jobs; a job is one run of KV_RUN elements.

// Twin: `StoreParams` in src/compute/gpu/attention.rs.
struct Params {
    width: u32,
    // Elements of a row of the source, words of a cached row.
    src_row: u32,
    row_words: u32,
    pos: u32,
    tokens: u32,
}

@group(0) @binding(0) var<storage, read_write> cache: array<u32>;
@group(0) @binding(1) var<storage, read> src: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let job = flat_group(group, groups) * THREADS + lane;
    let runs = (p.width + KV_RUN - 1u) / KV_RUN;
    let token = job / runs;
    if token >= p.tokens {
        return;
    }
    let first = job % runs * KV_RUN;
    let word = (p.pos + token) * p.row_words + job % runs * KV_WORDS;
    store_run(word, token * p.src_row + first, min(KV_RUN, p.width - first));
}
