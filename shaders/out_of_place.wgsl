// Prelude of shaders that read one activation matrix and write another.
@group(0) @binding(0) var<storage, read_write> dst: array<f32>;
@group(0) @binding(1) var<storage, read> src: array<f32>;

fn src_at(i: u32) -> f32 {
    return src[i];
}
