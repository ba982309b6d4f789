//! Elementwise functions of the CPU device, written so that every CPU computes the same bits: no library calls whose
//! last bit depends on the platform, sums in fixed lanes. The compiler vectorises them for the level they run at.

use crate::compute::Activation;
use crate::quant::CpuLevel;
use crate::quant::simd::{Isa, Task};

/// `e^x`, within 2 units in the last place; 0 below -87.3, infinity above 88.7, NaN for NaN.
///
/// Range reduction to `2^n * e^r` with |r| <= ln 2 / 2, then a polynomial of degree 7 (the Taylor terms to 1/5040; the
/// remainder is below 2^-27).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts: n * HIGH is exact for |n| < 2^9
    const HIGH: f32 = 0.693_359_4;
    const LOW: f32 = -2.121_944_4e-4;
    // adding and taking away 1.5 * 2^23 rounds to the nearest integer
    const ROUND: f32 = 12_582_912.0;
    let n = (x * LOG2_E + ROUND) - ROUND;
    let r = (x - n * HIGH) - n * LOW;
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    // two factors, so that 2^n may lie outside the normal range
    let half = (n as i32) >> 1;
    let power = |e: i32| f32::from_bits(((e + 127) as u32) << 23);
    let y = p * power(half.clamp(-100, 100)) * power((n as i32 - half).clamp(-100, 100));
    let y = if x < -87.3 { 0.0 } else { y };
    if x > 88.7 { f32::INFINITY } else { y }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

struct RmsNorm<'a> {
    x: &'a mut [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    eps: f32,
}

impl Task for RmsNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, _: S) {
        // eight f64 lanes, reduced in a fixed order
        let mut lanes = [0f64; 8];
        let chunks = self.x.chunks_exact(8);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &v) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(v) * f64::from(v);
            }
        }
        for (lane, &v) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(v) * f64::from(v);
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        let squares = ((a + e) + (c + g)) + ((b + f) + (d + h));
        let factor = 1.0 / ((squares / self.x.len() as f64) as f32 + self.eps).sqrt();
        for (v, w) in self.x.iter_mut().zip(self.weight) {
            *v = *v * factor * w;
        }
        if let Some(bias) = self.bias {
            self.x.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
        }
    }
}

/// `x / sqrt(mean(x^2) + eps) * weight (+ bias)`.
pub fn rms_norm(level: CpuLevel, x: &mut [f32], weight: &[f32], bias: Option<&[f32]>, eps: f32) {
    level.run(RmsNorm { x, weight, bias, eps });
}

struct Glu<'a> {
    activation: Activation,
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl Task for Glu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, _: S) {
        match self.activation {
            Activation::SwiGlu => {
                for (g, &u) in self.gate.iter_mut().zip(self.up) {
                    *g = *g * sigmoid(*g) * u;
                }
            }
            Activation::SwiGluOai { alpha, limit } => {
                for (g, &u) in self.gate.iter_mut().zip(self.up) {
                    let (gate, up) = (g.min(limit), u.max(-limit).min(limit));
                    *g = gate * sigmoid(alpha * gate) * (up + 1.0);
                }
            }
        }
    }
}

/// `gate = activation(gate, up)`.
pub fn glu(level: CpuLevel, activation: Activation, gate: &mut [f32], up: &[f32]) {
    level.run(Glu { activation, gate, up });
}

struct Softmax<'a> {
    scores: &'a mut [f32],
    scale: f32,
    sink: Option<f32>,
}

impl Task for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, _: S) {
        let mut max = self.sink.unwrap_or(f32::NEG_INFINITY);
        for s in self.scores.iter_mut() {
            *s *= self.scale;
            max = if *s > max { *s } else { max };
        }
        for s in self.scores.iter_mut() {
            *s = exp(*s - max);
        }
        // one f64 sum, first to last: the number of scores grows with the position, so lanes would move with it
        let mut sum = self.sink.map_or(0.0, |s| f64::from(exp(s - max)));
        for &s in self.scores.iter() {
            sum += f64::from(s);
        }
        let factor = (1.0 / sum) as f32;
        self.scores.iter_mut().for_each(|s| *s *= factor);
    }
}

/// Softmax of `scores * scale` in place; a sink joins the maximum and the denominator.
pub fn softmax(level: CpuLevel, scores: &mut [f32], scale: f32, sink: Option<f32>) {
    level.run(Softmax { scores, scale, sink });
}

struct AddScaled<'a> {
    y: &'a mut [f32],
    x: &'a [f32],
    factor: f32,
}

impl Task for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, _: S) {
        self.y.iter_mut().zip(self.x).for_each(|(y, x)| *y += x * self.factor);
    }
}

/// `y += x * factor`.
pub fn add_scaled(level: CpuLevel, y: &mut [f32], x: &[f32], factor: f32) {
    level.run(AddScaled { y, x, factor });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let mut x = -87.0f32;
        while x < 88.0 {
            let (got, want) = (exp(x), f64::from(x).exp() as f32);
            let ulps = (got.to_bits() as i64 - want.to_bits() as i64).abs();
            assert!(ulps <= 2, "exp({x}) = {got}, not {want}: {ulps} units away");
            x += 0.001_37;
        }
    }

    #[test]
    fn exp_at_the_ends() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-100.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(100.0), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn every_level_computes_the_same_bits() {
        let x: Vec<f32> = (0..203).map(|i| ((i * 37 % 101) as f32 - 50.0) / 9.0).collect();
        let up: Vec<f32> = x.iter().rev().copied().collect();
        let run = |level| {
            let (mut g, mut s, mut r) = (x.clone(), x.clone(), x.clone());
            glu(level, Activation::SwiGlu, &mut g, &up);
            softmax(level, &mut s, 0.7, Some(0.3));
            rms_norm(level, &mut r, &up, None, 1e-6);
            [g, s, r].concat().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        let all: Vec<_> = CpuLevel::available().map(run).collect();
        assert!(all.iter().all(|bits| bits == &all[0]));
    }

    #[test]
    fn a_sink_takes_its_share() {
        let mut scores = [0.0, 0.0];
        softmax(CpuLevel::detect(), &mut scores, 1.0, Some(0.0));
        assert!(scores.iter().all(|s| (s - 1.0 / 3.0).abs() < 1e-7));
    }
}
