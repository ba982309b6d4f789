// The function between an FFN's first and second half. Kind 0: silu(gate) * up. Kind 1, as gpt-oss has it:
// g = min(gate, limit), u = clamp(up, -limit, limit), g * sigmoid(alpha * g) * (u + 1).

fn sigmoid(v: f32) -> f32 {
    // exp of a large argument overflows to infinity on some adapters and is undefined on others
    return 1.0 / (1.0 + exp(min(-v, 88.0)));
}

fn activate(gate: f32, up: f32, kind: u32, alpha: f32, limit: f32) -> f32 {
    if kind == 0u {
        return gate * sigmoid(gate) * up;
    }
    let g = min(gate, limit);
    let u = clamp(up, -limit, limit);
    return g * sigmoid(alpha * g) * (u + 1.0);
}
