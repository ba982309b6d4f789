// Activations of a matrix product whose rows and heads start at multiples of four: a quarter of the loads.
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;

// Four activations of a column; those past the row's end are 0.
fn x4(base: u32, col: u32, cols: u32) -> vec4<f32> {
    let present = vec4<u32>(col, col + 1u, col + 2u, col + 3u) < vec4<u32>(cols);
    return select(vec4<f32>(), x[(base + col) / 4u], present);
}
