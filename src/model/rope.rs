//! Rotary position embedding: scaling modes, frequency factors, and the table of cosines and sines of a step.
//!
//! Source of the formulas: the YaRN paper (Peng et al., 2023) in the form that GGUF files are made for: angles come from
//! a chain of f32 multiplications, and the constants 32 and 1 bound the ramp.

use crate::error::{Error, Result};
use crate::gguf::{Gguf, Quoted};
use crate::model::arch::{Architecture, AttentionKind, RopeFactors};

/// Rotary embedding of a model.
#[derive(Clone, Debug)]
pub struct RopeConfig {
    /// Rotated elements of a head.
    pub n_rot: usize,
    /// Angles of most layers.
    pub turn: Turn,
    /// Angles of sliding layers where they differ.
    pub turn_sliding: Option<Turn>,
    /// Interpolation: 1 / scaling factor.
    pub scale: f32,
    /// Per pair: divides the angle.
    pub factors: Option<Vec<f32>>,
    /// Multiplies cosines and sines.
    pub magnitude: f32,
    /// The square of this multiplies the attention scale (multi-head latent attention); else 1.
    pub score_magnitude: f32,
}

/// How fast each pair turns.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Base of the angles.
    pub base: f32,
    /// Per pair: 1 = the angle is interpolated (times `scale`), 0 = it is left as it is.
    pub ramp: Vec<f32>,
}

/// The ramp's ends: pairs that turn more often than this over the original context keep their angle ...
const FAST_TURNS: f32 = 32.0;
/// ... and pairs that turn less often than this are interpolated in full.
const SLOW_TURNS: f32 = 1.0;

/// Scaling factors below this are broken files: their inverse leaves the range of positions.
const FACTOR_MIN: f32 = 1e-6;

impl RopeConfig {
    /// Reads the `rope.*` keys and factor tensors; `ctx` is the allocated context.
    pub fn read(gguf: &Gguf, arch: &Architecture, n_rot: usize, ctx_train: usize, ctx: usize) -> Result<Self> {
        let meta = gguf.metadata();
        let key = |k: &str| format!("{}.rope.{k}", arch.name);
        let wrong = |k: &str, what: String| meta.error(&key(k), what);
        let number = |k: &str| -> Result<Option<f32>> {
            match meta.f32(&key(k))? {
                Some(v) if !v.is_finite() || v < 0.0 => Err(wrong(k, format!("{v} is not a number from 0 up"))),
                v => Ok(v),
            }
        };
        // 0 stands for the default; angles must stay numbers
        let at_least = |k: &str, least: f32| match number(k)?.filter(|&v| v != 0.0) {
            Some(v) if v < least => Err(wrong(k, format!("{v} is below {least}"))),
            v => Ok(v),
        };
        let base = at_least("freq_base", 1.0)?.unwrap_or(10_000.0);
        let factor = at_least("scaling.factor", FACTOR_MIN)?.or(at_least("scale_linear", FACTOR_MIN)?);
        let attn_factor = number("scaling.attn_factor")?.filter(|&a| a != 0.0).unwrap_or(1.0);
        let n_orig = meta.u32(&key("scaling.original_context_length"))?.filter(|&n| n != 0);
        let n_orig = n_orig.map_or(ctx_train, |n| n as usize);
        let kind = meta.str(&key("scaling.type"))?.unwrap_or("linear");
        let base_sliding = if arch.window_and_sinks { at_least("freq_base_swa", 1.0)? } else { None };
        // the ramp follows from the base too
        let turn = |base| Turn {
            base,
            ramp: if kind == "yarn" { yarn_ramp(n_rot, n_orig, base) } else { vec![1.0; n_rot / 2] },
        };
        let mut rope = Self {
            n_rot,
            turn: turn(base),
            turn_sliding: base_sliding.map(turn),
            scale: factor.map_or(1.0, |f| 1.0 / f),
            factors: factors(gguf, arch, n_rot, n_orig, ctx)?,
            magnitude: attn_factor,
            score_magnitude: attn_factor,
        };
        let f = factor.unwrap_or(1.0);
        let ln_f = if f > 1.0 { f.ln() } else { 0.0 };
        let log_multiplier = meta.f32(&key("scaling.yarn_log_multiplier"))?.unwrap_or(0.0);
        if !log_multiplier.is_finite() {
            return Err(wrong("scaling.yarn_log_multiplier", format!("{log_multiplier} is not a finite number")));
        }
        match kind {
            "none" => rope.scale = 1.0,
            "linear" | "longrope" => {
                if f != 1.0 {
                    rope.score_magnitude *= (1.0 + 0.1 * ln_f) * (1.0 + log_multiplier * ln_f);
                }
            }
            "yarn" => {
                if arch.attention == AttentionKind::Mla && log_multiplier != 0.0 {
                    rope.score_magnitude *= 1.0 + log_multiplier * ln_f;
                } else {
                    rope.magnitude *= 1.0 + 0.1 * ln_f;
                    rope.score_magnitude = rope.magnitude;
                }
            }
            other => {
                return Err(wrong(
                    "scaling.type",
                    format!("{} is none of none, linear, yarn, longrope", Quoted(other)),
                ));
            }
        }
        if arch.attention != AttentionKind::Mla {
            rope.score_magnitude = 1.0;
        }
        Ok(rope)
    }

    /// Rows of `[cos; sin]` (each `n_rot / 2`) for positions `pos .. pos + n`.
    pub fn table(&self, pos: usize, n: usize, sliding: bool) -> Vec<f32> {
        let half = self.n_rot / 2;
        let turn = self.turn_sliding.as_ref().filter(|_| sliding).unwrap_or(&self.turn);
        let step = turn.base.powf(-2.0 / self.n_rot as f32);
        let mut rows = vec![0.0; n * self.n_rot];
        for (t, row) in rows.chunks_exact_mut(self.n_rot.max(1)).enumerate() {
            let (cos, sin) = row.split_at_mut(half);
            let mut theta = (pos + t) as f32;
            for i in 0..half {
                let angle = theta / self.factors.as_ref().map_or(1.0, |f| f[i]);
                let turned = self.scale * angle * turn.ramp[i] + angle * (1.0 - turn.ramp[i]);
                cos[i] = turned.cos() * self.magnitude;
                sin[i] = turned.sin() * self.magnitude;
                theta *= step;
            }
        }
        rows
    }
}

/// 1 for pairs that are interpolated in full, 0 for those that keep their angle, a straight line between.
fn yarn_ramp(n_rot: usize, n_orig: usize, base: f32) -> Vec<f32> {
    let corner =
        |turns: f32| n_rot as f32 * (n_orig as f32 / (turns * 2.0 * std::f32::consts::PI)).ln() / (2.0 * base.ln());
    let low = corner(FAST_TURNS).floor().max(0.0);
    let high = corner(SLOW_TURNS).ceil().min(n_rot as f32 - 1.0);
    (0..n_rot / 2)
        .map(|i| {
            let kept = 1.0 - ((i as f32 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
            1.0 - kept
        })
        .collect()
}

fn factors(gguf: &Gguf, arch: &Architecture, n_rot: usize, n_orig: usize, ctx: usize) -> Result<Option<Vec<f32>>> {
    let name = match arch.rope_factors {
        RopeFactors::None => return Ok(None),
        RopeFactors::Freqs => "rope_freqs.weight",
        // contexts are allocated in steps of 256 positions
        RopeFactors::LongShort if ctx.next_multiple_of(256) > n_orig => "rope_factors_long.weight",
        RopeFactors::LongShort => "rope_factors_short.weight",
    };
    let Some(info) = gguf.tensor(name) else { return Ok(None) };
    let values = super::read_f32(gguf, info)?;
    if values.len() != n_rot / 2 {
        let what = format!("tensor {name}: {} factors for {} rotated pairs", values.len(), n_rot / 2);
        return Err(Error::file(gguf.path(), what));
    }
    if let Some(bad) = values.iter().find(|v| !v.is_finite() || **v == 0.0) {
        return Err(Error::file(gguf.path(), format!("tensor {name}: {bad} cannot divide an angle")));
    }
    Ok(Some(values))
}
