// What matrix products share beside row_dot: the dot of a unit, and the sum over a workgroup's lanes.
// THREADS, ROWS (4) and COLS are constants that the host writes before this text.

var<workgroup> sums: array<vec4<f32>, THREADS * COLS>;
// Where each column's activations start in x.
var<private> x_base: array<u32, COLS>;

fn dot16(w: mat4x4<f32>, v: mat4x4<f32>) -> f32 {
    return dot(w[0], v[0]) + dot(w[1], v[1]) + dot(w[2], v[2]) + dot(w[3], v[3]);
}

// Sums over the lanes as a binary tree. Lane l < ROWS * COLS receives row l % ROWS of column l / ROWS.
fn reduce(acc: array<vec4<f32>, COLS>, lane: u32) -> f32 {
    var mine = acc;
    for (var c = 0u; c < COLS; c++) {
        sums[c * THREADS + lane] = mine[c];
    }
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if lane < half {
            for (var c = 0u; c < COLS; c++) {
                sums[c * THREADS + lane] += sums[c * THREADS + lane + half];
            }
        }
        workgroupBarrier();
    }
    let total = sums[min(lane / ROWS, COLS - 1u) * THREADS][lane % ROWS];
    workgroupBarrier();
    return total;
}
