//! Predicts which experts the next layers will ask for: what it has learned, what was predicted, and how often that was
//! right. No I/O, no clock, no device.
//!
//! The gates themselves are computed by the forward pass (`model::lookahead`): the router of layer l + d on what is known
//! at layer l. Here stands what needs no device: priors for the first layers, which hardly a gate comes
//! before ([`TokenPrior`]), transitions between layers ([`Transition`]), which of the gate's two inputs serves this model better,
//! and [`Recall`]. Nothing of it is trained; all of it learns from the routing that it is shown.

mod prior;
mod recall;
mod transition;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub use self::prior::TokenPrior;
pub use self::recall::{Recall, RecallRow, totals};
pub use self::transition::Transition;

/// Layers ahead at most.
pub const LOOKAHEAD_MAX: usize = 3;
/// Tokens over which the gate's two inputs are compared.
const TRIAL_TOKENS: usize = 32;

/// How the experts of the next layers are predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictorKind {
    /// The next layers' routers, on whichever input predicts this model better over the first tokens.
    #[default]
    Gate,
    /// The next layers' norms and routers on the residual stream before this layer's FFN, the shared expert added.
    Residual,
    /// The next layers' routers on this layer's own normed FFN input ("Fate", arXiv 2502.12224).
    Fate,
    /// How often experts of one layer were followed by experts of another.
    Transition,
}

impl PredictorKind {
    /// All, with the names that they are asked for by.
    pub const ALL: [(&'static str, Self); 4] =
        [("gate", Self::Gate), ("residual", Self::Residual), ("fate", Self::Fate), ("transition", Self::Transition)];
}

impl fmt::Display for PredictorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.pad(name)
    }
}

impl FromStr for PredictorKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, kind)| *kind).ok_or_else(|| format!("`{text}` is none of {}", Self::ALL.map(|a| a.0).join(", ")))
    }
}

/// Where a prediction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// See [`PredictorKind::Residual`].
    Residual,
    /// See [`PredictorKind::Fate`].
    Fate,
    /// See [`PredictorKind::Transition`].
    Transition,
    /// The first layers' norms and routers on the token's embedding.
    Embedding,
    /// The experts that this token id chose the last times.
    Token,
    /// The layer's most used experts of late.
    Frequency,
    /// What the token before chose.
    Previous,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Residual => "residual",
            Self::Fate => "fate",
            Self::Transition => "transition",
            Self::Embedding => "embedding",
            Self::Token => "token",
            Self::Frequency => "frequency",
            Self::Previous => "previous",
        })
    }
}

/// A layer with routed experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutedLayer {
    /// Layer of the model, dense layers counted.
    pub layer: usize,
    /// Experts.
    pub experts: usize,
    /// Experts used per token.
    pub k: usize,
}

/// What is predicted for one layer, the likeliest first.
#[derive(Clone, Debug)]
struct Pending {
    method: Method,
    /// Layers ahead; `None` where nothing of this token was known.
    d: Option<usize>,
    layer: usize,
    ids: Vec<u32>,
}

/// The comparison of the gate's two inputs.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    tokens: usize,
    /// Whether the step in hand has been judged.
    judged: bool,
    residual_hits: u64,
    fate_hits: u64,
}

/// See the module.
pub struct Predictor {
    kind: PredictorKind,
    layers: Vec<RoutedLayer>,
    measuring: bool,
    /// `None` once it is decided.
    trial: Option<Trial>,
    gate: Method,
    tokens: Vec<u32>,
    token: TokenPrior,
    /// Of the layers that `token` knows.
    frequency: Vec<Vec<f32>>,
    transition: Option<Transition>,
    /// What the last token chose, by layer.
    previous: Vec<Vec<u32>>,
    pending: Vec<Pending>,
    recall: Recall,
}

/// How much of a layer's use frequency one token leaves.
const FREQUENCY_DECAY: f32 = 0.95;

impl Predictor {
    /// A predictor for these layers, in model order, of a model with `vocab` tokens.
    pub fn new(kind: PredictorKind, layers: Vec<RoutedLayer>, vocab: usize) -> Self {
        let first = &layers[..layers.len().min(LOOKAHEAD_MAX)];
        Self {
            kind,
            measuring: false,
            trial: (kind == PredictorKind::Gate).then(Trial::default),
            gate: if kind == PredictorKind::Fate { Method::Fate } else { Method::Residual },
            tokens: Vec::new(),
            token: TokenPrior::new(first, vocab),
            frequency: first.iter().map(|l| vec![0.0; l.experts]).collect(),
            transition: (kind == PredictorKind::Transition).then(|| Transition::new(&layers)),
            previous: layers.iter().map(|l| Vec::with_capacity(l.k)).collect(),
            pending: Vec::new(),
            recall: Recall::new(&layers),
            layers,
        }
    }

    /// Bytes that [`Predictor::new`] allocates for batches of up to `batch` tokens.
    pub fn bytes(kind: PredictorKind, layers: &[RoutedLayer], vocab: usize, batch: usize) -> u64 {
        let first = &layers[..layers.len().min(LOOKAHEAD_MAX)];
        let frequency: usize = first.iter().map(|l| 4 * l.experts).sum();
        let previous: usize = layers.iter().map(|l| 4 * l.k).sum();
        let transition = if kind == PredictorKind::Transition { Transition::bytes(layers, batch) } else { 0 };
        TokenPrior::bytes(first, vocab) + Recall::bytes(layers) + (frequency + previous + 4 * batch) as u64 + transition
    }

    /// The kind that was asked for.
    pub fn kind(&self) -> PredictorKind {
        self.kind
    }

    /// Predicts from now on by every method and at every distance, to count how often that is right.
    pub fn measure(&mut self, on: bool) {
        self.measuring = on;
    }

    /// See [`Predictor::measure`].
    pub fn is_measuring(&self) -> bool {
        self.measuring
    }

    /// What predictions are acted on.
    pub fn in_use(&self) -> Method {
        if self.kind == PredictorKind::Transition { Method::Transition } else { self.gate }
    }

    /// By what methods predictions are to be made at a layer that has been computed.
    pub fn methods(&self) -> &'static [Method] {
        use Method::{Fate, Residual, Transition};
        match (self.measuring, self.in_use()) {
            (true, Transition) => &[Residual, Fate, Transition],
            (true, _) => &[Residual, Fate],
            (false, _) if self.trial.is_some() => &[Residual, Fate],
            (false, Fate) => &[Fate],
            (false, Transition) => &[Transition],
            (false, _) => &[Residual],
        }
    }

    /// The first layers with experts, which the priors know.
    pub fn first_layers(&self) -> &[RoutedLayer] {
        &self.layers[..self.frequency.len()]
    }

    /// A step begins; what was predicted and not asked for since is forgotten.
    pub fn begin_step(&mut self, tokens: &[u32]) {
        self.pending.clear();
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
        if let Some(transition) = &mut self.transition {
            transition.begin_step();
        }
        if let Some(trial) = &mut self.trial {
            trial.tokens += usize::from(std::mem::take(&mut trial.judged));
            if trial.tokens >= TRIAL_TOKENS {
                self.gate = if trial.fate_hits > trial.residual_hits { Method::Fate } else { Method::Residual };
                self.trial = None;
            }
        }
    }

    /// What a prior says of a layer before the step's one token has been computed: at most `count` experts; none where it
    /// knows nothing.
    pub fn prior(&self, method: Method, layer: usize, count: usize) -> Vec<u32> {
        let (Some(at), &[token]) = (self.place(layer), &self.tokens[..]) else { return Vec::new() };
        match method {
            Method::Token => self.token.of(token, at, count),
            Method::Frequency => self.frequency.get(at).map_or_else(Vec::new, |uses| best(uses, count)),
            Method::Previous => self.previous[at].iter().copied().take(count).collect(),
            Method::Residual | Method::Fate | Method::Transition | Method::Embedding => Vec::new(),
        }
    }

    /// What usually follows at layer `to` the experts that layer `from` has chosen in this step; none where nothing is
    /// known.
    pub fn following(&self, from: usize, to: usize, count: usize) -> Vec<u32> {
        let at = self.place(from).zip(self.place(to));
        let scores = at.zip(self.transition.as_ref()).map(|((from, to), t)| t.scores(from, to));
        scores.map_or_else(Vec::new, |scores| best(&scores, count))
    }

    /// Remembers a prediction, made `d` layers ahead (`None`: before anything of the token was known), until the layer
    /// is asked for.
    pub fn expect(&mut self, method: Method, d: Option<usize>, layer: usize, ids: &[u32]) {
        self.pending.push(Pending { method, d, layer, ids: ids.to_vec() });
    }

    /// The router of `layer` chose `experts` `(tokens, k)`: what was predicted is judged, and all is learned.
    /// `is_missing` tells whether an expert would have to be read now had nobody predicted it.
    pub fn observe(&mut self, layer: usize, experts: &[u32], is_missing: &dyn Fn(u32) -> bool) {
        let Some(at) = self.place(layer) else { return };
        let RoutedLayer { k, .. } = self.layers[at];
        self.judge(at, experts, is_missing);
        for (&token, chosen) in self.tokens.iter().zip(experts.chunks_exact(k)) {
            self.token.learn(token, at, chosen);
            if let Some(uses) = self.frequency.get_mut(at) {
                uses.iter_mut().for_each(|u| *u *= FREQUENCY_DECAY);
                chosen.iter().for_each(|&e| uses[e as usize] += 1.0 - FREQUENCY_DECAY);
            }
        }
        if let Some(transition) = &mut self.transition {
            transition.learn(at, experts);
        }
        self.previous[at].clear();
        self.previous[at].extend(experts.chunks_exact(k).last().unwrap_or_default());
    }

    /// How often predictions were right so far.
    pub fn recall(&self) -> Vec<RecallRow> {
        self.recall.rows()
    }

    /// Counts the hits of what was predicted for a layer.
    fn judge(&mut self, at: usize, experts: &[u32], is_missing: &dyn Fn(u32) -> bool) {
        let RoutedLayer { layer, k, .. } = self.layers[at];
        // predictions are made for steps of one token
        if experts.len() != k || self.pending.is_empty() {
            return;
        }
        for p in self.pending.extract_if(.., |p| p.layer == layer) {
            let predicted = &p.ids[..k.min(p.ids.len())];
            let hits = self.recall.count(at, p.method, p.d, predicted, experts, is_missing);
            if let (Some(trial), Some(1..)) = (&mut self.trial, p.d) {
                match p.method {
                    Method::Residual => trial.residual_hits += hits,
                    Method::Fate => trial.fate_hits += hits,
                    _ => {}
                }
                trial.judged = true;
            }
        }
    }

    /// Where a layer of the model is in `layers`.
    fn place(&self, layer: usize) -> Option<usize> {
        self.layers.binary_search_by_key(&layer, |l| l.layer).ok()
    }
}

/// Indices of the largest scores above 0, at most `count`, the largest first, ties to the lower index.
fn best(scores: &[f32], count: usize) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..scores.len() as u32).filter(|&i| scores[i as usize] > 0.0).collect();
    ids.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
    ids.truncate(count);
    ids
}

#[cfg(test)]
mod tests;
