//! What stands beside the weights of a file: scales and biases that are applied, ignored or refused, and hyper-parameters
//! that no model has. The fixtures are changed in copies.

#[path = "common/gguf_builder.rs"]
mod builder;
mod common;

use std::path::{Path, PathBuf};

use builder::{Builder, V};
use common::{Dir, foregate};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/models/{name}.gguf"))
}

/// Logits of a few tokens, or the one line that says why there are none.
fn logits(model: &Builder) -> Result<Vec<u8>, String> {
    let dir = Dir::new();
    let path = model.write(dir.path(), "changed.gguf");
    let run = foregate(["logits", "--ids", "1,2,3,4,5", "--device", "reference"]).arg(path).run();
    match run.output.status.code() {
        Some(0) => Ok(run.output.stdout.clone()),
        _ => {
            let said = run.stderr();
            let error = said.lines().find(|l| l.starts_with("error: ")).unwrap_or_else(|| panic!("{said}"));
            Err(error.to_owned())
        }
    }
}

/// What a tensor of one value, 0.5, does.
#[derive(Debug, PartialEq)]
enum Effect {
    Applied,
    Ignored,
    Refused,
}

#[test]
fn scales_and_biases_are_applied_ignored_or_refused_as_the_architecture_says() {
    use Effect::*;
    for (model, tensor, count, effect) in [
        ("qwen3moe", "blk.0.attn_q.scale", 1, Applied),
        ("qwen3moe", "blk.1.attn_output.scale", 1, Applied),
        ("qwen3moe", "blk.0.attn_q.input_scale", 1, Ignored),
        ("qwen3moe", "blk.0.ffn_gate_inp.scale", 1, Refused),
        ("qwen3moe", "output.scale", 1, Refused),
        ("olmoe", "blk.0.ffn_gate_exps.scale", 0, Ignored),
        ("olmoe", "blk.0.ffn_up_exps.bias", 1, Refused),
        ("qwen2moe", "blk.0.ffn_gate_shexp.scale", 1, Ignored),
        ("deepseek2", "blk.0.ffn_gate.scale", 1, Ignored),
        ("deepseek2", "blk.1.ffn_down_shexp.scale", 1, Ignored),
        ("deepseek2", "blk.0.attn_output.scale", 1, Applied),
        ("deepseek2", "blk.0.attn_kv_a_mqa.scale", 1, Refused),
        ("deepseek2", "blk.0.ffn_gate.bias", 1, Refused),
    ] {
        let sound = Builder::from_file(&fixture(model));
        let experts = || sound.keys.iter().find(|(k, _)| k.ends_with(b".expert_count")).map(|(_, v)| v.clone());
        let count = match (count, experts()) {
            (0, Some(V::U32(n))) => n as usize,
            _ => 1,
        };
        let before = logits(&sound).unwrap_or_else(|e| panic!("{model}: {e}"));
        let got = match logits(&sound.clone().floats(tensor, &vec![0.5; count])) {
            Ok(after) if after == before => Ignored,
            Ok(_) => Applied,
            Err(e) => {
                assert!(e.contains(tensor), "{model}: {e}");
                Refused
            }
        };
        assert_eq!(got, effect, "{model}: {tensor}");
    }
}

#[test]
fn hyper_parameters_that_no_model_has_are_refused_by_name() {
    for (model, key, value) in [
        ("qwen3moe", "attention.layer_norm_rms_epsilon", V::F32(-1e30)),
        ("qwen3moe", "attention.layer_norm_rms_epsilon", V::F32(f32::NAN)),
        ("qwen3moe", "attention.causal", V::Bool(false)),
        ("qwen3moe", "rope.freq_base", V::F32(1e-45)),
        ("qwen3moe", "rope.scaling.factor", V::F32(1e-45)),
        ("qwen3moe", "rope.scaling.type", V::str("spiral")),
        ("qwen3moe", "rope.dimension_count", V::U32(0)),
        ("qwen3moe", "rope.dimension_count", V::U32(7)),
        ("llama", "rope.dimension_count", V::U32(2)),
        ("qwen3moe", "expert_used_count", V::U32(1000)),
        ("deepseek2", "rope.scaling.yarn_log_multiplier", V::F32(f32::INFINITY)),
    ] {
        let key = format!("{model}.{key}");
        let error = logits(&Builder::from_file(&fixture(model)).with(&key, value.clone())).expect_err(&key);
        assert!(error.contains(&format!("{key} (at byte ")), "{value:?}: {error}");
    }
}
