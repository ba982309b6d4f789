//! `foregate simulate`: a recorded trace through caches of other sizes and policies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::cli::{flags, message, out, size};
use crate::error::{Error, Result};
use crate::expert::cache::PolicyKind;
use crate::expert::replay::foresight::{Foresight, Future};
use crate::expert::replay::{self, PhaseCounts, Requests, Selection, locality};
use crate::expert::trace::{MAX_EXPERTS_PER_LAYER, Trace};
use crate::report::simulate::{Caching, RecordedReport, Routing, Row, SIMULATE_SCHEMA, SimulateReport};

/// Replay a routing trace: hit rates by policy and cache size.
///
/// Traces are those of `--trace`, CSV of other engines in the same columns, and one JSON object per token:
/// {"tok": n, "layers": [[ids], ...]}; plain or gzip. One pool of slots serves all layers. A request is one distinct
/// expert of one layer in one step; filling an empty slot is a miss.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
    SRP(m), segment routing best performance: in every window of m tokens at a layer, the experts used at least t times \
    stand for the routing; F1 over all windows, at the best t. SCH(m), segment cache best hit rate: a cache from which \
    the expert with the fewest uses by the next m tokens at its layer leaves first, ties to the least recent. Next-token \
    reuse: the share of a token's experts that the token before it used at the same layer. Belady: the expert whose next \
    request is the farthest leaves first.\n\n\
    Examples:\n  \
    foregate simulate run.csv.gz --share 5,10,20,40 --policy lru,decay,belady\n  \
    foregate simulate run.csv.gz --phase decode --warmup 16 --json\n  \
    foregate simulate elsewhere.jsonl --expert-bytes 2.5MiB\n  \
    foregate simulate run.csv.gz --as-recorded")]
pub struct Args {
    /// Trace file
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Cache sizes in percent of all experts [default: 4,8,12.5,25,50]
    #[arg(long, value_name = "PERCENT,..", value_delimiter = ',', value_parser = share, help_heading = "Caches")]
    share: Vec<f64>,
    /// Cache sizes in slots
    #[arg(
        long, value_name = "N,..", value_delimiter = ',', value_parser = slots, conflicts_with = "share",
        help_heading = "Caches"
    )]
    slots: Vec<usize>,
    /// Eviction policies, and belady, the bound [default: all]
    #[arg(
        long, value_name = "NAME,..", value_delimiter = ',', value_parser = str::parse::<Contender>,
        help_heading = "Caches"
    )]
    policy: Vec<Contender>,
    /// Tokens at the start that fill the cache and are not counted
    #[arg(long, value_name = "TOKENS", default_value_t = 0, value_parser = flags::whole, help_heading = "Requests")]
    warmup: usize,
    /// Steps that are replayed; the others do not even fill the cache
    #[arg(long, value_name = "PHASE", value_enum, default_value_t = Phase::All, help_heading = "Requests")]
    phase: Phase,
    /// Experts per layer, where the trace does not tell [default: largest id + 1]
    #[arg(long, value_name = "N", value_parser = flags::count(MAX_EXPERTS_PER_LAYER), help_heading = "Requests")]
    experts: Option<usize>,
    /// Bytes of one expert, for bytes per token, in place of what the trace tells
    #[arg(long, value_name = "SIZE", value_parser = size::parse, help_heading = "Requests")]
    expert_bytes: Option<u64>,
    /// Windows of SRP and SCH, in tokens [default: 4,16,64]
    #[arg(long, value_name = "M,..", value_delimiter = ',', value_parser = window, help_heading = "Requests")]
    windows: Vec<usize>,
    /// Repeat the recorded run itself: its policy, slots and prefetches, and exactly its counts
    #[arg(long, conflicts_with_all = ["share", "slots", "policy", "warmup", "phase", "expert_bytes", "windows"])]
    as_recorded: bool,
    /// Print one JSON object (see the README)
    #[arg(long)]
    json: bool,
}

/// Sizes where none are given.
const SHARES: [f64; 5] = [4.0, 8.0, 12.5, 25.0, 50.0];
/// Windows where none are given.
const WINDOWS: [usize; 3] = [4, 16, 64];
/// Tokens of a window at most, and slots.
const MOST: usize = 1 << 22;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Phase {
    Decode,
    Prefill,
    All,
}

/// A policy of live runs, or the bound.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Contender {
    Live(PolicyKind),
    Belady,
}

impl std::str::FromStr for Contender {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "belady" => Ok(Self::Belady),
            name => name.parse().map(Self::Live).map_err(|e: Error| format!("{e}, belady")),
        }
    }
}

impl Contender {
    fn name(self) -> String {
        match self {
            Self::Live(kind) => kind.to_string(),
            Self::Belady => "belady".into(),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.trim().trim_end_matches('%').parse().ok().filter(|share| *share > 0.0 && *share <= 100.0);
    share.ok_or_else(|| format!("`{text}` is no share: give percent, more than 0 and at most 100"))
}

fn slots(text: &str) -> Result<usize, String> {
    bounded(text, "number of slots")
}

fn window(text: &str) -> Result<usize, String> {
    bounded(text, "number of tokens")
}

fn bounded(text: &str, what: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|n| (1..=MOST).contains(n));
    number.ok_or_else(|| format!("`{text}` is no {what}: give 1 to {MOST}"))
}

pub fn run(args: &Args) -> Result<()> {
    let trace = Trace::read(&args.trace, args.experts)?;
    if args.as_recorded {
        let report = recorded(&args.trace, &trace)?;
        return if args.json { out::json(&report) } else { out::write(report.text().as_bytes()) };
    }
    let report = simulate(args, &trace)?;
    if trace.experts_guessed
        && let Some(layer) = trace.layers.first()
    {
        message::note(&format!(
            "the trace does not tell how many experts a layer has: {}, its largest id + 1; --experts gives the number",
            layer.count
        ));
    }
    if args.json { out::json(&report) } else { out::write(report.text().as_bytes()) }
}

fn recorded(path: &Path, trace: &Trace) -> Result<RecordedReport> {
    let setup = trace.setup.as_ref().ok_or_else(|| {
        Error::file(path, "the trace does not tell how its cache was set up: it is not one of `--trace`")
    })?;
    let kind: PolicyKind = setup.policy.parse().map_err(|e: Error| Error::file(path, e.to_string()))?;
    let scored = |e: &replay::Requests<'_>| e.have_scores();
    if kind.wants_scores() && !scored(&Requests::new(trace, Selection::All, 0)) {
        return Err(Error::file(path, lacks_scores(kind)));
    }
    let (counts, disagreement) = replay::as_recorded(trace, setup, &|shape| kind.build(shape))?;
    if let Some(disagreement) = disagreement {
        return Err(Error::file(path, disagreement.to_string()));
    }
    let sum = counts.sum();
    Ok(RecordedReport {
        schema: SIMULATE_SCHEMA,
        trace: path.display().to_string(),
        model: setup.model.clone(),
        policy: setup.policy.clone(),
        slots: setup.classes.iter().map(|c| c.slots).sum(),
        requests: sum.requests,
        hits: sum.hits,
        misses: sum.misses,
        evictions: sum.evictions,
        prefill: counts.prefill,
        decode: counts.decode,
    })
}

fn lacks_scores(kind: PolicyKind) -> String {
    format!(
        "policy {kind} goes by the router's probabilities of all experts, which the trace lacks: `--trace-scores` \
             records them"
    )
}

fn simulate(args: &Args, trace: &Trace) -> Result<SimulateReport> {
    let selection = match args.phase {
        Phase::Decode => Selection::Decode,
        Phase::Prefill => Selection::Prefill,
        Phase::All => Selection::All,
    };
    let requests = Requests::new(trace, selection, args.warmup);
    if requests.counted() == 0 {
        let what =
            format!("of {} tokens in this phase none is left behind a warm-up of {}", requests.tokens, args.warmup);
        return Err(Error::file(&args.trace, what));
    }
    let policies = policies(args, &requests)?;
    let sizes = sizes(args, &requests)?;
    let windows = if args.windows.is_empty() {
        WINDOWS.to_vec()
    } else {
        args.windows.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
    };

    let future = Arc::new(Future::new(&requests));
    let rows: Vec<(Contender, (usize, f64))> =
        sizes.iter().flat_map(|&size| policies.iter().map(move |&policy| (policy, size))).collect();
    let ahead: Vec<(usize, (usize, f64))> =
        sizes.iter().flat_map(|&size| windows.iter().map(move |&window| (window, size))).collect();
    let expert_bytes = expert_bytes(args, trace);
    let replay_row = |&(policy, size): &(Contender, (usize, f64))| {
        let layers = replay::run_by_layer(&requests, size.0, &|shape| match policy {
            Contender::Live(kind) => kind.build(shape),
            Contender::Belady => replay::belady(&requests, shape),
        })?;
        let bytes = requests.bytes_per_token(&layers, &expert_bytes);
        Ok(Row::new(policy.name(), size, &PhaseCounts::total(&layers), bytes))
    };
    let replay_ahead = |&(window, size): &(usize, (usize, f64))| {
        let counts = replay::run(&requests, size.0, &|shape| Box::new(Foresight::new(&future, shape, window)))?;
        Ok(Caching::new(window, size, &counts))
    };
    Ok(SimulateReport {
        schema: SIMULATE_SCHEMA,
        trace: args.trace.display().to_string(),
        model: trace.setup.as_ref().map(|setup| setup.model.clone()),
        layers: requests.layers.len(),
        experts: requests.experts(),
        token_cycle: requests.token_cycle(),
        expert_bytes: expert_bytes.clone(),
        phase: selection,
        tokens: requests.tokens,
        tokens_counted: requests.tokens_counted,
        warmup: args.warmup,
        requests: requests.counted(),
        next_token_reuse: locality::next_token_reuse(&requests),
        rows: rows.par_iter().map(replay_row).collect::<Result<_>>()?,
        srp: windows
            .par_iter()
            .map(|&window| Routing { window, value: locality::routing_best_performance(&requests, window) })
            .collect(),
        sch: ahead.par_iter().map(replay_ahead).collect::<Result<_>>()?,
    })
}

/// Bytes of one expert, beside the layers: as given, else as the trace tells; nothing where it does not.
fn expert_bytes(args: &Args, trace: &Trace) -> Vec<u64> {
    args.expert_bytes.map_or_else(|| trace.expert_bytes.clone(), |bytes| vec![bytes; trace.layers.len()])
}

/// The policies that were asked for, or all that the trace has the data for, and the bound last.
fn policies(args: &Args, requests: &Requests<'_>) -> Result<Vec<Contender>> {
    let lacks = |kind: &PolicyKind| kind.wants_scores() && !requests.have_scores();
    if args.policy.is_empty() {
        let (out, mut all): (Vec<_>, Vec<_>) = PolicyKind::ALL.into_iter().partition(lacks);
        out.iter().for_each(|&kind| message::note(&format!("left out: {}", lacks_scores(kind))));
        return Ok(all.drain(..).map(Contender::Live).chain([Contender::Belady]).collect());
    }
    let mut policies: Vec<Contender> = Vec::new();
    for &policy in &args.policy {
        match policy {
            Contender::Live(kind) if lacks(&kind) => return Err(Error::file(&args.trace, lacks_scores(kind))),
            policy if policies.contains(&policy) => {}
            policy => policies.push(policy),
        }
    }
    Ok(policies)
}

/// Slots of each cache, and their share of all experts.
fn sizes(args: &Args, requests: &Requests<'_>) -> Result<Vec<(usize, f64)>> {
    let experts = requests.experts();
    let shares = if args.share.is_empty() { SHARES.to_vec() } else { args.share.clone() };
    let mut sizes: Vec<(usize, f64)> = if args.slots.is_empty() {
        // A share that makes a whole number in decimals makes that number.
        let slots = |share: f64| (share * experts as f64 / 100.0 + 1e-9) as usize;
        shares.iter().map(|&share| (slots(share), share / 100.0)).collect()
    } else {
        args.slots.iter().map(|&slots| (slots, slots as f64 / experts as f64)).collect()
    };
    if let Some(small) = sizes.iter().find(|size| size.0 == 0) {
        let share = 100.0 * small.1;
        return Err(Error::Usage(format!("--share {share} of {experts} experts is less than one slot")));
    }
    let cycle = requests.token_cycle();
    let mut seen = BTreeSet::new();
    sizes.retain(|size| seen.insert(size.0));
    let warned: Vec<_> = sizes.iter().filter(|size| size.0 < cycle).map(|size| size.0.to_string()).collect();
    if !warned.is_empty() {
        message::warnings(&[format!(
            "less than the token cycle of {cycle} slots, which one token touches: {}; most experts leave there before the next \
             token asks for them",
            warned.join(", ")
        )]);
    }
    Ok(sizes)
}
