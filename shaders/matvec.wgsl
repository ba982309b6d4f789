// y = (W x) * scale + bias for one part of a stack of matrices: rows in groups of four, one head per matrix, COLS tokens
// per workgroup.
//
// Grid: (x, y) folded over row groups of a matrix, z = tile of tokens * heads + head.

// Twin: `LinearParams` in src/compute/gpu/linear.rs.
struct Params {
    cols: u32,
    // Rows of one matrix that this part holds, and its first row within the matrix.
    rows: u32,
    first_row: u32,
    row_words: u32,
    heads: u32,
    // First token of this dispatch, and the number of tokens.
    first: u32,
    tokens: u32,
    x_row: u32,
    x_offset: u32,
    x_stride: u32,
    y_row: u32,
    y_offset: u32,
    y_stride: u32,
    has_bias: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
// Binding 1 is x, in x_any or x_fours.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = flat_group(group, groups) * ROWS;
    let head = group.z % p.heads;
    let token = p.first + group.z / p.heads * COLS;
    let n_cols = min(COLS, p.tokens - token);
    for (var c = 0u; c < COLS; c++) {
        x_base[c] = (token + c) * p.x_row + p.x_offset + head * p.x_stride;
    }
    // a group past the end, or a row past the end of the last group, computes the last row again and keeps quiet
    let last = vec4<u32>(p.rows - 1u);
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), last) + vec4<u32>(head * p.rows);
    let acc = w_dot_rows(rows * p.row_words, p.cols, n_cols, lane);
    let total = reduce(acc, lane);

    let r = row + lane % ROWS;
    let c = lane / ROWS;
    if c < n_cols && r < p.rows {
        var value = total * p.scale;
        if p.has_bias != 0u {
            value += bias[p.first_row + r];
        }
        y[(token + c) * p.y_row + p.y_offset + head * p.y_stride + p.first_row + r] = value;
    }
}
