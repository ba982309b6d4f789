//! Which instructions the kernels use: found once at start, or named by `--cpu-features`.

#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512};
use super::simd::{Isa, Portable, Task};
use crate::error::{Error, Result};

/// A CPU level that this machine has: the tokens inside can only be made by detection. All levels give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuLevel {
    /// Plain code.
    Portable(Portable),
    /// AVX2 and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 VL and VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl CpuLevel {
    /// The names that [`CpuLevel::by_name`] knows, slowest first.
    pub const NAMES: [&'static str; 3] = ["portable", "avx2", "avx512"];

    /// The fastest level of this CPU.
    pub fn detect() -> Self {
        Self::available().next_back().expect("the portable level is always there")
    }

    /// The levels of this CPU, slowest first.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        Self::NAMES.into_iter().filter_map(Self::find)
    }

    fn find(name: &str) -> Option<Self> {
        match name {
            "portable" => Some(Self::Portable(Portable)),
            #[cfg(target_arch = "x86_64")]
            "avx2" => Avx2::detect().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            "avx512" => Avx512::detect().map(Self::Avx512),
            _ => None,
        }
    }

    /// The level of this name; an error where there is none of that name or this CPU lacks it.
    pub fn by_name(name: &str) -> Result<Self> {
        Self::find(name).ok_or_else(|| {
            let have: Vec<_> = Self::available().map(Self::name).collect();
            let why = if Self::NAMES.contains(&name) { "this CPU does not have it" } else { "no such level" };
            Error::Usage(format!("CPU features {name:?}: {why}; this CPU can use {}", have.join(", ")))
        })
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
        }
    }

    /// Runs `task` with this level's instructions.
    pub fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Portable(isa) => isa.vectorize(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(isa) => isa.vectorize(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(isa) => isa.vectorize(task),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_level_is_found_by_its_name() {
        for level in CpuLevel::available() {
            assert_eq!(CpuLevel::by_name(level.name()).unwrap(), level);
        }
        assert!(CpuLevel::available().any(|level| level == CpuLevel::detect()));
    }

    #[test]
    fn a_level_that_is_not_there_is_refused_with_those_that_are() {
        let error = CpuLevel::by_name("mmx").unwrap_err();
        assert!(error.is_usage());
        assert!(error.to_string().contains("portable"), "{error}");
    }
}
