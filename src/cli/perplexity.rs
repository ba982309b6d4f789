//! `foregate perplexity`: how well a model predicts a text.

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use crate::cli::flags::{self, EngineFlags, RunFlags};
use crate::cli::input::TextFlags;
use crate::cli::{message, open, out};
use crate::error::{Error, Result};
use crate::generate::perplexity::{CTX_MIN, Score, chunk_count, score};
use crate::generate::stats::Phase;
use crate::generate::stream::LanguageModel;
use crate::report::run::{RunFacts, phase_line};

/// Print the perplexity of a text, as llama.cpp's llama-perplexity defines it.
///
/// The text's tokens are cut into chunks of --ctx, the remainder is dropped, and the second half of each chunk is scored.
/// --batch 1 feeds token by token, which measures decode speed on a fixed text.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate perplexity model.gguf -f text.txt --ctx 512 --memory 8GiB")]
pub struct Args {
    /// GGUF file, or the first shard of one
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    text: TextFlags,
    /// Score the first N chunks only
    #[arg(long, value_name = "N", value_parser = flags::count(1 << 30))]
    chunks: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print speed, hit rates, bytes read and stall to stderr
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    run: RunFlags,
}

/// Tokens of a chunk where `--ctx` is not given, as in llama.cpp.
const CTX_DEFAULT: usize = 512;

/// What `perplexity --json` prints.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    perplexity: f64,
    perplexity_error: f64,
    nll: f64,
    tokens_scored: usize,
    chunks: usize,
    tok_s: Option<f64>,
    #[serde(flatten)]
    phase: Phase,
    run: RunFacts,
}

pub fn run(args: &Args) -> Result<()> {
    args.engine.check()?;
    let ctx = args.engine.ctx.unwrap_or(CTX_DEFAULT);
    if ctx < CTX_MIN {
        return Err(Error::Usage(format!("--ctx {ctx} is too short to score anything: give at least {CTX_MIN}")));
    }
    args.run.check([(&args.text.file, "the file of the text")])?;
    let text = args.text.read_prompt(args.engine.ceiling().bytes)?;
    let file = open::model_file(&args.model, &args.engine, Some(CTX_DEFAULT))?;
    let tokenizer = open::tokenizer(&file.gguf)?;
    let mut tokens = open::encode(&tokenizer, &file.gguf, &args.engine, &text, true, false)?;
    drop(text);
    let bos = tokenizer.bos().filter(|_| tokenizer.add_bos());
    let (ctx, all) = (file.config.ctx, tokens.len());
    let chunks = chunk_count(all, ctx).min(args.chunks.unwrap_or(usize::MAX));
    // one chunk at least, whose lack is told of with its tokens
    tokens.truncate(chunks.max(1) * ctx);
    tokens.shrink_to_fit();
    let held = size_of_val(&*tokens) as u64;
    let mut opened = open::engine(file, &args.engine, Some(&args.run), held)?;
    message::note(&format!("{all} tokens, {chunks} chunks of {ctx}"));

    let start = Instant::now();
    let score = score(&mut opened.engine, &tokens, chunks, bos, &mut |done, so_far: &Score| {
        if args.engine.verbose {
            message::note(&format!("chunk {done} of {chunks}: perplexity so far {:.4}", so_far.perplexity()));
        }
        Ok(())
    })?;
    let experts = opened.engine.counters();
    let phase = Phase { tokens: chunks * (ctx - 1), time: start.elapsed(), experts };
    if args.stats {
        message::block(&phase_line("text", &phase));
    }
    if args.json {
        out::json(&Report {
            schema: "foregate.perplexity/1",
            perplexity: score.perplexity(),
            perplexity_error: score.error(),
            nll: score.mean(),
            tokens_scored: score.tokens,
            chunks,
            tok_s: phase.tokens_per_second(),
            phase,
            run: opened.facts(),
        })?;
    } else {
        out::write(
        format!(
            "perplexity {:.4} +/- {:.4}, mean negative log-likelihood {:.6} over {} tokens in {chunks} chunks of {ctx}\n",
            score.perplexity(),
            score.error(),
            score.mean(),
            score.tokens
        )
        .as_bytes(),
        )?;
    }
    opened.finish()
}
