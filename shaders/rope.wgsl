// Rotates pairs of elements of each head, in place: neighbours (2i, 2i+1), or halves (i, i + n/2).
// Row t of the table is [cos; sin] of half a head's width each.
// Grid: (x, y) folded over runs of THREADS pairs of all rows and heads.

// Twin: `RopeParams` in src/compute/gpu/ops.rs.
struct Params {
    pairs: u32,
    row: u32,
    heads: u32,
    stride: u32,
    offset: u32,
    // Half the width of a head.
    half: u32,
    neox: u32,
    table_row: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let job = flat_group(group, groups) * THREADS + lane;
    if job >= p.pairs {
        return;
    }
    let i = job % p.half;
    let head = job / p.half % p.heads;
    let token = job / p.half / p.heads;
    let base = token * p.row + p.offset + head * p.stride;
    let a = base + select(2u * i, i, p.neox != 0u);
    let b = select(a + 1u, a + p.half, p.neox != 0u);
    let c = table[token * p.table_row + i];
    let s = table[token * p.table_row + p.half + i];
    let va = x[a];
    let vb = x[b];
    x[a] = va * c - vb * s;
    x[b] = va * s + vb * c;
}
