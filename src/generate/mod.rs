//! Generation: the memory plan, the session, the sampler, stop rules, streaming. Prints nothing.

pub mod engine;
mod kept;
pub mod options;
pub mod perplexity;
pub mod plan;
pub mod planner;
pub mod profile;
pub mod sampler;
pub mod stats;
pub mod stop;
pub mod stream;
pub mod warm;
