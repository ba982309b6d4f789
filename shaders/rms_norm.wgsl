// x / sqrt(mean(x^2) + eps) * weight (+ bias), per head of a row. One workgroup per (row, head).
// Grid: (x, y) folded over rows * heads.

// Twin: `NormParams` in src/compute/gpu/ops.rs.
struct Params {
    // Elements of a row, in source and destination.
    src_row: u32,
    dst_row: u32,
    heads: u32,
    stride: u32,
    offset: u32,
    width: u32,
    rows: u32,
    has_bias: u32,
    eps: f32,
}

@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
var<immediate> p: Params;

var<workgroup> squares: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = flat_group(group, groups);
    // groups past the end repeat the last one's sum and write nothing: barriers must be reached by all
    let job = min(index, p.rows * p.heads - 1u);
    let row = job / p.heads;
    let column = p.offset + job % p.heads * p.stride;
    let read_at = row * p.src_row + column;
    let write_at = row * p.dst_row + column;

    var sum = 0.0;
    if index == job {
        for (var i = lane; i < p.width; i += THREADS) {
            let v = src_at(read_at + i);
            sum += v * v;
        }
    }
    squares[lane] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if lane < half {
            squares[lane] += squares[lane + half];
        }
        workgroupBarrier();
    }
    let factor = 1.0 / sqrt(squares[0] / f32(p.width) + p.eps);
    if index != job {
        return;
    }
    for (var i = lane; i < p.width; i += THREADS) {
        var v = src_at(read_at + i) * factor * weight[i];
        if p.has_bias != 0u {
            v += bias[i];
        }
        dst[write_at + i] = v;
    }
}
