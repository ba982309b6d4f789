// Prelude of the same shaders where source and destination are one matrix: it is bound once.
@group(0) @binding(0) var<storage, read_write> dst: array<f32>;

fn src_at(i: u32) -> f32 {
    return dst[i];
}
