//! Perplexity of a text, defined as llama.cpp's `llama-perplexity` does, so that the numbers compare.
//!
//! The text's tokens are cut into chunks of the context's size and the remainder is dropped. Each chunk starts with an
//! empty KV cache, its first token replaced by BOS where the model adds one. The tokens at positions `ctx / 2 + 1` to
//! `ctx - 1` are scored by the logits before them; the result is e to the mean of their negative log-likelihoods.

use crate::error::{Error, Result};
use crate::generate::stream::LanguageModel;

/// Tokens that a chunk has at least, so that one of them is scored.
pub const CTX_MIN: usize = 3;

/// The score of a text, or of its first chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Tokens scored.
    pub tokens: usize,
    sum: f64,
    sum_of_squares: f64,
}

impl Score {
    /// Mean negative log-likelihood, in nats.
    pub fn mean(&self) -> f64 {
        self.sum / self.tokens as f64
    }

    /// e to the mean.
    pub fn perplexity(&self) -> f64 {
        self.mean().exp()
    }

    /// Standard error of the perplexity, if the scored tokens were independent.
    pub fn error(&self) -> f64 {
        let variance = self.sum_of_squares / self.tokens as f64 - self.mean() * self.mean();
        self.perplexity() * (variance.max(0.0) / (self.tokens as f64 - 1.0).max(1.0)).sqrt()
    }

    fn add(&mut self, nll: f64) {
        self.tokens += 1;
        self.sum += nll;
        self.sum_of_squares += nll * nll;
    }
}

/// Chunks of `ctx` tokens in a text of `tokens`.
pub fn chunk_count(tokens: usize, ctx: usize) -> usize {
    tokens / ctx
}

/// Scores the first `chunks` chunks of `tokens`, each as long as the model's context; `done` hears of each chunk.
///
/// # Errors
/// A text shorter than one chunk, a context below [`CTX_MIN`], failures of the model.
pub fn score(
    model: &mut dyn LanguageModel,
    tokens: &[u32],
    chunks: usize,
    bos: Option<u32>,
    done: &mut dyn FnMut(usize, &Score) -> Result<()>,
) -> Result<Score> {
    let ctx = model.ctx();
    if ctx < CTX_MIN {
        return Err(Error::Usage(format!("perplexity needs a context of at least {CTX_MIN} tokens, not {ctx}")));
    }
    if tokens.len() < ctx {
        return Err(Error::Unsupported(format!(
            "the text has {} tokens, less than one chunk of {ctx}: give a longer text or a smaller --ctx",
            tokens.len()
        )));
    }
    let mut score = Score::default();
    for (i, chunk) in tokens.chunks_exact(ctx).take(chunks).enumerate() {
        let mut chunk = chunk.to_vec();
        if let Some(bos) = bos {
            chunk[0] = bos;
        }
        score_chunk(model, &chunk, &mut score)?;
        done(i + 1, &score)?;
    }
    Ok(score)
}

/// Scores the second half of one chunk.
fn score_chunk(model: &mut dyn LanguageModel, chunk: &[u32], score: &mut Score) -> Result<()> {
    let vocab = model.vocab();
    let first = chunk.len() / 2;
    // The last token has no successor to score.
    let (fed, mut targets) = (&chunk[..chunk.len() - 1], chunk[first + 1..].iter());
    model.rewind(0)?;
    model.begin_turn();
    model.each_logits(fed, first..fed.len(), &|| false, &mut |rows| {
        for (row, &target) in rows.chunks_exact(vocab).zip(&mut targets) {
            score.add(negative_log_likelihood(row, target)?);
        }
        Ok(())
    })?;
    Ok(())
}

/// `-ln softmax(logits)[target]`.
fn negative_log_likelihood(logits: &[f32], target: u32) -> Result<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    let of_target = *logits.get(target as usize).ok_or_else(|| {
        Error::Tokenizer(format!("the tokenizer gave token {target}, and the model has only {} tokens", logits.len()))
    })?;
    let nll = sum.ln() + (f64::from(max) - f64::from(of_target));
    if nll.is_nan() {
        return Err(Error::Device("the model gave NaN logits: its weights or the kernels are broken".into()));
    }
    Ok(nll)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::generate::stats::Counters;

    /// Its logits at every position are those of the token fed there; remembers what it was fed from an empty cache.
    struct Table {
        rows: Vec<Vec<f32>>,
        position: usize,
        starts: Vec<u32>,
    }

    impl LanguageModel for Table {
        fn each_logits(
            &mut self,
            tokens: &[u32],
            wanted: Range<usize>,
            _: &dyn Fn() -> bool,
            each: &mut dyn FnMut(&[f32]) -> Result<()>,
        ) -> Result<bool> {
            if self.position == 0 {
                self.starts.push(tokens[0]);
            }
            self.position += tokens.len();
            tokens[wanted].chunks(2).try_for_each(|some| {
                each(&some.iter().flat_map(|&t| self.rows[t as usize].clone()).collect::<Vec<f32>>())
            })?;
            Ok(true)
        }
        fn position(&self) -> usize {
            self.position
        }
        fn rewind(&mut self, position: usize) -> Result<()> {
            self.position = position;
            Ok(())
        }
        fn ctx(&self) -> usize {
            6
        }
        fn vocab(&self) -> usize {
            self.rows.len()
        }
        fn counters(&self) -> Counters {
            Counters::default()
        }
    }

    fn table() -> Table {
        let log = |p: [f32; 3]| p.map(f32::ln).to_vec();
        Table {
            rows: vec![log([0.5, 0.25, 0.25]), log([0.1, 0.8, 0.1]), log([0.3, 0.3, 0.4])],
            position: 0,
            starts: vec![],
        }
    }

    #[test]
    fn the_second_half_of_each_chunk_is_scored_by_the_token_before() {
        let mut model = table();
        // Chunks of 6: positions 4 and 5 are scored, by the rows of the tokens at 3 and 4. Two tokens are left over.
        let text = [2, 2, 2, 0, 1, 1, 2, 2, 2, 1, 0, 2, 0, 0];
        let score = score(&mut model, &text, usize::MAX, Some(1), &mut |_, _| Ok(())).unwrap();
        let expected = [0.25f64, 0.8, 0.1, 0.25].map(|p| -p.ln()).iter().sum::<f64>() / 4.0;
        assert_eq!(score.tokens, 4);
        assert!((score.mean() - expected).abs() < 1e-6, "{} {expected}", score.mean());
        assert!((score.perplexity() - expected.exp()).abs() < 1e-5);
        assert_eq!(model.starts, [1, 1], "each chunk starts with BOS in an empty cache");
    }

    #[test]
    fn a_text_shorter_than_a_chunk_is_refused_with_the_numbers() {
        let error = score(&mut table(), &[0; 5], 1, None, &mut |_, _| Ok(())).unwrap_err().to_string();
        assert!(error.contains("5 tokens") && error.contains("chunk of 6"), "{error}");
    }

    #[test]
    fn likelihoods_are_finite_for_large_logits() {
        assert_eq!(negative_log_likelihood(&[1e30, 1e30], 0).unwrap(), 2f64.ln());
        assert!(negative_log_likelihood(&[f32::NAN, 0.0], 1).is_err());
        assert!(negative_log_likelihood(&[0.0], 1).is_err());
    }
}
