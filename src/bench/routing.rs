//! What the recorded routing tells: use of each expert, the bound on hit rates, who was in the cache at the end.

use serde::Serialize;

use crate::error::Result;
use crate::expert::ExpertId;
use crate::expert::cache::Counts;
use crate::expert::replay::{self, PhaseCounts, Requests, Selection, locality};
use crate::expert::trace::{Event, Trace};

/// Hit rate in decode of a cache that knows the future and reads on demand alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// Slots, in one pool.
    pub slots: usize,
    /// Of all experts.
    pub share: f64,
    /// Requests of new tokens.
    pub requests: u64,
    /// Those that hit.
    pub hits: u64,
    /// The quotient; `None` without requests.
    pub hit_rate: Option<f64>,
    /// Bytes of the misses, per new token.
    pub bytes_per_token: Option<f64>,
}

/// One layer's experts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerUse {
    /// Layer of the model.
    pub layer: u32,
    /// How many tokens, of prompts and answers, each expert was chosen for.
    pub uses: Vec<u64>,
    /// Experts that had a slot at the end of the untimed run, ascending.
    pub resident: Vec<u32>,
}

/// The routing of all prompts and answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Routing {
    /// Configuration of the untimed run, whose cache is shown.
    pub configuration: String,
    /// By layer with experts.
    pub layers: Vec<LayerUse>,
    /// Share of a new token's experts that the token before it used at the same layer.
    pub next_token_reuse: Option<f64>,
}

/// How often each expert was used.
pub fn routing(trace: &Trace, residents: &[ExpertId], configuration: String) -> Routing {
    let mut layers: Vec<LayerUse> = trace
        .layers
        .iter()
        .map(|shape| {
            let mut resident: Vec<u32> =
                residents.iter().filter(|id| id.layer == shape.layer).map(|id| id.index).collect();
            resident.sort_unstable();
            LayerUse { layer: shape.layer, uses: vec![0; shape.count], resident }
        })
        .collect();
    for recorded in &trace.events {
        let Event::Routed(routed) = &recorded.event else { continue };
        if let Some(layer) = layers.iter_mut().find(|l| l.layer == routed.layer) {
            routed.chosen.iter().for_each(|&e| layer.uses[e as usize] += 1);
        }
    }
    let decode = Requests::new(trace, Selection::Decode, 0);
    Routing { configuration, layers, next_token_reuse: locality::next_token_reuse(&decode) }
}

/// The bound at each number of slots.
///
/// # Errors
/// No slots.
pub fn bounds(trace: &Trace, slots: &[usize]) -> Result<Vec<Bound>> {
    let requests = Requests::new(trace, Selection::All, 0);
    let tokens = Requests::new(trace, Selection::Decode, 0).tokens;
    let bound = |&slots: &usize| {
        let layers = replay::run_by_layer(&requests, slots, &|shape| replay::belady(&requests, shape))?;
        let read =
            layers.iter().zip(&trace.expert_bytes).map(|(layer, bytes)| layer.decode.misses * bytes).sum::<u64>();
        let Counts { requests: asked, hits, .. } = PhaseCounts::total(&layers).decode;
        let hit_rate = (asked > 0).then(|| hits as f64 / asked as f64);
        let bytes_per_token = (tokens > 0).then(|| read as f64 / tokens as f64);
        let share = slots as f64 / requests.experts().max(1) as f64;
        Ok(Bound { slots, share, requests: asked, hits, hit_rate, bytes_per_token })
    };
    slots.iter().map(bound).collect()
}
