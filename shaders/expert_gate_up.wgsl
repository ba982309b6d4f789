// h = activation(gate x, up x) for all jobs whose slots stand in one slab: rows in groups of four, one tile of up to COLS
// uses of one expert per workgroup. A use is token * k + rank; it is the row of h.
//
// Grid: (x, y) folded over row groups, z = tile.

// Twin: `GateUpParams` in src/compute/gpu/expert_params.rs.
struct Params {
    cols: u32,
    rows: u32,
    k: u32,
    // Elements of a row of x.
    x_row: u32,
    // Words from a slot's start to its gate and up matrix, and words per row.
    gate_start: u32,
    gate_row: u32,
    up_start: u32,
    up_row: u32,
    // Where this call's tiles and uses start in the plan.
    tiles: u32,
    uses: u32,
    // Bit 0: biases, bit 1: gate scale, bit 2: up scale; elements per row of the two biases.
    has: u32,
    gate_bias_row: u32,
    up_bias_row: u32,
    kind: u32,
    alpha: f32,
    limit: f32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
// Binding 1 is x, in x_any or x_fours.
// Tiles of four words: slot's first word, expert, first use, number of uses; then the uses.
@group(0) @binding(2) var<storage, read> plan: array<u32>;
@group(0) @binding(3) var<storage, read> gate_bias: array<f32>;
@group(0) @binding(4) var<storage, read> up_bias: array<f32>;
@group(0) @binding(5) var<storage, read> gate_scale: array<f32>;
@group(0) @binding(6) var<storage, read> up_scale: array<f32>;
@group(0) @binding(7) var<storage, read_write> h: array<f32>;
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
        x_base[c] = plan[uses + min(c, n_cols - 1u)] / p.k * p.x_row;
    }
    let rows = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(p.rows - 1u));
    let gate_rows = vec4<u32>(slot + p.gate_start) + rows * p.gate_row;
    let up_rows = vec4<u32>(slot + p.up_start) + rows * p.up_row;
    var gate = reduce(gate_dot_rows(gate_rows, p.cols, n_cols, lane), lane);
    var up = reduce(up_dot_rows(up_rows, p.cols, n_cols, lane), lane);

    let r = row + lane % ROWS;
    let c = lane / ROWS;
    if c < n_cols && r < p.rows {
        if (p.has & 2u) != 0u {
            gate *= gate_scale[expert];
        }
        if (p.has & 4u) != 0u {
            up *= up_scale[expert];
        }
        if (p.has & 1u) != 0u {
            gate += gate_bias[expert * p.gate_bias_row + r];
            up += up_bias[expert * p.up_bias_row + r];
        }
        h[plan[uses + c] * p.rows + r] = activate(gate, up, p.kind, p.alpha, p.limit);
    }
}
