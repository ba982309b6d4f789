// Helpers that every shader is given. No shader needs the f16 feature: halves are decoded by integer arithmetic, so that
// subnormal scales survive an adapter that flushes subnormals to zero.

fn f16_to_f32(half: u32) -> f32 {
    let sign = (half & 0x8000u) << 16u;
    let mantissa = half & 0x3ffu;
    let exponent = half & 0x7c00u;
    let normal = ((half & 0x7fffu) << 13u) + 0x38000000u;
    let special = 0x7f800000u | (mantissa << 13u);
    let subnormal = bitcast<u32>(f32(mantissa) * 5.9604644775390625e-8); // 2^-24
    let magnitude = select(select(normal, special, exponent == 0x7c00u), subnormal, exponent == 0u);
    return bitcast<f32>(sign | magnitude);
}

// Rounds to the nearest half, ties to even.
fn f32_to_f16(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    let sign = (bits >> 16u) & 0x8000u;
    let magnitude = bits & 0x7fffffffu;
    if magnitude > 0x7f800000u {
        return sign | 0x7e00u;
    }
    if magnitude >= 0x47800000u {
        return sign | 0x7c00u;
    }
    if magnitude < 0x38800000u {
        return sign | u32(round(abs(value) * 16777216.0)); // 2^24
    }
    let rebased = magnitude - 0x38000000u;
    return sign | ((rebased + 0xfffu + ((rebased >> 13u) & 1u)) >> 13u);
}

// Position in a grid of workgroups that the host folded into two dimensions.
fn flat_group(id: vec3<u32>, count: vec3<u32>) -> u32 {
    return id.x + id.y * count.x;
}
