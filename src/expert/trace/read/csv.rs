//! Rows become requests again.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::marks::{self, Chunk, Mark};
use super::{
    Lines, MAX_EXPERTS, MAX_EXPERTS_PER_LAYER, MAX_EXPERTS_PER_TOKEN, MAX_LAYERS, MAX_ROWS, Recorded, Trace, error_at,
    shown,
};
use crate::error::Result;
use crate::expert::LayerShape;
use crate::expert::cache::Phase;
use crate::expert::trace::{COLUMNS, Event, FIRST_LINE, Residency, Routed, Setup};

/// Columns that we read; the last one follows from the others.
const NAMES: usize = 9;
/// Columns of a row at most.
const MAX_COLUMNS: usize = 32;

/// Reads rows until the end.
pub(super) fn parse(lines: &mut Lines<'_, impl BufRead>, experts: Option<usize>) -> Result<Trace> {
    let mut reader = Reader { experts, line: 1, ..Reader::default() };
    let mut columns: Option<[usize; NAMES]> = None;
    let mut ended = false;
    loop {
        let read = match lines.next()? {
            None => break,
            Some(_) if ended => Err("the trace goes on after its end".into()),
            Some(line) if line.trim_ascii().is_empty() => Ok(()),
            Some([b'#', text @ ..]) => reader.comment(&String::from_utf8_lossy(text), &mut ended),
            Some(line) => match &columns {
                None => header(line).map(|found| columns = Some(found)),
                Some(columns) => row(line, columns).and_then(|row| reader.row(row)),
            },
        };
        read.map_err(|what| lines.error(what))?;
        reader.line = lines.number + 1;
    }
    if columns.is_none() {
        return Err(lines.error(format!("no columns: a trace has {COLUMNS}")));
    }
    if reader.ours && !ended {
        return Err(lines.error("the trace has no end: the run that wrote it was killed, or the file is cut off"));
    }
    reader.close().map_err(|what| lines.error(what))?;
    reader.finish(lines)
}

/// Where each of our columns stands.
fn header(line: &[u8]) -> Result<[usize; NAMES], String> {
    let line = String::from_utf8_lossy(line);
    let found: Vec<&str> = line.split(',').map(str::trim).collect();
    let mut columns = [0; NAMES];
    let mut missing = Vec::new();
    for (column, name) in columns.iter_mut().zip(COLUMNS.split(',')) {
        match found.iter().take(MAX_COLUMNS).position(|f| *f == name) {
            Some(at) => *column = at,
            None => missing.push(name),
        }
    }
    match missing.as_slice() {
        [] => Ok(columns),
        some => Err(format!("the trace lacks the columns {}: it needs {COLUMNS}", some.join(", "))),
    }
}

/// One row.
struct Row {
    turn: u32,
    phase: Phase,
    step: u32,
    layer: u32,
    slot: u32,
    expert: u32,
    weight: f32,
    residency: Residency,
}

fn row(line: &[u8], columns: &[usize; NAMES]) -> Result<Row, String> {
    let mut fields: [&[u8]; MAX_COLUMNS] = [b""; MAX_COLUMNS];
    let mut count = 0;
    for (field, text) in fields.iter_mut().zip(line.split(|&b| b == b',')) {
        *field = text.trim_ascii();
        count += 1;
    }
    let names = || COLUMNS.split(',');
    let field = |column: usize| match columns[column] {
        at if at < count => Ok(fields[at]),
        _ => Err(format!("the row lacks {}", names().nth(column).unwrap_or_default())),
    };
    let wrong = |column: usize, text: &[u8]| {
        format!("{} is {}, no number", names().nth(column).unwrap_or_default(), shown(text))
    };
    let integer = |column: usize| {
        let text = field(column)?;
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u32>().ok());
        number.ok_or_else(|| wrong(column, text))
    };
    let weight = field(6)?;
    let bytes = field(8)?;
    if bytes.is_empty() || bytes.len() > 20 || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(wrong(8, bytes));
    }
    let id = marks::expert(u64::from(integer(3)?), u64::from(integer(5)?))?;
    Ok(Row {
        turn: integer(0)?,
        phase: marks::phase(integer(1)?)?,
        step: integer(2)?,
        layer: id.layer,
        slot: integer(4)?,
        expert: id.index,
        weight: std::str::from_utf8(weight)
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|weight: &f32| weight.is_finite())
            .ok_or_else(|| wrong(6, weight))?,
        residency: match integer(7)? {
            0 => Residency::Missing,
            1 => Residency::Resident,
            2 => Residency::Prefetched,
            3 => Residency::Late,
            n => return Err(format!("residency {n}: 0 to 3 have a meaning")),
        },
    })
}

/// The rows of one layer in one step, as far as they have been read.
struct Group {
    line: u64,
    routed: Routed,
    /// Position of the token whose rows are being read.
    step: u32,
    /// Rows of it.
    rows: usize,
    /// Experts per token, once a token is whole.
    k: Option<usize>,
}

impl Group {
    /// The token's rows are all there.
    fn token_done(&mut self) -> Result<(), String> {
        let (step, layer) = (self.step, self.routed.layer);
        match self.k.replace(self.rows) {
            Some(k) if k != self.rows => {
                Err(format!("step {step}, layer {layer}: {} experts where the token before has {k}", self.rows))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct Reader {
    /// Whether the file is one of our own.
    ours: bool,
    setup: Option<Setup>,
    experts: Option<usize>,
    /// What another engine's head says of the model.
    layers_told: Option<usize>,
    experts_told: Option<usize>,
    /// And of the size of an expert, by layer.
    bytes_told: BTreeMap<usize, u64>,
    events: Vec<Recorded>,
    group: Option<Group>,
    chunk: Option<Chunk>,
    /// The line that is being read.
    line: u64,
    rows: usize,
    /// Largest id + 1 and experts per token by layer; 0 for layers that asked for nothing.
    seen: Vec<(usize, usize)>,
}

impl Reader {
    fn comment(&mut self, text: &str, ended: &mut bool) -> Result<(), String> {
        if self.line == 1 {
            self.ours = FIRST_LINE.strip_prefix('#') == Some(text.trim_end());
            if !self.ours && text.trim_start().starts_with("foregate trace") {
                return Err("a trace of another version of foregate".into());
            }
        }
        if !self.ours {
            self.layers_told = self.layers_told.or(marks::fact(text, "n_layer"));
            self.experts_told = self.experts_told.or(marks::fact(text, "n_expert"));
            self.bytes_told.extend(marks::size(text)?);
            return match (self.experts_told, self.experts) {
                (Some(told), Some(given)) if told != given => {
                    Err(format!("the trace tells that a layer has {told} experts, and not {given}"))
                }
                (Some(n), _) if n == 0 || n > MAX_EXPERTS_PER_LAYER => {
                    Err(format!("n_expert={n}: a layer has 1 to {MAX_EXPERTS_PER_LAYER} experts"))
                }
                _ => Ok(()),
            };
        }
        match marks::mark(text)? {
            Mark::Other => return Ok(()),
            Mark::Scores(scores) => return self.scores(&scores),
            Mark::Setup(setup) => {
                if self.setup.is_some() || self.rows > 0 {
                    return Err("a second setup".into());
                }
                if let Some(n) = self.experts.filter(|&n| setup.layers.iter().any(|l| l.count != n)) {
                    return Err(format!("the trace tells its experts per layer, and they are not {n}"));
                }
                self.setup = Some(setup);
            }
            Mark::Chunk(chunk) => {
                self.close()?;
                self.chunk = Some(chunk);
            }
            Mark::Event(event) => {
                self.close()?;
                self.events.push(Recorded { line: self.line, event });
            }
            Mark::End => *ended = true,
        }
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), String> {
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(format!("more than {MAX_ROWS} rows"));
        }
        self.check_expert(&row)?;
        let in_chunk = self.chunk.is_some_and(|c| {
            (c.turn, c.phase) == (row.turn, row.phase)
                && row.step.checked_sub(c.step).is_some_and(|n| (n as usize) < c.tokens)
        });
        if !in_chunk && self.chunk.is_some() {
            self.close()?;
            self.chunk = None;
        }
        let goes_on = self.group.as_ref().is_some_and(|g| {
            let same = (g.routed.turn, g.routed.phase, g.routed.layer) == (row.turn, row.phase, row.layer);
            let next_token = row.slot == 0 && row.step > g.step && (in_chunk || row.phase == Phase::Prefill);
            same && ((row.step == g.step && row.slot > 0) || next_token)
        });
        if !goes_on {
            self.close()?;
            let routed = Routed {
                turn: row.turn,
                phase: row.phase,
                position: row.step,
                layer: row.layer,
                k: 0,
                chosen: Vec::new(),
                weights: Vec::new(),
                residency: Vec::new(),
                scores: None,
            };
            self.group = Some(Group { line: self.line, routed, step: row.step, rows: 0, k: None });
        }
        let Some(group) = &mut self.group else { return Ok(()) };
        if row.step != group.step {
            if in_chunk && row.step != group.step + 1 {
                return Err(format!("step {} is missing in layer {}", group.step + 1, row.layer));
            }
            group.token_done()?;
            (group.step, group.rows) = (row.step, 0);
        }
        if row.slot as usize != group.rows {
            return Err(format!("slot {} where slot {} is due", row.slot, group.rows));
        }
        if group.rows == MAX_EXPERTS_PER_TOKEN {
            return Err(format!("more than {MAX_EXPERTS_PER_TOKEN} experts per token"));
        }
        let of_token = &group.routed.chosen[group.routed.chosen.len() - group.rows..];
        if of_token.contains(&row.expert) {
            return Err(format!("expert {} twice in step {}, layer {}", row.expert, row.step, row.layer));
        }
        group.rows += 1;
        group.routed.chosen.push(row.expert);
        group.routed.weights.push(row.weight);
        group.routed.residency.push(row.residency);
        Ok(())
    }

    fn check_expert(&mut self, row: &Row) -> Result<(), String> {
        let count = match &self.setup {
            Some(setup) => match setup.layers.binary_search_by_key(&row.layer, |l| l.layer) {
                Ok(at) => setup.layers[at].count,
                Err(_) => return Err(format!("layer {}: the setup has no such layer with experts", row.layer)),
            },
            None => self.experts.or(self.experts_told).unwrap_or(MAX_EXPERTS_PER_LAYER),
        };
        if row.expert as usize >= count {
            return Err(format!("expert {} of layer {}: the layer has {count}", row.expert, row.layer));
        }
        if self.layers_told.is_some_and(|n| row.layer as usize >= n) {
            return Err(format!("layer {}: the model has {}", row.layer, self.layers_told.unwrap_or(0)));
        }
        Ok(())
    }

    fn scores(&mut self, token: &[f32]) -> Result<(), String> {
        let count = self.setup.as_ref().zip(self.group.as_ref()).and_then(|(setup, group)| {
            let at = setup.layers.binary_search_by_key(&group.routed.layer, |l| l.layer).ok()?;
            Some(setup.layers[at].count)
        });
        let (Some(count), Some(group)) = (count, &mut self.group) else {
            return Err("scores without the rows of their layer before them".into());
        };
        if token.len() != count {
            return Err(format!("{} scores of {count} experts", token.len()));
        }
        group.routed.scores.get_or_insert_default().extend_from_slice(token);
        Ok(())
    }

    /// What was being read is whole, if it is.
    fn close(&mut self) -> Result<(), String> {
        let Some(mut group) = self.group.take() else { return Ok(()) };
        group.token_done()?;
        let k = group.rows;
        let Group { line, mut routed, .. } = group;
        routed.k = k;
        let (layer, tokens) = (routed.layer, routed.chosen.len() / k.max(1));
        if self.chunk.is_some_and(|chunk| chunk.tokens != tokens) {
            return Err(format!("layer {layer} lists {tokens} tokens of a chunk of another number"));
        }
        let count = routed.scores.as_ref().zip(self.setup.as_ref()).and_then(|(scores, setup)| {
            let at = setup.layers.binary_search_by_key(&layer, |l| l.layer).ok()?;
            (scores.len() != tokens * setup.layers[at].count).then_some(scores.len())
        });
        if let Some(scores) = count {
            return Err(format!("layer {layer}: {scores} scores are not those of {tokens} tokens"));
        }
        if self.seen.len() <= layer as usize {
            self.seen.resize(layer as usize + 1, (0, 0));
        }
        let (most, known) = &mut self.seen[layer as usize];
        if *known != 0 && *known != k {
            return Err(format!("layer {layer}: {k} experts per token where there were {known} before"));
        }
        *known = k;
        *most = routed.chosen.iter().map(|&id| id as usize + 1).max().unwrap_or(0).max(*most);
        self.events.push(Recorded { line, event: Event::Routed(routed) });
        Ok(())
    }

    /// The layers that the trace is about.
    fn finish(self, lines: &Lines<'_, impl BufRead>) -> Result<Trace> {
        let Self { setup, experts, experts_told, bytes_told, events, seen, .. } = self;
        if let Some(setup) = &setup {
            let layers = setup.layers.clone();
            let expert_bytes = setup.expert_bytes.iter().map(|&bytes| bytes as u64).collect();
            let setup = Some(setup.clone());
            return Ok(Trace { layers, expert_bytes, setup, events, experts_guessed: false });
        }
        let told = experts.or(experts_told);
        let largest = seen.iter().map(|s| s.0).max().unwrap_or(0);
        let layers = layer_shapes((0..seen.len()).filter(|&l| seen[l].1 > 0), told.unwrap_or(largest));
        if layers.len() * told.unwrap_or(largest) > MAX_EXPERTS || layers.len() > MAX_LAYERS {
            return Err(lines.error(format!("more than {MAX_EXPERTS} experts")));
        }
        check_passes(&events, layers.len()).map_err(|(line, what)| error_at(lines.path, line, what))?;
        let size = |layer: &LayerShape| bytes_told.get(&(layer.layer as usize)).copied();
        let expert_bytes = layers.iter().map(size).collect::<Option<_>>().unwrap_or_default();
        Ok(Trace { setup: None, layers, expert_bytes, events, experts_guessed: told.is_none() })
    }
}

/// Layers of one class with the same number of experts.
pub(super) fn layer_shapes(layers: impl Iterator<Item = usize>, count: usize) -> Vec<LayerShape> {
    layers.map(|layer| LayerShape { layer: layer as u32, count, class: 0 }).collect()
}

/// Every new token goes through all layers, but the last of a file that was cut off.
fn check_passes(events: &[Recorded], layers: usize) -> Result<(), (u64, String)> {
    let mut open: Option<(u64, &Routed, usize)> = None;
    for recorded in events {
        let Event::Routed(routed) = &recorded.event else { continue };
        let same = |r: &Routed| {
            (r.turn, r.phase, r.position) == (routed.turn, routed.phase, routed.position) && r.layer < routed.layer
        };
        open = Some(match open.take() {
            Some((line, first, n)) if same(first) => (line, first, n + 1),
            Some((line, first, n)) if first.phase == Phase::Decode && n != layers => {
                return Err((line, format!("step {} lists {n} layers, the trace has {layers}", first.position)));
            }
            _ => (recorded.line, routed, 1),
        });
    }
    Ok(())
}
