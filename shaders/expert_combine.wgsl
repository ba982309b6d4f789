// out[t] = sum over ranks of weight * result[t * k + rank], in the router's order.
// Grid: (x, y) folded over runs of THREADS elements.

// Twin: `CombineParams` in src/compute/gpu/expert_params.rs.
struct Params {
    count: u32,
    width: u32,
    k: u32,
    // Elements of a row of the destination.
    dst_row: u32,
    // Where the (tokens, k) weights start in the plan, as the bits of f32.
    weights: u32,
}

@group(0) @binding(0) var<storage, read_write> dst: array<f32>;
@group(0) @binding(1) var<storage, read> result: array<f32>;
@group(0) @binding(2) var<storage, read> plan: array<u32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * THREADS + lane;
    if i >= p.count {
        return;
    }
    let token = i / p.width;
    let column = i % p.width;
    var sum = 0.0;
    for (var rank = 0u; rank < p.k; rank++) {
        let use_row = token * p.k + rank;
        sum += bitcast<f32>(plan[p.weights + use_row]) * result[use_row * p.width + column];
    }
    dst[token * p.dst_row + column] = sum;
}
