// The heart of every matrix product: four neighbouring rows times up to COLS activation columns, by one workgroup.
//
// Instantiated per weight matrix: QUANT_ becomes a name of its own, and the snippet of the matrix's storage type
// (quant/*.wgsl) stands before it. The snippet says, for a group of QUANT_LEN weights in QUANT_WORDS words, what unit u
// (16 weights, as four runs of four) decodes to and at which columns its runs start.
//
// Each lane takes every THREADS-th unit of the row, in order, whatever the number of columns: an element's sum has one
// order for all batch sizes.

fn QUANT_dot_rows(rows: vec4<u32>, cols: u32, n_cols: u32, lane: u32) -> array<vec4<f32>, COLS> {
    var acc: array<vec4<f32>, COLS>;
    let units = (cols + QUANT_LEN - 1u) / QUANT_LEN * QUANT_UNITS;
    for (var i = lane; i < units; i += THREADS) {
        let group = i / QUANT_UNITS;
        let unit = i % QUANT_UNITS;
        let offset = vec4<u32>(group * QUANT_WORDS) + rows;
        let w0 = QUANT_unit(offset.x, unit);
        let w1 = QUANT_unit(offset.y, unit);
        let w2 = QUANT_unit(offset.z, unit);
        let w3 = QUANT_unit(offset.w, unit);
        let at = QUANT_columns(unit) + vec4<u32>(group * QUANT_LEN);
        for (var c = 0u; c < COLS; c++) {
            if c < n_cols {
                let b = x_base[c];
                let v = mat4x4<f32>(x4(b, at.x, cols), x4(b, at.y, cols), x4(b, at.z, cols), x4(b, at.w, cols));
                acc[c] += vec4<f32>(dot16(w0, v), dot16(w1, v), dot16(w2, v), dot16(w3, v));
            }
        }
    }
    return acc;
}
