//! Looking ahead: the gates of the next layers, applied to what is known at this one, name the experts that come next.
//!
//! All of it runs after the demand reads of a layer are queued and before its experts are computed, in activations that
//! nobody needs at that time, so it allocates nothing and changes no bit of the output.

use crate::compute::{Act, Device, Routing, routing};
use crate::error::Result;
use crate::expert::ExpertId;
use crate::expert::cache::Cache;
use crate::expert::predict::{LOOKAHEAD_MAX, Method};
use crate::model::forward::{Forward, Step};
use crate::model::weights::{Ffn, Layer, Moe};

/// What is known of the residual stream behind a layer when its experts are still to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The stream after attention.
    Attention,
    /// And the shared expert's output, which is to be added.
    WithShared,
    /// All of it: there are no routed experts.
    Whole,
}

impl Forward {
    /// Before the first layer: names the experts of the first layers that have some. Of layer 0 its own gate says most,
    /// applied to the token's embedding (more than half of the experts of the demo model); of later ones what the token's id chose
    /// before, or failing that what is used most.
    pub(super) fn expect_first(&self, io: &mut Step<'_>, tokens: &[u32]) -> Result<()> {
        io.predictor.begin_step(tokens);
        let (ahead, measuring) = (io.pager.lookahead(), io.predictor.is_measuring());
        if tokens.len() != 1 || (ahead == 0 && !measuring) {
            return Ok(());
        }
        let (cap, mut wanted) = (io.pager.prefetch_cap(), Vec::new());
        let first: Vec<usize> = io.predictor.first_layers().iter().map(|l| l.layer).collect();
        for (i, &layer) in first.iter().enumerate().take(if measuring { LOOKAHEAD_MAX } else { ahead }) {
            let Ffn::Moe(moe) = &self.model.layers[layer].ffn else { continue };
            if !measuring && all_resident(io.pager.cache(), layer, moe.rule.experts) {
                continue;
            }
            let count = moe.rule.k.max(cap);
            let mut likely = Vec::new();
            if measuring || layer == 0 {
                likely = self.gate(io, self.acts.x, layer, moe, count)?;
                io.predictor.expect(Method::Embedding, Some(layer + 1), layer, &likely);
            }
            if measuring || layer > 0 {
                let token = io.predictor.prior(Method::Token, layer, count);
                let frequency = io.predictor.prior(Method::Frequency, layer, count);
                io.predictor.expect(Method::Token, None, layer, &token);
                io.predictor.expect(Method::Frequency, None, layer, &frequency);
                if layer > 0 {
                    likely = if token.is_empty() { frequency } else { token };
                }
            }
            if i < ahead {
                wanted.extend(of_layer(layer, &likely));
            }
        }
        if measuring {
            for layer in 0..self.model.layers.len() {
                let before = io.predictor.prior(Method::Previous, layer, usize::MAX);
                if !before.is_empty() {
                    io.predictor.expect(Method::Previous, None, layer, &before);
                }
            }
        }
        io.pager.prefetch(io.device, &wanted);
        Ok(())
    }

    /// The router of layer `il` has chosen for `n` tokens: predictions are judged. While they are measured the control is
    /// one: the layer's own gate by the path of predictions, which must find what the router found.
    pub(super) fn observe(&self, io: &mut Step<'_>, il: usize, n: usize, moe: &Moe, routing: &Routing) -> Result<()> {
        if io.predictor.is_measuring() && n == 1 {
            let residual = self.gate(io, self.acts.x, il, moe, moe.rule.k)?;
            let fate = self.routed(io, self.acts.h, moe, moe.rule.k)?;
            io.predictor.expect(Method::Residual, Some(0), il, &residual);
            io.predictor.expect(Method::Fate, Some(0), il, &fate);
        }
        let cache = io.pager.cache();
        let missing = |index| {
            let id = ExpertId { layer: il as u32, index };
            cache.slot_of(id).is_none() || cache.is_prefetched(id)
        };
        io.predictor.observe(il, &routing.experts, &missing);
        Ok(())
    }

    /// At layer `il`, whose output is `known` so far, names the experts of the next layers.
    pub(super) fn look_ahead(&self, io: &mut Step<'_>, il: usize, n: usize, known: Known) -> Result<()> {
        let (ahead, measuring) = (io.pager.lookahead(), io.predictor.is_measuring());
        if n != 1 || (ahead == 0 && !measuring) {
            return Ok(());
        }
        let (cap, mut wanted, mut summed) = (io.pager.prefetch_cap(), Vec::new(), None);
        for d in 1..=if measuring { LOOKAHEAD_MAX } else { ahead } {
            let Some(Layer { ffn: Ffn::Moe(moe), .. }) = self.model.layers.get(il + d) else { continue };
            if !measuring && all_resident(io.pager.cache(), il + d, moe.rule.experts) {
                continue;
            }
            let count = moe.rule.k.max(cap);
            for &method in io.predictor.methods() {
                let ids = match method {
                    Method::Transition => io.predictor.following(il, il + d, count),
                    Method::Residual => {
                        let stream = match summed {
                            Some(stream) => stream,
                            None => *summed.insert(self.stream(io.device, known)?),
                        };
                        self.gate(io, stream, il + d, moe, count)?
                    }
                    _ => self.routed(io, self.acts.h, moe, count)?,
                };
                io.predictor.expect(method, Some(d), il + d, &ids);
                if method == io.predictor.in_use() && d <= ahead {
                    wanted.extend(of_layer(il + d, &ids));
                }
            }
        }
        io.pager.prefetch(io.device, &wanted);
        Ok(())
    }

    /// The residual stream `(1, d_model)` behind a layer as far as it is known.
    fn stream(&self, device: &mut dyn Device, known: Known) -> Result<Act> {
        let (x, last) = (self.acts.x, self.acts.last);
        if known != Known::WithShared {
            return Ok(x);
        }
        device.select_rows(x, &[0], last)?;
        device.add(1, last, self.acts.shared, self.model.config.residual_scale)?;
        Ok(last)
    }

    /// The experts that layer `layer` would choose if this were the residual stream before its FFN.
    fn gate(&self, io: &mut Step<'_>, stream: Act, layer: usize, moe: &Moe, count: usize) -> Result<Vec<u32>> {
        let normed = self.acts.last_h;
        io.device.rms_norm(1, stream, normed, &self.model.layers[layer].ffn_norm)?;
        self.routed(io, normed, moe, count)
    }

    /// The experts that a router would choose for this normed input, best first.
    fn routed(&self, io: &mut Step<'_>, normed: Act, moe: &Moe, count: usize) -> Result<Vec<u32>> {
        let router = self.acts.router;
        io.device.linear(1, &moe.router, normed, router)?;
        let logits = io.device.download(router, 0..1)?;
        Ok(routing::rank(&logits, &moe.rule, count))
    }
}

fn of_layer(layer: usize, ids: &[u32]) -> impl Iterator<Item = ExpertId> + '_ {
    ids.iter().map(move |&index| ExpertId { layer: layer as u32, index })
}

fn all_resident(cache: &Cache, layer: usize, experts: usize) -> bool {
    (0..experts as u32).all(|index| cache.slot_of(ExpertId { layer: layer as u32, index }).is_some())
}
