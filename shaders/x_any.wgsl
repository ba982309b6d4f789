// Activations of a matrix product whose rows or heads start anywhere.
@group(0) @binding(1) var<storage, read> x: array<f32>;

// Four activations of a column; those past the row's end are 0.
fn x4(base: u32, col: u32, cols: u32) -> vec4<f32> {
    var v = vec4<f32>();
    for (var i = 0u; i < 4u; i++) {
        if col + i < cols {
            v[i] = x[base + col + i];
        }
    }
    return v;
}
