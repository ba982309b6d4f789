// Causal attention of one layer over its KV cache, one workgroup per (token, query head).
//
// Keys are taken in tiles of THREADS, aligned to position 0, with a running maximum and denominator (online softmax:
// Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). Within a tile a lane scores one key; then
// each lane sums a few columns of the values, keys in order. So a query's sums depend on positions only.
//
// Grid: (x, y) folded over tokens * heads.

// Twin: `AttentionParams` in src/compute/gpu/attention.rs.
struct Params {
    heads: u32,
    // Query heads per KV head.
    sharing: u32,
    key_dim: u32,
    value_dim: u32,
    // Elements of a row of queries and of the destination.
    query_row: u32,
    dst_row: u32,
    // Words of a cached row.
    key_row: u32,
    value_row: u32,
    // Elements from one KV head's values to the next: the key's where values are a prefix of the keys.
    value_stride: u32,
    pos: u32,
    tokens: u32,
    // Keys at q - window and before are hidden; 0 for none.
    window: u32,
    has_sinks: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read_write> dst: array<f32>;
@group(0) @binding(1) var<storage, read> query: array<f32>;
@group(0) @binding(2) var<storage, read> key_cache: array<u32>;
@group(0) @binding(3) var<storage, read> value_cache: array<u32>;
@group(0) @binding(4) var<storage, read> sinks: array<f32>;
var<immediate> p: Params;

// MAX_DIM, the largest head, is a constant that the host writes before this text.
const COLUMNS_PER_LANE = (MAX_DIM + THREADS - 1u) / THREADS;
const QUADS = THREADS / 4u;
const LOWEST = -3.0e38;

var<workgroup> q: array<vec4<f32>, MAX_DIM / 4u>;
// Of the tile's keys, four to an element; weights of hidden keys are 0.
var<workgroup> scores: array<vec4<f32>, QUADS>;
var<workgroup> weights: array<vec4<f32>, QUADS>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // groups past the end repeat the last job and write nothing: barriers must be reached by all
    let index = flat_group(group, groups);
    let job = min(index, p.tokens * p.heads - 1u);
    let token = job / p.heads;
    let head = job % p.heads;
    let kv_head = head / p.sharing;
    let last = p.pos + token;
    let first = select(0u, last + 1u - min(last + 1u, p.window), p.window != 0u);

    for (var i = lane; i < p.key_dim / 4u; i += THREADS) {
        let at = token * p.query_row + head * p.key_dim + i * 4u;
        q[i] = vec4<f32>(query[at], query[at + 1u], query[at + 2u], query[at + 3u]);
    }
    var highest = LOWEST;
    var total = 0.0;
    if p.has_sinks != 0u {
        highest = sinks[head];
        total = 1.0;
    }
    // columns lane, lane + THREADS, ...
    var acc: array<f32, COLUMNS_PER_LANE>;
    workgroupBarrier();

    for (var tile = first / THREADS; tile <= last / THREADS; tile++) {
        let key = tile * THREADS + lane;
        var score = LOWEST;
        if key >= first && key <= last {
            var sum = 0.0;
            for (var i = 0u; i < p.key_dim / 4u; i++) {
                sum += dot(q[i], key_four(key * p.key_row, kv_head * p.key_dim + i * 4u));
            }
            score = sum * p.scale;
        }
        scores[lane / 4u][lane % 4u] = score;
        workgroupBarrier();

        var quad = scores[0];
        for (var j = 1u; j < QUADS; j++) {
            quad = max(quad, scores[j]);
        }
        let higher = max(max(highest, max(quad.x, quad.y)), max(quad.z, quad.w));
        weights[lane / 4u][lane % 4u] = select(0.0, exp(max(score - higher, -100.0)), key >= first && key <= last);
        workgroupBarrier();

        let shrink = exp(max(highest - higher, -100.0));
        highest = higher;
        var sum = vec4<f32>();
        for (var j = 0u; j < QUADS; j++) {
            sum += weights[j];
        }
        total = total * shrink + ((sum.x + sum.y) + (sum.z + sum.w));
        let begin = max(first, tile * THREADS) % THREADS;
        let end = min(last - tile * THREADS, THREADS - 1u);
        for (var v = 0u; v * THREADS < p.value_dim; v++) {
            let column = min(v * THREADS + lane, p.value_dim - 1u);
            var value = 0.0;
            for (var j = begin; j <= end; j++) {
                let row = (tile * THREADS + j) * p.value_row;
                value += weights[j / 4u][j % 4u] * value_one(row, kv_head * p.value_stride + column);
            }
            acc[v] = acc[v] * shrink + value;
        }
    }
    if index != job {
        return;
    }
    for (var v = 0u; v * THREADS < p.value_dim; v++) {
        let column = v * THREADS + lane;
        if column < p.value_dim {
            dst[token * p.dst_row + head * p.value_dim + column] = acc[v] / total;
        }
    }
}
