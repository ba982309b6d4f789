//! `tune`: how a model runs fastest on this machine.
//!
//! One untimed run records the routing. Two sizes of the cache are timed and calibrate a model of the machine, in which the
//! recorded routing is run on a virtual clock ([`forecast`]): it tells what is worth trying, and tokens per second at
//! sizes that are not run. What is tried is timed in mirrored order (A B B A) and its answers are compared, and only what
//! is faster each time is taken (`rounds`, `steps`).

pub mod forecast;
mod rounds;
pub mod search;
mod steps;
pub mod trial;
