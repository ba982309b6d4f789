//! Foregate runs Mixture-of-Experts language models that do not fit in memory.
//!
//! The map of the crate, in the order data flows:
//!
//! - [`gguf`] reads model files: metadata, tensor directory, shards.
//! - [`tokenizer`] turns text into tokens and conversations into prompts.
//! - [`model`] knows architectures as data and holds the one forward pass.
//! - [`compute`] is what the forward pass runs on: the reference, the CPU, a GPU.
//! - [`quant`] has the block formats and their dot kernels.
//! - [`expert`] pages experts: the cache decides, the source reads, the pager joins them.
//! - [`generate`] plans memory, keeps a session, samples, streams.
//! - [`mod@bench`] sweeps cache sizes, policies and prefetching over prompts, and measures.
//! - [`tune`] looks for the setting that is fastest on a machine, and predicts others.
//! - [`report`] and [`cli`] are what a person sees.

pub mod bench;
pub mod cli;
pub mod compute;
mod digest;
pub mod error;
pub mod expert;
pub mod generate;
pub mod gguf;
pub mod model;
pub mod os;
pub mod quant;
pub mod report;
pub mod tokenizer;
pub mod tune;

pub use error::{Error, Result};
