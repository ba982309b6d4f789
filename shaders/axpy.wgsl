// dst += src * factor, element by element. Grid: (x, y) folded over runs of THREADS elements.

// Twin: `AxpyParams` in src/compute/gpu/ops.rs.
struct Params {
    count: u32,
    factor: f32,
}

@group(0) @binding(0) var<storage, read_write> dst: array<f32>;
@group(0) @binding(1) var<storage, read> src: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * THREADS + lane;
    if i < p.count {
        dst[i] += src[i] * p.factor;
    }
}
