//! Policies that give each expert a score and evict the lowest: the bookkeeping that they share.
//!
//! Decay lowers all scores of a layer by one factor, so it never changes who is first inside a layer. Residents are
//! therefore ordered by layer, under a key that decay does not touch; a second order holds the first of each layer, and
//! a visit to a layer moves that layer's entry alone. Requests and victims cost O(log n).
//!
//! A score is kept as its value at its last change and the visit at which that was. Two experts with the same history
//! have bit-equal scores, whatever their layers, so ties are exact. Scores are compared by their logarithms, which do
//! not underflow however long an expert is left alone.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::{EvictionPolicy, PolicyShape};
use crate::expert::ExpertId;
use crate::expert::cache::Request;

/// What a visit to a layer leaves of its experts' scores.
const KEEP: f64 = 0.9;
/// What a use adds to a decayed score: an expert used at every visit tends to 1.
const GAIN: f64 = 0.1;

/// Powers of [`KEEP`] as repeated multiplication gives them on any machine, up to the last that is not zero.
static POWERS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    std::iter::successors(Some(1.0), |p| Some(p * KEEP)).take_while(|p| *p >= f64::MIN_POSITIVE).collect()
});

/// A score or a key with a total order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Real(pub f64);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// When an expert of another layer goes first: the smaller key, whatever is not `kept` before what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub kept: bool,
    pub value: Real,
}

/// What makes one scored policy differ from another.
pub(super) trait Rule: Send {
    /// The policy's name.
    const NAME: &'static str;
    /// Whether it asks for [`Request::scores`], and a request changes the scores of all experts of its layer.
    const ALL_SCORES: bool = false;

    /// Enters a request into the scores of its layer.
    fn learn(&mut self, scores: &mut LayerScores, request: &Request<'_>) {
        scores.decayed_use(request);
    }

    /// The layer at `position` of the class is visited: how many layers, counted back from it, have new keys.
    fn visit(&mut self, _position: usize) -> usize {
        1
    }

    /// The key of an expert whose score has the logarithm `ln_score`, until its layer is visited again.
    fn key(&self, position: usize, ln_score: f64) -> Key;
}

/// The score of one expert at the layer's visit number `visit`.
#[derive(Clone, Copy, Default)]
struct Score {
    value: f64,
    visit: u64,
    /// Order of the last request; 0 before the first.
    tick: u64,
}

/// The scores of one layer.
pub(super) struct LayerScores {
    layer: u32,
    visits: u64,
    experts: Vec<Score>,
}

impl LayerScores {
    /// Each token is a visit, which lowers all scores and raises those of the experts it uses.
    pub(super) fn decayed_use(&mut self, request: &Request<'_>) {
        for chosen in per_token(request) {
            self.visits += 1;
            for &index in chosen {
                self.raise(index, GAIN);
            }
        }
    }

    /// Each token is a visit, which lowers all scores and raises each by its expert's probability.
    pub(super) fn decayed_probability(&mut self, probabilities: &[f32]) {
        for row in probabilities.chunks_exact(self.experts.len()) {
            self.visits += 1;
            for (index, &p) in (0..).zip(row) {
                self.raise(index, GAIN * f64::from(p));
            }
        }
    }

    /// Counts each token's use of an expert, for good.
    pub(super) fn count(&mut self, request: &Request<'_>) {
        for &index in request.chosen {
            self.raise(index, 1.0);
        }
    }

    fn raise(&mut self, index: u32, by: f64) {
        let value = self.value(index) + by;
        let score = &mut self.experts[index as usize];
        (score.value, score.visit) = (value, self.visits);
    }

    fn value(&self, index: u32) -> f64 {
        let score = &self.experts[index as usize];
        let age = usize::try_from(self.visits - score.visit).unwrap_or(usize::MAX);
        score.value * POWERS.get(age).copied().unwrap_or(0.0)
    }

    fn ln_score(&self, index: u32) -> f64 {
        let score = &self.experts[index as usize];
        score.value.ln() + (self.visits - score.visit) as f64 * KEEP.ln()
    }

    /// Where the expert stands among those of its layer, until its score is raised.
    fn place(&self, index: u32) -> Place {
        let score = &self.experts[index as usize];
        Place { key: Real(score.value.ln() - score.visit as f64 * KEEP.ln()), tick: score.tick, index }
    }
}

/// The experts of each token.
fn per_token<'a>(request: &Request<'a>) -> impl Iterator<Item = &'a [u32]> {
    let k = request.chosen.len() / request.tokens.max(1);
    request.chosen.chunks(k.max(1))
}

/// An expert among those of its layer: the lowest score goes first, then the least recent, then the lowest index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: Real,
    tick: u64,
    index: u32,
}

/// An expert among those of all layers: by key, then the least recent, then the lowest id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: Key,
    tick: u64,
    id: ExpertId,
}

struct Layer {
    scores: LayerScores,
    residents: BTreeSet<Place>,
    /// The first of the residents, as it stands in [`Scored::heads`].
    head: Option<Entry>,
}

/// A policy by score.
pub(super) struct Scored<R> {
    rule: R,
    layers: Vec<Layer>,
    /// Place in `layers`, by layer of the model.
    positions: BTreeMap<u32, usize>,
    /// The head of each layer that has residents, and the layer's place.
    heads: BTreeMap<Entry, usize>,
    tick: u64,
}

impl<R: Rule> Scored<R> {
    /// A policy that knows nothing yet.
    pub(super) fn with_rule(shape: &PolicyShape, rule: R) -> Self {
        let layer = |&(layer, count): &(u32, usize)| Layer {
            scores: LayerScores { layer, visits: 0, experts: vec![Score::default(); count] },
            residents: BTreeSet::new(),
            head: None,
        };
        Self {
            rule,
            layers: shape.layers.iter().map(layer).collect(),
            positions: (0..).zip(&shape.layers).map(|(position, &(layer, _))| (layer, position)).collect(),
            heads: BTreeMap::new(),
            tick: 0,
        }
    }

    fn position(&self, layer: u32) -> usize {
        *self.positions.get(&layer).expect("the cache asks a policy about layers of its class only")
    }

    fn entry(&self, position: usize, place: Place) -> Entry {
        let scores = &self.layers[position].scores;
        Entry {
            key: self.rule.key(position, scores.ln_score(place.index)),
            tick: place.tick,
            id: ExpertId { layer: scores.layer, index: place.index },
        }
    }

    /// Brings the layer's head up to date.
    fn refresh(&mut self, position: usize) {
        let head = self.layers[position].residents.first().map(|&place| self.entry(position, place));
        let before = std::mem::replace(&mut self.layers[position].head, head);
        if before != head {
            before.and_then(|entry| self.heads.remove(&entry));
            self.heads.extend(head.map(|entry| (entry, position)));
        }
    }

    /// The first evictable expert of a layer.
    fn first_of(&self, position: usize, evictable: &dyn Fn(ExpertId) -> bool) -> Option<Entry> {
        let Layer { scores, residents, .. } = &self.layers[position];
        let place = residents.iter().find(|place| evictable(ExpertId { layer: scores.layer, index: place.index }))?;
        Some(self.entry(position, *place))
    }

    /// Experts of each layer, in their layer's order, in the order in which they would leave if all were residents.
    fn merged(&self, layers: Vec<Vec<Place>>) -> Vec<ExpertId> {
        let mut rest: Vec<_> = layers.into_iter().map(Vec::into_iter).collect();
        let next = |position: usize, rest: &mut Vec<std::vec::IntoIter<Place>>| {
            rest[position].next().map(|place| (self.entry(position, place), position))
        };
        let mut heads: BTreeMap<_, _> = (0..rest.len()).filter_map(|position| next(position, &mut rest)).collect();
        let mut order = Vec::new();
        while let Some((entry, position)) = heads.pop_first() {
            order.push(entry.id);
            heads.extend(next(position, &mut rest));
        }
        order
    }
}

impl<R: Rule> EvictionPolicy for Scored<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn wants_scores(&self) -> bool {
        R::ALL_SCORES
    }

    fn request(&mut self, request: &Request<'_>) {
        let position = self.position(request.layer);
        let Layer { scores, residents, .. } = &mut self.layers[position];
        let changed: Vec<u32> = if R::ALL_SCORES {
            std::mem::take(residents).into_iter().map(|place| place.index).collect()
        } else {
            request.distinct.iter().copied().filter(|&index| residents.remove(&scores.place(index))).collect()
        };
        self.rule.learn(scores, request);
        for &index in request.distinct {
            self.tick += 1;
            scores.experts[index as usize].tick = self.tick;
        }
        residents.extend(changed.into_iter().map(|index| scores.place(index)));
        let layers = self.layers.len();
        for back in 0..self.rule.visit(position).min(layers) {
            self.refresh((position + layers - back) % layers);
        }
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        for id in ids {
            let position = self.position(id.layer);
            let Layer { scores, residents, .. } = &mut self.layers[position];
            residents.insert(scores.place(id.index));
            self.refresh(position);
        }
    }

    fn remove(&mut self, id: ExpertId) {
        let position = self.position(id.layer);
        let Layer { scores, residents, .. } = &mut self.layers[position];
        residents.remove(&scores.place(id.index));
        self.refresh(position);
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        let mut best: Option<Entry> = None;
        // What cannot be evicted belongs to the layer that is being served: one layer is searched beyond its head.
        for (&head, &position) in &self.heads {
            if best.is_some_and(|best| best < head) {
                break;
            }
            let first = if evictable(head.id) { Some(head) } else { self.first_of(position, evictable) };
            best = best.into_iter().chain(first).min();
        }
        best.map(|entry| entry.id)
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.merged(self.layers.iter().map(|layer| layer.residents.iter().copied().collect()).collect())
    }

    fn memory(&self) -> Vec<(ExpertId, f32)> {
        let known = |Layer { scores, .. }: &Layer| {
            let indices = (0..scores.experts.len() as u32).filter(|&index| scores.experts[index as usize].value > 0.0);
            let mut places: Vec<_> = indices.map(|index| scores.place(index)).collect();
            places.sort_unstable();
            places
        };
        let order = self.merged(self.layers.iter().map(known).collect());
        let score = |id: ExpertId| self.layers[self.position(id.layer)].scores.value(id.index) as f32;
        order.into_iter().map(|id| (id, score(id))).collect()
    }
}
