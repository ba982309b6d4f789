// result = down h (* scale + bias) for all jobs whose slots stand in one slab; a use is the row of h and of the result.
//
// Grid: (x, y) folded over row groups, z = tile.

// Twin: `DownParams` in src/compute/gpu/expert_params.rs.
struct Params {
    cols: u32,
    rows: u32,
    // Words from a slot's start to its down matrix, and words per row.
    start: u32,
    row_words: u32,
    // Where this call's tiles and uses start in the plan.
    tiles: u32,
    uses: u32,
    // Bit 0: bias, bit 1: scale; elements per row of the bias.
    has: u32,
    bias_row: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
// Binding 1 is x, the h of expert_gate_up, in x_any or x_fours.
// As in expert_gate_up.
@group(0) @binding(2) var<storage, read> plan: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> result: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = flat_group(group, groups) * ROWS;
    let tile = p.tiles + group.z * 4u;
    let slot = plan[tile];
    let expert = plan[tile + 1u];
    let uses = p.uses + plan[tile + 2u];
    let n_cols = plan[tile + 3u];
    for (var c = 0u; c < COLS; c++) {
        x_base[c] = plan[uses + min(c, n_cols - 1u)] * p.cols;
    }
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(p.rows - 1u));
    var value = reduce(down_dot_rows(vec4<u32>(slot + p.start) + rows * p.row_words, p.cols, n_cols, lane), lane);

    let r = row + lane % ROWS;
    let c = lane / ROWS;
    if c < n_cols && r < p.rows {
        if (p.has & 2u) != 0u {
            value *= scale[expert];
        }
        if (p.has & 1u) != 0u {
            value += bias[expert * p.bias_row + r];
        }
        result[plan[uses + c] * p.rows + r] = value;
    }
}
