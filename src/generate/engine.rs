//! The engine: a model opened on a device within a budget, fed with tokens, giving logits.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::compute::{Device, DeviceInfo};
use crate::error::{Error, Result};
use crate::expert::cache::{Cache, Phase};
use crate::expert::pager::{Ledger, Pager, PagerStats, Prefetch, PrefetchedTokens, StepInfo, WarmLedger};
use crate::expert::predict::{Predictor, PredictorKind, RecallRow};
use crate::expert::source::{Reader, SourceInfo, SourceOptions};
use crate::expert::trace::{Setup, TraceWriter};
use crate::expert::{ExpertId, ExpertLayer};
use crate::generate::options::{LOOKAHEAD_DEFAULT, Options};
use crate::generate::plan::Plan;
use crate::generate::planner::{ModelFile, Planner};
use crate::generate::profile::{Profile, Taken};
use crate::generate::stats::Counters;
use crate::generate::stream::LanguageModel;
use crate::generate::warm::WarmStore;
use crate::gguf::Gguf;
use crate::model::forward::{Forward, LOGIT_ROWS, RouteTap, Step, kv_specs};
use crate::model::sink::Load;
use crate::model::{Config, Model};
use crate::os;

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of resident weights loaded.
    pub done: u64,
    /// Bytes to load.
    pub total: u64,
}

/// See the module.
pub struct Engine {
    gguf: Gguf,
    device: Box<dyn Device>,
    forward: Forward,
    pager: Pager,
    predictor: Predictor,
    prefetch: Prefetch,
    trace: Option<Arc<Mutex<TraceWriter>>>,
    warm: Option<WarmStore>,
    profile: Option<Profile>,
    taken: Taken,
    warnings: Vec<String>,
    /// Turns begun.
    turns: u32,
    /// The next tokens are a prompt, even a prompt of one.
    new_turn: bool,
    plan: Plan,
    position: usize,
    notes: Vec<String>,
}

/// Has the pager tell a new trace file what happens to its cache.
fn record(
    pager: &mut Pager,
    path: &Path,
    scores: bool,
    gguf: &Gguf,
    config: &Config,
    plan: &Plan,
) -> Result<Arc<Mutex<TraceWriter>>> {
    if gguf.shard_paths().iter().any(|shard| os::same_file(shard, path)) {
        return Err(Error::Usage(format!("--trace {} is the model's own file: give another", path.display())));
    }
    let setup = Setup {
        model: gguf.path().file_name().unwrap_or_default().to_string_lossy().into_owned(),
        layers: plan.layers.iter().map(ExpertLayer::shape).collect(),
        expert_bytes: plan.layers.iter().map(ExpertLayer::expert_bytes).collect(),
        k: config.max_k(),
        classes: plan.classes.clone(),
        policy: pager.cache().policy_name().into(),
        batch: plan.batch,
    };
    let writer = Arc::new(Mutex::new(TraceWriter::create(path, &setup)?));
    let shared = writer.clone();
    let push = move |event| shared.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    // a replay decides as the policy did
    let scores = scores || pager.wants_scores();
    pager.record(Box::new(push), scores);
    Ok(writer)
}

impl Engine {
    /// Opens the model at `path`: see [`Engine::load`].
    ///
    /// # Errors
    /// Those of [`ModelFile::open`] and [`Engine::load`].
    pub fn open(path: &Path, options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Self> {
        Self::load(ModelFile::open(path, options.ctx)?, options, progress)
    }

    /// Makes a model ready to run: checks its tensors, plans, loads the resident weights, allocates the slots. The context
    /// is the one that the file was opened for.
    ///
    /// # Errors
    /// A file that cannot be run, a budget that cannot work, a device that fails.
    pub fn load(file: ModelFile, options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Self> {
        let (mut notes, mut warnings) = (Vec::new(), Vec::new());
        file.gguf.drop_mapped_pages();
        let planner = Planner::new(file, options, &mut notes)?;
        let profile = planner.profile(options, &mut warnings)?;
        let taken = profile.as_ref().map(|profile| profile.setting.taken(options)).unwrap_or_default();
        let filled = profile.as_ref().map(|profile| profile.setting.fill(options));
        let options = filled.as_ref().unwrap_or(options);
        let policy = options.policy.unwrap_or_default();
        let (plan, kv) = (planner.plan(options)?, planner.kv(options));
        let taken = taken.in_plan(&plan);
        let Planner { gguf, model, measured, mut device } = planner;
        // read paths are measured while there is nothing beside: trials take memory that slots will need
        let reading = SourceOptions { path: options.io, lanes: options.lanes };
        let source = Reader::open(gguf.shard_paths(), &plan.layers, reading)?;
        let mut done = 0;
        let mut count = |bytes| {
            done += bytes;
            progress(Progress { done, total: measured.bytes });
        };
        let mut sink = Load { device: &mut *device, progress: &mut count };
        let model = Model::build(&gguf, &model.config, &mut sink)?;
        device.new_kv(&kv_specs(&model.config), plan.ctx, kv)?;
        device.new_slots(&plan.classes, &plan.layers, plan.batch * model.config.max_k().max(1))?;
        let forward = Forward::new(model, &mut *device, plan.batch)?;
        let shapes: Vec<_> = plan.layers.iter().map(ExpertLayer::shape).collect();
        let cache = || Cache::new(&shapes, &plan.classes, &|shape| policy.build(shape));
        let mut pager = Pager::new(cache()?, Box::new(source), plan.layers.clone(), plan.lanes);
        let config = &forward.model().config;
        let predictor = Predictor::new(options.predictor, config.routed_layers(), config.n_vocab);
        let trace = match &options.trace {
            Some((path, scores)) => Some(record(&mut pager, path, *scores, &gguf, config, &plan)?),
            None => None,
        };
        // where every expert has a slot there is nothing to read ahead of
        let asked = options.prefetch.unwrap_or_default();
        let prefetch = if plan.slot_count() < plan.experts { asked } else { Prefetch::Off };
        let shadow = (prefetch == Prefetch::Auto).then(cache).transpose()?;
        pager.set_prefetch(prefetch, options.lookahead.unwrap_or(LOOKAHEAD_DEFAULT), config.max_k(), shadow);
        let warm = options.warm.as_deref().filter(|_| plan.experts > 0);
        let warm =
            warm.map(|state| WarmStore::open(state, gguf.shard_paths(), &plan.layers, policy.name(), &mut warnings));
        let warm = warm.transpose()?;
        if let Some(memory) = warm.as_ref().map(WarmStore::earlier).filter(|earlier| !earlier.is_empty()) {
            pager.recall(&mut *device, memory.to_vec());
        }
        gguf.drop_mapped_pages();
        // the experts' readers opened the files by their names, after the header and the weights were read
        gguf.check_unchanged()?;
        Ok(Self {
            gguf,
            device,
            forward,
            pager,
            predictor,
            prefetch,
            trace,
            warm,
            profile,
            taken,
            warnings,
            turns: 0,
            new_turn: false,
            plan,
            position: 0,
            notes,
        })
    }

    /// The model's file.
    pub fn gguf(&self) -> &Gguf {
        &self.gguf
    }

    /// Hyper-parameters.
    pub fn config(&self) -> &Config {
        &self.forward.model().config
    }

    /// Where the bytes go.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Who computes.
    pub fn device_info(&self) -> DeviceInfo {
        self.device.info()
    }

    /// How experts are read.
    pub fn source_info(&self) -> &SourceInfo {
        self.pager.source().info()
    }

    /// What paging cost so far.
    pub fn stats(&self) -> PagerStats {
        self.pager.stats()
    }

    /// From now on predicts at every distance and by every method that needs no table of its own, whether or not anything
    /// is prefetched, to count how often that is right; it takes time.
    pub fn measure_recall(&mut self, on: bool) {
        self.predictor.measure(on);
    }

    /// Keeps what the cache holds for the next run, if that was asked for.
    ///
    /// # Errors
    /// It could not be written.
    pub fn keep_warm(&mut self) -> Result<()> {
        let memory = self.pager.cache().memory();
        self.warm.as_mut().map_or(Ok(()), |warm| warm.save(&memory))
    }

    /// What came of the experts that the run before had kept.
    pub fn warm_ledger(&self) -> WarmLedger {
        self.pager.warm_ledger()
    }

    /// What settled the options that were left open, if anything was kept.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// What of it this run took up.
    pub fn taken(&self) -> Taken {
        self.taken
    }

    /// A turn is over: its part of the trace stays, even if a signal ends the run before [`Engine::finish_trace`].
    ///
    /// # Errors
    /// Something of it could not be written.
    pub fn end_turn(&mut self) -> Result<()> {
        let end = |writer: &Arc<Mutex<TraceWriter>>| writer.lock().unwrap_or_else(PoisonError::into_inner).end_turn();
        self.trace.as_ref().map_or(Ok(()), end)
    }

    /// Ends the trace: all of it is in its file.
    ///
    /// # Errors
    /// It could not be written.
    pub fn finish_trace(&mut self) -> Result<()> {
        let told = self.pager.stop_recording();
        let writer = self.trace.take().and_then(Arc::into_inner);
        let writer = writer.map(|writer| writer.into_inner().unwrap_or_else(PoisonError::into_inner));
        told.and(writer.map_or(Ok(()), TraceWriter::finish))
    }

    /// The eviction policy's name.
    pub fn policy(&self) -> &'static str {
        self.pager.cache().policy_name()
    }

    /// How much is prefetched: nothing where every expert has a slot.
    pub fn prefetch(&self) -> Prefetch {
        self.prefetch
    }

    /// Who predicts.
    pub fn predictor(&self) -> PredictorKind {
        self.predictor.kind()
    }

    /// The demanded experts that have a slot now.
    pub fn residents(&self) -> Vec<ExpertId> {
        let cache = self.pager.cache();
        (0..cache.classes()).flat_map(|class| cache.residents(class)).collect()
    }

    /// What prefetches came to, by layer with experts, in model order.
    pub fn ledger(&self) -> &[Ledger] {
        self.pager.ledger()
    }

    /// Decoded tokens, and for how many of them experts were prefetched.
    pub fn prefetched_tokens(&self) -> PrefetchedTokens {
        self.pager.prefetched_tokens()
    }

    /// How often predictions were right so far: those that were acted on, and all while they are measured.
    pub fn recall(&self) -> Vec<RecallRow> {
        self.predictor.recall()
    }

    /// What was chosen that a user should know of.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What is odd but was got over.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Computes `tokens` at the next positions in batches; `each` gets the logits `(rows, n_vocab)` of the rows that
    /// `wanted` names (by index in `tokens`, ascending), in order. `false` if `cancel`, asked before each layer, stopped it:
    /// then the position is behind the last whole batch.
    ///
    /// # Errors
    /// Tokens outside the vocabulary, more of them than the context holds, failed reads or devices.
    pub fn feed(
        &mut self,
        tokens: &[u32],
        wanted: std::ops::Range<usize>,
        mut tap: Option<&mut dyn RouteTap>,
        cancel: &dyn Fn() -> bool,
        each: &mut dyn FnMut(&[f32]) -> Result<()>,
    ) -> Result<bool> {
        let vocab = self.config().n_vocab;
        if let Some(bad) = tokens.iter().find(|&&t| t as usize >= vocab) {
            return Err(Error::Usage(format!("token {bad} is not in the vocabulary of {vocab}")));
        }
        if tokens.len() > self.plan.ctx - self.position {
            return Err(Error::Usage(format!(
                "{} more tokens do not fit: {} of {} positions are taken; give a larger --ctx",
                tokens.len(),
                self.position,
                self.plan.ctx
            )));
        }
        let prompt = std::mem::take(&mut self.new_turn) || tokens.len() > 1;
        let phase = if prompt { Phase::Prefill } else { Phase::Decode };
        for (i, chunk) in tokens.chunks(self.plan.batch).enumerate() {
            self.pager.set_step(StepInfo {
                turn: self.turns.saturating_sub(1),
                phase,
                position: self.position as u32,
            })?;
            let mut io = Step {
                device: &mut *self.device,
                pager: &mut self.pager,
                gguf: &self.gguf,
                predictor: &mut self.predictor,
                tap: match &mut tap {
                    Some(tap) => Some(&mut **tap),
                    None => None,
                },
            };
            if !self.forward.step(&mut io, chunk, self.position, cancel)? {
                return Ok(false);
            }
            self.position += chunk.len();
            let first = i * self.plan.batch;
            let rows: Vec<usize> = (0..chunk.len()).filter(|r| wanted.contains(&(first + r))).collect();
            for rows in rows.chunks(LOGIT_ROWS.min(self.plan.batch)) {
                each(&self.forward.logits(&mut *self.device, rows)?)?;
            }
        }
        Ok(true)
    }
}

impl LanguageModel for Engine {
    fn begin_turn(&mut self) {
        self.turns += 1;
        self.new_turn = true;
    }

    fn each_logits(
        &mut self,
        tokens: &[u32],
        wanted: std::ops::Range<usize>,
        cancel: &dyn Fn() -> bool,
        each: &mut dyn FnMut(&[f32]) -> Result<()>,
    ) -> Result<bool> {
        self.feed(tokens, wanted, None, cancel, each)
    }

    fn position(&self) -> usize {
        self.position
    }

    fn rewind(&mut self, position: usize) -> Result<()> {
        // keys and values behind the position are overwritten before they are read
        self.position = self.position.min(position);
        Ok(())
    }

    fn ctx(&self) -> usize {
        self.plan.ctx
    }

    fn vocab(&self) -> usize {
        self.config().n_vocab
    }

    fn counters(&self) -> Counters {
        let PagerStats { prefill, decode } = self.pager.stats();
        Counters {
            hits: prefill.hits + decode.hits,
            misses: prefill.misses + decode.misses,
            evictions: prefill.evictions + decode.evictions,
            bytes_read: prefill.bytes_read + decode.bytes_read,
            stall: prefill.stall + decode.stall,
        }
    }
}
