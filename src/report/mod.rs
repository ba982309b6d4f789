//! What a run did, as text and JSON.

pub mod run;
pub mod units;
