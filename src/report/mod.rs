//! What a run did, as text and JSON.

pub mod bench;
pub mod html;
pub mod model;
pub mod plan;
pub mod run;
pub mod simulate;
pub mod tune;
pub mod units;
