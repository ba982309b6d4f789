//! A memory plan as text.

use crate::generate::plan::Plan;
use crate::report::units::{bytes, percent};

/// A plan, one line per kind of content.
pub fn plan_text(plan: &Plan) -> String {
    let ceiling = match plan.vram {
        Some(vram) => format!("memory {}, GPU memory {}", bytes(plan.memory), bytes(vram)),
        None => format!("memory {}", bytes(plan.memory)),
    };
    let line = |name: &str, size: u64, what: String| format!("  {name:<18}{:>12}{what}\n", bytes(size));
    let mut text = format!("plan for {ceiling}:\n");
    text += &line("program", plan.process, String::new());
    text += &line("tokenizer", plan.tokenizer, String::new());
    text += &line("resident weights", plan.weights, String::new());
    text += &line("KV cache", plan.kv, format!("  {} tokens", plan.ctx));
    text += &line("activations", plan.activations, format!("  {} tokens together", plan.batch));
    if plan.staging > 0 {
        text += &line("staging", plan.staging, String::new());
    }
    if plan.experts > 0 {
        text += &line("expert cache", plan.slots, format!("  {}", cache_text(plan)));
    }
    text
}

/// Slots of a plan, and what share of the model that is.
pub fn cache_text(plan: &Plan) -> String {
    let slots = plan.slot_count();
    let cycles = slots as f64 / plan.cycle.max(1) as f64;
    let share = percent(slots as u64, plan.experts as u64);
    format!("{slots} slots: {share} of the experts, {cycles:.2} x those of one token")
}
