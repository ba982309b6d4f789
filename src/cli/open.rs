//! Opens a model for a command: a progress bar on a terminal, and a line that says what computes.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::flags::{EngineFlags, RunFlags, Switch};
use crate::cli::{input, message, state};
use crate::compute::gpu::{AdapterKind, adapters};
use crate::error::Result;
use crate::expert::pager::{Prefetch, SLOTS_PER_PREFETCH};
use crate::expert::source::{Measured, SourceInfo};
use crate::generate::engine::{Engine, Progress};
use crate::generate::options::{DeviceChoice, Options};
use crate::generate::plan::Plan;
use crate::generate::plan::text::check_text;
use crate::generate::planner::ModelFile;
use crate::generate::stream::LanguageModel;
use crate::gguf::Gguf;
use crate::os;
use crate::report::plan::plan_text;
use crate::report::run::RunFacts;
use crate::report::units::{bytes, per_second};
use crate::tokenizer::Tokenizer;
use crate::tokenizer::template::{ChatTemplate, special_tokens};

/// A model that is ready to run.
pub struct Opened {
    /// Computes.
    pub engine: Engine,
    /// How long it took to open.
    pub load: Duration,
}

/// A model's file that can be run as far as its hyper-parameters tell: another is refused for that first, whatever else
/// it lacks. `ctx` stands in for a `--ctx` that is not given.
pub fn model_file(path: &Path, flags: &EngineFlags, ctx: Option<usize>) -> Result<ModelFile> {
    ModelFile::open(path, flags.ctx.or(ctx))
}

/// The tokenizer of a model's file, its oddities told. It stands alone, so that a file without one is refused before the
/// weights are loaded.
pub fn tokenizer(gguf: &Gguf) -> Result<Tokenizer> {
    let tokenizer = Tokenizer::from_gguf(gguf)?;
    message::warnings(tokenizer.warnings());
    Ok(tokenizer)
}

/// A text in tokens, under the ceiling of memory that the flags give.
pub fn encode(
    tokenizer: &Tokenizer,
    gguf: &Gguf,
    flags: &EngineFlags,
    text: &str,
    add_special: bool,
    parse_special: bool,
) -> Result<Vec<u32>> {
    check_text(gguf, tokenizer, text, &flags.ceiling(), flags.device == DeviceChoice::Auto)?;
    tokenizer.encode(text, add_special, parse_special)
}

/// The chat template of a model's file, or the one that was given in its place (`-` is stdin), with the model's tokens.
pub fn template(gguf: &Gguf, given: Option<&Path>) -> Result<ChatTemplate> {
    let Some(path) = given else {
        let template = ChatTemplate::from_gguf(gguf)?;
        if template.is_fallback() {
            let warning = "the file has no chat template: ChatML is used; --chat-template FILE gives another";
            message::warnings(&[warning.into()]);
        }
        return Ok(template);
    };
    let (bos, eos) = special_tokens(gguf)?;
    let name = if path == Path::new("-") { "stdin".into() } else { path.display().to_string() };
    ChatTemplate::from_text(&name, &input::read_text(path, input::SMALL_FILE_MAX)?, bos.as_deref(), eos.as_deref())
}

/// Makes a model ready to run as the flags say, beside so many bytes that the command holds.
pub fn engine(file: ModelFile, flags: &EngineFlags, run: Option<&RunFlags>, held: u64) -> Result<Opened> {
    let mut options = Options { held, ..flags.resolve()? };
    if let Some(run) = run {
        options.trace = run.trace.clone().map(|path| (path, run.trace_scores));
        options.warm = state::folder().filter(|_| run.warm_start != Some(Switch::Off));
        options.profiles = run.profile.folder();
    }
    let start = Instant::now();
    let bar = progress_bar();
    let engine = Engine::load(file, &options, &mut |progress: Progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let engine = engine?;
    let info = engine.device_info();
    if info.kind == "gpu" {
        flags.check_gpu()?;
    }
    if engine.plan().experts == 0 {
        flags.check_dense()?;
    }
    message::note(&format!("computing on {}: {}", info.kind, info.name));
    if flags.device == DeviceChoice::Gpu(None) && on_software(&info.name) {
        message::note("there is no GPU: this adapter is software, and --device cpu is faster");
    }
    let (ctx, trained) = (engine.ctx(), engine.config().ctx_train);
    if flags.ctx.is_some() && trained > 0 && ctx > trained {
        message::note(&format!("--ctx {ctx} is beyond the {trained} tokens that the model was trained for"));
    }
    message::notes(engine.notes());
    message::warnings(engine.warnings());
    message::notes(engine.taken().note().as_slice());
    if flags.verbose {
        let source = engine.source_info();
        message::block(&plan_text(engine.plan()));
        let kept = engine.warm_ledger().kept;
        if kept > 0 {
            message::note(&format!("{kept} experts of the last run are read in the background"));
        }
        if source.measured.is_empty() {
            message::note(&format!("experts are read by {} in {} lanes, unmeasured", source.path, source.lanes));
        }
    }
    message::notes(engine.source_info().note.as_slice());
    message::notes(read_paths(engine.source_info()).as_slice());
    message::notes(idle_prefetch(&engine).as_slice());
    message::warnings(below_cycle(engine.plan()).as_slice());
    Ok(Opened { engine, load: start.elapsed() })
}

impl Opened {
    /// A turn is over: a signal that ends the run later does not take along what came of it. Where a person is `waited_for`
    /// there is time to keep the cache's content too.
    pub fn end_turn(&mut self, waited_for: bool) -> Result<()> {
        if waited_for {
            // what fails here fails again at the end, and is told then
            let _ = self.engine.keep_warm();
        }
        self.engine.end_turn()
    }

    /// Ends the run: the trace is whole, and the cache's content is kept for the next time.
    pub fn finish(&mut self) -> Result<()> {
        if let Err(e) = self.engine.keep_warm() {
            message::note(&format!("the next run starts cold: {e}"));
        }
        self.engine.finish_trace()
    }

    /// What a report says of this run.
    pub fn facts(&self) -> RunFacts {
        let (info, source, plan) = (self.engine.device_info(), self.engine.source_info(), self.engine.plan());
        let Plan { ctx, batch, memory, vram, slots, .. } = *plan;
        RunFacts {
            model: self.engine.gguf().path().display().to_string(),
            model_bytes: self.engine.gguf().file_bytes(),
            device: info.kind.into(),
            device_name: info.name,
            ctx,
            batch,
            memory_bytes: memory,
            vram_bytes: vram,
            cache_slots: plan.slot_count(),
            cache_bytes: slots,
            experts: plan.experts,
            experts_per_token: plan.cycle,
            read_path: source.path.to_string(),
            lanes: source.lanes,
            policy: self.engine.policy(),
            warm: self.engine.warm_ledger(),
            profile: self.engine.profile().map(|profile| profile.setting),
            prefetch: self.engine.prefetch().to_string(),
            predictor: self.engine.predictor(),
            peak_resident_bytes: os::peak_resident_bytes(),
        }
    }
}

/// What was measured of the ways of reading, the best of each, and which is taken; nothing where nothing was measured.
fn read_paths(source: &SourceInfo) -> Option<String> {
    let mut best: Vec<Measured> = Vec::new();
    for &measured in &source.measured {
        match best.iter_mut().find(|known| known.path == measured.path) {
            Some(known) if known.bytes_per_s >= measured.bytes_per_s => {}
            Some(known) => *known = measured,
            None => best.push(measured),
        }
    }
    let rate = |m: &Measured| format!("{} {}", m.path, per_second(m.bytes_per_s));
    let rates: Vec<String> = best.iter().map(rate).collect();
    let taken = format!("experts are read by {} in {} lanes", source.path, source.lanes);
    (!rates.is_empty()).then(|| format!("{taken}; measured on this file: {}", rates.join(", ")))
}

/// What to say of prefetching that was asked for where no slots can be kept for it.
fn idle_prefetch(engine: &Engine) -> Option<String> {
    let classes = &engine.plan().classes;
    let idle = !classes.is_empty() && classes.iter().all(|class| class.slots < SLOTS_PER_PREFETCH);
    let asked = matches!(engine.prefetch(), Prefetch::AtMost(_));
    (idle && asked).then(|| {
        format!(
            "nothing is prefetched: of less than {SLOTS_PER_PREFETCH} slots none is kept for that, and the cache has {}",
            engine.plan().slot_count()
        )
    })
}

/// What to say of a cache that holds less than one token uses: most of what is read is pushed out before it is used again.
fn below_cycle(plan: &Plan) -> Option<String> {
    let (slots, cycle) = (plan.slot_count(), plan.cycle);
    let missing = cycle.checked_sub(slots).filter(|&missing| missing > 0)?;
    let more = missing as u64 * (plan.slots / slots.max(1) as u64);
    Some(format!(
        "the expert cache holds {slots} experts and one token uses {cycle}: few are still there when they are needed again; \
         {} more would hold a token's (--cache 1x)",
        bytes(more)
    ))
}

/// Whether the adapter that is called so is a software one.
fn on_software(name: &str) -> bool {
    adapters().iter().any(|a| a.kind == AdapterKind::Software && name == format!("{} ({})", a.name, a.backend))
}

/// A bar of bytes on a terminal, nothing elsewhere.
fn progress_bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("loading {bar:40} {bytes}/{total_bytes} {binary_bytes_per_sec}")
        .expect("the template is a constant and a test renders it");
    ProgressBar::new(0).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_template_is_valid() {
        progress_bar();
        assert!(ProgressStyle::with_template("loading {bar:40} {bytes}/{total_bytes} {binary_bytes_per_sec}").is_ok());
    }
}
