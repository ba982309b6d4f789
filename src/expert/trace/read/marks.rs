//! The `#` lines of a trace.

use super::{MAX_EXPERT_BYTES, MAX_EXPERTS, MAX_EXPERTS_PER_LAYER, MAX_LAYERS, shown};
use crate::expert::ExpertId;
use crate::expert::cache::{Phase, PolicyKind};
use crate::expert::trace::{Event, Setup};

/// What a `#` line of our own says.
pub(super) enum Mark {
    Setup(Setup),
    Chunk(Chunk),
    /// A token's scores follow the rows of its layer.
    Scores(Vec<f32>),
    Event(Event),
    End,
    /// Anything else, such as facts for people.
    Other,
}

/// The pass that the next rows belong to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chunk {
    pub turn: u32,
    pub phase: Phase,
    pub step: u32,
    pub tokens: usize,
}

/// Reads a line of our own, its `#` left out.
///
/// # Errors
/// What is wrong with it.
pub(super) fn mark(line: &str) -> Result<Mark, String> {
    let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let event = |make: fn(ExpertId) -> Event| {
        let [layer, index] = fields(rest, ["layer", "expert"])?;
        expert(u64::from(layer), u64::from(index)).map(|id| Mark::Event(make(id)))
    };
    match word {
        "setup" => setup(rest).map(Mark::Setup),
        "chunk" => {
            let [turn, phase, step, tokens] = fields(rest, ["turn", "phase", "step", "tokens"])?;
            Ok(Mark::Chunk(Chunk { turn, phase: self::phase(phase)?, step, tokens: tokens as usize }))
        }
        "scores" => rest.split(',').map(number).collect::<Result<_, _>>().map(Mark::Scores),
        "recalled" => rest
            .split_ascii_whitespace()
            .map(remembered)
            .collect::<Result<_, _>>()
            .map(Event::Recalled)
            .map(Mark::Event),
        "probation" => {
            let [class, slots] = fields(rest, ["class", "slots"])?;
            Ok(Mark::Event(Event::Probation(class as usize, slots as usize)))
        }
        "issued" => event(Event::Issued),
        "landed" => event(Event::Landed),
        "cancelled" => event(Event::Cancelled),
        "promoted" => event(Event::Promoted),
        "failed" => event(Event::Failed),
        "wave" => Ok(Mark::Event(Event::Wave)),
        "end" => Ok(Mark::End),
        _ => Ok(Mark::Other),
    }
}

/// A number after `name=` in a `#` line of any engine.
pub(super) fn fact(line: &str, name: &str) -> Option<usize> {
    line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// A layer and the bytes of one of its experts, in a `#` line of any engine that tells both.
///
/// # Errors
/// No expert is as large.
pub(super) fn size(line: &str) -> Result<Option<(usize, u64)>, String> {
    let layer = fact(line, "layer").filter(|&layer| layer < MAX_LAYERS);
    let bytes = fact(line, "expert_bytes").filter(|&bytes| bytes > 0);
    let Some((layer, bytes)) = layer.zip(bytes) else { return Ok(None) };
    bytes_fit(bytes as u64).map(|bytes| Some((layer, bytes)))
}

fn bytes_fit(bytes: u64) -> Result<u64, String> {
    if bytes <= MAX_EXPERT_BYTES {
        Ok(bytes)
    } else {
        Err(format!("an expert of {bytes} bytes: {MAX_EXPERT_BYTES} at most"))
    }
}

/// The phase of a number.
pub(super) fn phase(number: u32) -> Result<Phase, String> {
    match number {
        0 => Ok(Phase::Prefill),
        1 => Ok(Phase::Decode),
        _ => Err(format!("phase {number}: 0 is prefill and 1 decode")),
    }
}

/// An expert within the limits.
pub(super) fn expert(layer: u64, index: u64) -> Result<ExpertId, String> {
    if layer >= MAX_LAYERS as u64 {
        return Err(format!("layer {layer}: {MAX_LAYERS} layers at most"));
    }
    if index >= MAX_EXPERTS_PER_LAYER as u64 {
        return Err(format!("expert {index}: {MAX_EXPERTS_PER_LAYER} per layer at most"));
    }
    Ok(ExpertId { layer: layer as u32, index: index as u32 })
}

/// `name=number` for each of the names, in their order.
fn fields<const N: usize>(text: &str, names: [&str; N]) -> Result<[u32; N], String> {
    let mut numbers = [0; N];
    let mut words = text.split_ascii_whitespace();
    for (number, name) in numbers.iter_mut().zip(names) {
        let value = words.next().and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
        let value = value.ok_or_else(|| format!("`{name}=` is missing"))?;
        *number = value.parse().map_err(|_| format!("{name} is {}, no number", shown(value.as_bytes())))?;
    }
    Ok(numbers)
}

fn number(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| format!("{} is no number", shown(text.as_bytes())))
}

/// `layer:index:score`.
fn remembered(text: &str) -> Result<(ExpertId, f32), String> {
    let wrong = || format!("{} is not layer:expert:score", shown(text.as_bytes()));
    let mut parts = text.splitn(3, ':');
    let mut id = || parts.next().and_then(|part| part.parse().ok()).ok_or_else(wrong);
    let id = expert(id()?, id()?)?;
    Ok((id, number(parts.next().ok_or_else(wrong)?)?))
}

/// The setup, once it is one that a cache can be built from.
fn setup(json: &str) -> Result<Setup, String> {
    let setup: Setup = serde_json::from_str(json).map_err(|e| format!("the setup cannot be read: {e}"))?;
    let slots = setup.classes.iter().try_fold(0usize, |sum, class| sum.checked_add(class.slots));
    let experts = setup.layers.iter().try_fold(0usize, |sum, layer| sum.checked_add(layer.count));
    let ascending = setup.layers.windows(2).all(|pair| pair[0].layer < pair[1].layer);
    let layers_fit = setup
        .layers
        .iter()
        .all(|l| (l.layer as usize) < MAX_LAYERS && l.count <= MAX_EXPERTS_PER_LAYER && l.class < setup.classes.len());
    if setup.layers.is_empty() || !ascending || !layers_fit || experts.is_none_or(|n| n > MAX_EXPERTS) {
        return Err("the setup's layers do not fit together".into());
    }
    if slots.is_none_or(|n| n > MAX_EXPERTS) || setup.expert_bytes.len() != setup.layers.len() {
        return Err("the setup's slots or sizes do not fit its layers".into());
    }
    if let Some(layer) = setup.layers.iter().find(|l| setup.classes[l.class].slots == 0) {
        return Err(format!("the setup has no slot for the experts of layer {}", layer.layer));
    }
    setup.policy.parse::<PolicyKind>().map_err(|e| e.to_string())?;
    setup.expert_bytes.iter().try_for_each(|&bytes| bytes_fit(bytes as u64).map(drop))?;
    Ok(setup)
}
