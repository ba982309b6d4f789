//! The router's choice: probabilities, groups, top-k, weights. Done on the host, the same code for every device.

/// How router logits become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gating {
    /// Over all experts, before the choice.
    Softmax,
    /// Each expert apart.
    Sigmoid,
    /// Over the chosen experts' logits.
    SoftmaxChosen,
    /// `sqrt(softplus(x))`.
    SqrtSoftplus,
}

/// One layer's routing rule.
#[derive(Clone, Debug)]
pub struct RouteRule {
    /// Experts in the layer.
    pub experts: usize,
    /// Experts used per token.
    pub k: usize,
    /// Logits to probabilities.
    pub gating: Gating,
    /// Added to the probabilities for the choice only (`exp_probs_b`).
    pub selection_bias: Option<Vec<f32>>,
    /// Divide the chosen weights by their sum.
    pub normalise: bool,
    /// Multiplies the weights.
    pub scale: f32,
    /// `(groups, groups used)`: runs of neighbouring experts compete by the sum of their two best values.
    pub groups: Option<(usize, usize)>,
}

/// The chosen experts of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routing {
    /// Experts per token.
    pub k: usize,
    /// Expert ids `(n, k)`, best first.
    pub experts: Vec<u32>,
    /// Their weights `(n, k)`.
    pub weights: Vec<f32>,
}

/// The smallest sum that chosen weights are divided by: the smallest normal f16, 2^-14.
const MIN_WEIGHT_SUM: f32 = 6.103_515_6e-5;

/// Chooses experts for `n` rows of logits `(n, rule.experts)`. Equal selection values go to the lower id.
///
/// With `forced` ids `(n, k)` the choice is theirs and the weights are computed from these logits as usual.
pub fn choose(logits: &[f32], n: usize, rule: &RouteRule, forced: Option<&[u32]>) -> Routing {
    let mut routing =
        Routing { k: rule.k, experts: Vec::with_capacity(n * rule.k), weights: Vec::with_capacity(n * rule.k) };
    for (t, row) in logits.chunks_exact(rule.experts).take(n).enumerate() {
        let probs = probabilities(row, rule.gating);
        let first = routing.experts.len();
        match forced {
            Some(ids) => routing.experts.extend_from_slice(&ids[t * rule.k..(t + 1) * rule.k]),
            None => routing.experts.extend(top_k(selection(&probs, rule), rule.k)),
        }
        routing.weights.extend(weights(&probs, &routing.experts[first..], rule));
    }
    routing
}

/// The router's scores of all experts `(n, experts)`: its probabilities, each row summing to one.
pub fn scores(logits: &[f32], n: usize, rule: &RouteRule) -> Vec<f32> {
    let mut scores = Vec::with_capacity(n * rule.experts);
    for row in logits.chunks_exact(rule.experts).take(n) {
        let mut row = match rule.gating {
            // a softmax over the chosen alone is one over all, scaled
            Gating::SoftmaxChosen => probabilities(row, Gating::Softmax),
            gating => probabilities(row, gating),
        };
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum.max(f32::MIN_POSITIVE));
        scores.extend(row);
    }
    scores
}

/// The `count` experts that a row of logits `(rule.experts)` speaks for most, best first; the first `rule.k` are those that
/// [`choose`] chooses.
pub fn rank(logits: &[f32], rule: &RouteRule, count: usize) -> Vec<u32> {
    let probs = probabilities(&logits[..rule.experts], rule.gating);
    top_k(selection(&probs, rule), count).collect()
}

fn probabilities(logits: &[f32], gating: Gating) -> Vec<f32> {
    match gating {
        Gating::Softmax => {
            let mut probs = logits.to_vec();
            softmax(&mut probs);
            probs
        }
        Gating::Sigmoid => logits.iter().map(|&x| 1.0 / (1.0 + (-x).exp())).collect(),
        Gating::SoftmaxChosen => logits.to_vec(),
        // softplus(x) = x for large x, where exp would overflow
        Gating::SqrtSoftplus => logits.iter().map(|&x| if x > 20.0 { x } else { x.exp().ln_1p() }.sqrt()).collect(),
    }
}

fn softmax(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for v in x.iter_mut() {
        *v = (*v - max).exp();
        sum += *v;
    }
    for v in x.iter_mut() {
        *v /= sum;
    }
}

/// The values that are compared: probabilities, biased, with the experts of losing groups at minus infinity.
fn selection(probs: &[f32], rule: &RouteRule) -> Vec<f32> {
    let mut values: Vec<f32> = match &rule.selection_bias {
        Some(bias) => probs.iter().zip(bias).map(|(p, b)| p + b).collect(),
        None => probs.to_vec(),
    };
    if let Some((groups, used)) = rule.groups {
        let size = rule.experts / groups;
        let scores: Vec<f32> =
            values.chunks(size).map(|g| top_k(g.to_vec(), 2.min(size)).map(|i| g[i as usize]).sum()).collect();
        let kept: Vec<u32> = top_k(scores, used).collect();
        for (g, group) in values.chunks_mut(size).enumerate() {
            if !kept.contains(&(g as u32)) {
                group.fill(f32::NEG_INFINITY);
            }
        }
    }
    values
}

/// Indices of the `k` largest values, largest first, ties to the lower index. NaN counts as the smallest.
fn top_k(values: Vec<f32>, k: usize) -> impl Iterator<Item = u32> {
    let mut ids: Vec<u32> = (0..values.len() as u32).collect();
    let key = |i: u32| if values[i as usize].is_nan() { f32::NEG_INFINITY } else { values[i as usize] };
    ids.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
    ids.into_iter().take(k)
}

fn weights(probs: &[f32], chosen: &[u32], rule: &RouteRule) -> Vec<f32> {
    let mut w: Vec<f32> = chosen.iter().map(|&e| probs[e as usize]).collect();
    if rule.gating == Gating::SoftmaxChosen {
        softmax(&mut w);
    }
    if rule.normalise {
        let sum = w.iter().sum::<f32>().max(MIN_WEIGHT_SUM);
        w.iter_mut().for_each(|v| *v /= sum);
    }
    if rule.scale != 0.0 && rule.scale != 1.0 {
        w.iter_mut().for_each(|v| *v *= rule.scale);
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> RouteRule {
        RouteRule {
            experts: 8,
            k: 2,
            gating: Gating::Softmax,
            selection_bias: None,
            normalise: true,
            scale: 1.0,
            groups: None,
        }
    }

    #[test]
    fn ties_go_to_the_lower_id() {
        let r = choose(&[1.0, 3.0, 3.0, 0.0, 3.0, 0.0, 0.0, 0.0], 1, &rule(), None);
        assert_eq!(r.experts, [1, 2]);
        assert_eq!(r.weights, [0.5, 0.5]);
    }

    #[test]
    fn the_bias_chooses_but_does_not_weigh() {
        let mut rule = rule();
        rule.gating = Gating::Sigmoid;
        rule.normalise = false;
        rule.selection_bias = Some(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0]);
        let r = choose(&[0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, -5.0], 1, &rule, None);
        assert_eq!(r.experts, [7, 1]);
        assert!((r.weights[0] - 0.006_692_85).abs() < 1e-6);
    }

    #[test]
    fn losing_groups_take_no_part() {
        let mut rule = rule();
        rule.groups = Some((4, 1));
        // group 0 holds the best expert, group 2 the best pair
        let r = choose(&[4.0, -9.0, 0.0, 0.0, 3.8, 3.9, 0.0, 0.0], 1, &rule, None);
        assert_eq!(r.experts, [5, 4]);
    }

    #[test]
    fn forced_ids_keep_their_own_weights() {
        let logits = [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let mut rule = rule();
        rule.normalise = false;
        let r = choose(&logits, 1, &rule, Some(&[0, 2]));
        assert_eq!(r.experts, [0, 2]);
        assert!(r.weights[1] > r.weights[0]);
    }

    #[test]
    fn nan_is_never_preferred() {
        let r = choose(&[f32::NAN, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0], 1, &rule(), None);
        assert_eq!(r.experts.len(), 2);
    }
}
