// x *= factor, one factor per row: itself or its sigmoid.
// Grid: (x, y) folded over runs of THREADS elements.

// Twin: `ScaleParams` in src/compute/gpu/ops.rs.
struct Params {
    count: u32,
    row: u32,
    // 1: the factor is sigmoid(factors[row]).
    sigmoid: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
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
    var factor = factors[i / p.row];
    if p.sigmoid != 0u {
        factor = sigmoid(factor);
    }
    x[i] *= factor;
}
