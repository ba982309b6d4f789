//! The gpu device against plain arithmetic: every operation, every storage type, odd sizes, recycled memory.
//!
//! Without an adapter the tests print that they skip; with FOREGATE_REQUIRE_GPU=1 a missing adapter is a failure.

mod attention;
mod blocks;
mod device;
mod experts;
mod linear;
mod ops;

use foregate::compute::gpu::{GpuDevice, Selector};

/// Opens an adapter, or says that the test is skipped.
fn open() -> Option<GpuDevice> {
    match GpuDevice::open(Selector::Any, None) {
        Ok(device) => Some(device),
        Err(e) if std::env::var_os("FOREGATE_REQUIRE_GPU").is_some_and(|v| v == "1") => {
            panic!("FOREGATE_REQUIRE_GPU=1: {e}")
        }
        Err(e) => {
            println!("skipped: {e}");
            None
        }
    }
}

/// Numbers that look random and are the same on every run (SplitMix64: Steele, Lea, Flood, 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In -1 .. 1.
    fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }
}

/// Normalised mean squared error.
fn nmse(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let error: f64 = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).powi(2)).sum();
    let power: f64 = want.iter().map(|w| w * w).sum();
    error / power.max(f64::MIN_POSITIVE)
}

/// Asserts that `got` is `want` but for the rounding of f32 sums.
fn assert_close(got: &[f32], want: &[f64], what: &str) {
    let e = nmse(got, want);
    assert!(e < 1e-11, "{what}: nmse {e:e}");
}
