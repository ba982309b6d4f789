//! Generation: the memory plan, the session, the sampler, stop rules, streaming. Prints nothing.

pub mod sampler;
pub mod stop;
