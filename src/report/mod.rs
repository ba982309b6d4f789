//! What a run did, as text and JSON.

pub mod units;
