// dst = activation(src = gate, up) on the first columns of each row; the activation itself is activation.wgsl, which the expert
// shader shares.
// Grid: (x, y) folded over runs of THREADS elements.

// Twin: `GluParams` in src/compute/gpu/ops.rs.
struct Params {
    count: u32,
    width: u32,
    // Elements of a row.
    gate_row: u32,
    up_row: u32,
    dst_row: u32,
    kind: u32,
    alpha: f32,
    limit: f32,
}

@group(0) @binding(2) var<storage, read> up: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * THREADS + lane;
    if i < p.count {
        let row = i / p.width;
        let column = i % p.width;
        let gate = src_at(row * p.gate_row + column);
        dst[row * p.dst_row + column] = activate(gate, up[row * p.up_row + column], p.kind, p.alpha, p.limit);
    }
}
