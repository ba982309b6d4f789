// Copies head columns of one matrix to head columns of another; a source stride of 0 broadcasts one head to all.
// Grid: (x, y) folded over runs of THREADS elements of all rows and heads.

// Twin: `CopyParams` in src/compute/gpu/ops.rs.
struct Params {
    count: u32,
    heads: u32,
    width: u32,
    src_row: u32,
    src_offset: u32,
    src_stride: u32,
    dst_row: u32,
    dst_offset: u32,
    dst_stride: u32,
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
    let job = flat_group(group, groups) * THREADS + lane;
    if job >= p.count {
        return;
    }
    let i = job % p.width;
    let head = job / p.width % p.heads;
    let token = job / p.width / p.heads;
    let read_at = token * p.src_row + p.src_offset + head * p.src_stride + i;
    dst[token * p.dst_row + p.dst_offset + head * p.dst_stride + i] = src[read_at];
}
