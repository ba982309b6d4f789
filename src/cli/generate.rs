//! `foregate generate`: one completion.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::cli::chat::display::Display;
use crate::cli::flags::{EngineFlags, ModelFlag, RunFlags};
use crate::cli::input::TextFlags;
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::open::Opened;
use crate::cli::sampling::SamplingFlags;
use crate::cli::{demo, message, open, out};
use crate::digest;
use crate::error::{Error, Result};
use crate::generate::sampler::{Sampler, Sampling};
use crate::generate::stream::{Answer, Ended, Generator, LanguageModel, ModelText, Request};
use crate::gguf::Gguf;
use crate::os;
use crate::report::run::{
    GENERATE_SCHEMA, GenerateReport, LedgerRow, Quantiles, ledger_text, recall_text, stats_text, warm_text,
};
use crate::tokenizer::Tokenizer;
use crate::tokenizer::template::Conversation;
use crate::tokenizer::template::thoughts::{Format, Splitter};

/// Complete a text.
///
/// Ctrl-C stops the answer: what there is of it is printed, and the exit code is 130.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    foregate generate model.gguf -p \"The capital of France is\" -n 32 --memory 8GiB --stats\n  \
    foregate generate model.gguf --chat -p \"Name three rivers.\" --temp 0 --json")]
pub struct Args {
    #[command(flatten)]
    model: ModelFlag,
    #[command(flatten)]
    text: TextFlags,
    /// Take the text as a message and ask for the answer in the model's chat template; thoughts are dimmed, or on stderr
    #[arg(long)]
    chat: bool,
    /// System prompt of the chat
    #[arg(short, long, value_name = "TEXT", requires = "chat")]
    system: Option<String>,
    /// Chat template to use instead of the model's
    #[arg(long, value_name = "FILE", requires = "chat")]
    chat_template: Option<PathBuf>,
    /// Print one JSON object: text, ids, hash and figures (see the README)
    #[arg(long)]
    json: bool,
    /// Print speed, hit rates, bytes read and stall to stderr
    #[arg(long)]
    stats: bool,
    /// Measure how often predictions of the next layers' experts are right: every predictor, 1 to 3 layers ahead, and the
    /// control of 0; this slows the run down
    #[arg(long)]
    recall: bool,
    #[command(flatten)]
    sampling: SamplingFlags,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    run: RunFlags,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    args.engine.check()?;
    let stdin = Some(Path::new("-"));
    if args.text.file.as_deref() == stdin && args.chat_template.as_deref() == stdin {
        return Err(Error::Usage("--file and --chat-template cannot both be stdin".into()));
    }
    args.run.check([(&args.text.file, "the file of the text"), (&args.chat_template, "the chat template")])?;
    let path = demo::find(args.model.model.as_deref())?;
    let text = args.text.read_prompt(args.engine.ceiling().bytes)?;
    let file = open::model_file(&path, &args.engine, None)?;
    let tokenizer = open::tokenizer(&file.gguf)?;
    let Prompt { ids: prompt, text: asked, format } = prompt(args, &file.gguf, &tokenizer, text)?;
    let interrupt = Interrupt::install()?;
    let mut opened = open::engine(file, &args.engine, Some(&args.run), 0)?;
    opened.engine.measure_recall(args.recall);
    let sampling = args.sampling.resolve();
    if args.engine.verbose {
        message::note(&format!("seed {}", sampling.seed));
    }

    let request = Request { prompt: &prompt, max_tokens: args.sampling.max_tokens(), stops: &args.sampling.stop };
    let mut splitter = Splitter::new(format, &asked);
    let mut display = Display::new();
    let mut show = |piece: &str| {
        let pieces = splitter.push(piece);
        if args.json { Ok(()) } else { display.pieces(&pieces) }
    };
    let mut answer = interrupt.during(|cancel| {
        let (text, sampler) = (&mut ModelText::new(&tokenizer, &format.markers()), &mut Sampler::new(sampling));
        Generator::new().answer(&mut opened.engine, text, sampler, &request, cancel, &mut show)
    })?;
    let last = splitter.finish();
    if !args.json {
        display.pieces(&last)?;
        display.end_of_answer(true)?;
    }
    answer.text = splitter.answer().to_owned();
    let thought = Some(splitter.thought().to_owned()).filter(|thought| !thought.is_empty());
    if answer.ended == Ended::ContextFull {
        message::note(&format!("the context of {} tokens is full; --ctx makes it larger", opened.engine.ctx()));
    }
    let code = if answer.ended == Ended::Interrupted {
        message::note("stopped");
        ExitCode::from(INTERRUPTED)
    } else {
        ExitCode::SUCCESS
    };
    if args.stats {
        message::block(&stats_text(&answer.stats, os::peak_resident_bytes()));
        message::block(&warm_text(opened.engine.warm_ledger()));
        message::block(&ledger_text(opened.engine.ledger(), opened.engine.prefetched_tokens()));
    }
    if args.stats || args.recall {
        message::block(&recall_text(&opened.engine.recall()));
    }
    if args.json {
        out::json(&report(answer, thought, prompt.len(), sampling, &opened))?;
    }
    opened.finish()?;
    Ok(code)
}

/// What the model is given.
struct Prompt {
    ids: Vec<u32>,
    text: String,
    /// How the answer marks its thoughts; plain text for one that no template asked for.
    format: Format,
}

fn prompt(args: &Args, gguf: &Gguf, tokenizer: &Tokenizer, text: String) -> Result<Prompt> {
    if !args.chat {
        return Ok(Prompt {
            ids: open::encode(tokenizer, gguf, &args.engine, &text, true, true)?,
            text,
            format: Format::Plain,
        });
    }
    let template = open::template(gguf, args.chat_template.as_deref())?;
    let system = args.system.iter().map(|text| json!({"role": "system", "content": text}));
    let messages = system.chain([json!({"role": "user", "content": text})]).collect();
    let text = template.render(&Conversation::new(messages)?)?;
    let ids = open::encode(tokenizer, gguf, &args.engine, &text, !template.begins_with_bos(&text), true)?;
    Ok(Prompt { ids, text, format: Format::of_model(&template, gguf, tokenizer) })
}

fn report(
    answer: Answer,
    thought: Option<String>,
    prompt_tokens: usize,
    sampling: Sampling,
    opened: &Opened,
) -> GenerateReport {
    let stats = &answer.stats;
    let mut both = stats.prefill.experts;
    both += stats.decode.experts;
    let mut hash = Sha256::new();
    digest::add_ids(&mut hash, &answer.ids);
    GenerateReport {
        schema: GENERATE_SCHEMA,
        tokens: answer.ids.len(),
        prompt_tokens,
        ended: answer.ended,
        sha256: digest::hex(hash),
        hits: both.hits,
        misses: both.misses,
        evictions: both.evictions,
        bytes_read: both.bytes_read,
        prefill_tok_s: stats.prefill.tokens_per_second(),
        decode_tok_s: stats.decode.tokens_per_second(),
        time_to_first_token_s: stats.first_token.map(|time| time.as_secs_f64()),
        stall_s: both.stall.as_secs_f64(),
        load_s: opened.load.as_secs_f64(),
        prefill: stats.prefill,
        decode: stats.decode,
        decode_step_ms: Quantiles::of_steps(stats),
        recall: opened.engine.recall(),
        prefetched_tokens: opened.engine.prefetched_tokens(),
        ledger: LedgerRow::all(&opened.engine.plan().layers, opened.engine.ledger()),
        seed: sampling.seed,
        sampling,
        run: opened.facts(),
        text: answer.text,
        thought,
        ids: answer.ids,
    }
}
