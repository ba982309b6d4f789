//! One JSON object per token: `{"tok": n, "layers": [[ids], ...]}`.

use std::io::BufRead;

use serde::Deserialize;

use super::{Lines, MAX_EXPERTS, MAX_EXPERTS_PER_LAYER, MAX_LAYERS, MAX_ROWS, Recorded, Trace, csv};
use crate::error::Result;
use crate::expert::cache::Phase;
use crate::expert::trace::{Event, Residency, Routed};

#[derive(Deserialize)]
struct Token {
    tok: Option<u32>,
    layers: Vec<Vec<u32>>,
}

/// Reads tokens until the end. Each is a decode step; layers whose list is empty are dense ones.
pub(super) fn parse(lines: &mut Lines<'_, impl BufRead>, experts: Option<usize>) -> Result<Trace> {
    let mut events = Vec::new();
    let mut used: Vec<usize> = Vec::new();
    let (mut largest, mut rows, mut tokens) = (0, 0, 0u32);
    loop {
        let parsed = match lines.next()? {
            None => break,
            Some(line) if line.trim_ascii().is_empty() => continue,
            Some(line) => serde_json::from_slice::<Token>(line),
        };
        let token = parsed.map_err(|e| {
            let why = e.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            lines.error(format!("no {{\"tok\": n, \"layers\": [[ids], ...]}}: {why}, column {}", e.column()))
        })?;
        if used.is_empty() {
            used = token.layers.iter().map(Vec::len).collect();
        }
        check(&token, &used, experts.unwrap_or(MAX_EXPERTS_PER_LAYER)).map_err(|what| lines.error(what))?;
        rows += used.iter().sum::<usize>();
        if rows > MAX_ROWS {
            return Err(lines.error(format!("more than {MAX_ROWS} requests")));
        }
        let position = token.tok.unwrap_or(tokens);
        tokens += 1;
        for (layer, chosen) in (0..).zip(token.layers).filter(|(_, chosen)| !chosen.is_empty()) {
            largest = chosen.iter().map(|&id| id as usize + 1).max().unwrap_or(0).max(largest);
            events.push(Recorded { line: lines.number, event: Event::Routed(decode_step(position, layer, chosen)) });
        }
    }
    let count = experts.unwrap_or(largest);
    let layers = csv::layer_shapes((0..used.len()).filter(|&l| used[l] > 0), count);
    if layers.len() * count > MAX_EXPERTS {
        return Err(lines.error(format!("more than {MAX_EXPERTS} experts")));
    }
    Ok(Trace { setup: None, layers, expert_bytes: Vec::new(), events, experts_guessed: experts.is_none() })
}

/// Whether a token's lists fit those of the first token and the layer.
fn check(token: &Token, used: &[usize], count: usize) -> Result<(), String> {
    if token.layers.len() != used.len() || used.len() > MAX_LAYERS {
        return Err(format!("{} layers, the first token has {}; {MAX_LAYERS} at most", token.layers.len(), used.len()));
    }
    for (layer, (ids, &k)) in token.layers.iter().zip(used).enumerate() {
        if ids.len() != k {
            return Err(format!("layer {layer}: {} experts, the first token has {k}", ids.len()));
        }
        if let Some(id) = ids.iter().find(|&&id| id as usize >= count) {
            return Err(format!("expert {id} of layer {layer}: the layer has {count}"));
        }
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("layer {layer}: expert {} twice", pair[0]));
        }
    }
    Ok(())
}

fn decode_step(position: u32, layer: u32, chosen: Vec<u32>) -> Routed {
    let k = chosen.len();
    Routed {
        turn: 0,
        phase: Phase::Decode,
        position,
        layer,
        k,
        chosen,
        // The form does not tell these.
        weights: vec![0.0; k],
        residency: vec![Residency::Missing; k],
        scores: None,
    }
}
