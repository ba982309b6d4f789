// dst = activation(src = gate, up), element by element; the activation itself is activation.wgsl, which the expert
// shader shares.
// Grid: (x, y) folded over runs of THREADS elements.

// Twin: `GluParams` in src/compute/gpu/ops.rs.
struct Params {
    count: u32,
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
        dst[i] = activate(src_at(i), up[i], p.kind, p.alpha, p.limit);
    }
}
