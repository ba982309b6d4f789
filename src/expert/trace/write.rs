//! Writes a trace while a run goes on: the run moves events into a bounded channel, and a thread formats them.
//!
//! Events travel in batches, because waking the thread for each would cost more than the rest.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{COLUMNS, Event, FIRST_LINE, LAST_LINE, Residency, Routed, Setup};
use crate::error::{Error, Result};
use crate::expert::ExpertId;
use crate::expert::cache::Phase;
use crate::os::Place;

/// Bytes of events that make a batch.
const BATCH_BYTES: usize = 256 << 10;
/// Events that make a batch.
const BATCH_EVENTS: usize = 512;
/// Batches that wait for the thread at most; then the run waits.
const BATCHES: usize = 4;

/// Writes the trace of one run.
///
/// Dropped, it writes what it holds; [`TraceWriter::finish`] also tells whether that worked. Where a signal ends the run, the
/// trace is that of the turns that were over; a file without its last line (see [`super`]) is the rest of a run that could not
/// even do that. Of a run that ended before it routed anything nothing is written: what stood in the file's place stays, and
/// a new file goes away.
pub struct TraceWriter {
    path: PathBuf,
    batch: Vec<Event>,
    batch_bytes: usize,
    /// Whether something was routed.
    routed: bool,
    /// Whether something came since a turn was over.
    in_turn: bool,
    /// `None` once the thread has been told to end.
    batches: Option<SyncSender<Batch>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Events that travel together.
struct Batch {
    events: Vec<Event>,
    /// Told once a turn is over with them and they are in the file.
    kept: Option<SyncSender<()>>,
}

/// Whether a trace of this name is gzip: by its suffix.
pub fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"))
}

impl TraceWriter {
    /// Opens the file. What was there stays until the first events are written. A name that ends in `.gz` means gzip.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread can be made.
    pub fn create(path: impl AsRef<Path>, setup: &Setup) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let io = |e| Error::io(&path, e);
        let out = Out { place: Place::open(&path).map_err(io)?, gzip: is_packed(&path).then(packer) };
        let mut formatter = Formatter::new(setup);
        let head = head(setup).map_err(io)?;
        let (batches, receiver) = sync_channel(BATCHES);
        let write = move || formatter.run(out, &head, &receiver);
        let thread = thread::Builder::new().name("trace".into()).spawn(write).map_err(io)?;
        let (batches, thread) = (Some(batches), Some(thread));
        Ok(Self { path, batch: Vec::new(), batch_bytes: 0, routed: false, in_turn: false, batches, thread })
    }

    /// Takes an event. It is written later; waits only if the file is slower than the run.
    ///
    /// # Errors
    /// Something before it could not be written.
    ///
    /// # Panics
    /// If a [`Routed`]'s lists do not fit together.
    pub fn push(&mut self, event: Event) -> Result<()> {
        self.batch_bytes += size_of::<Event>();
        match &event {
            Event::Routed(routed) => {
                self.routed = true;
                let uses = routed.chosen.len();
                assert!(
                    routed.k > 0 && uses.is_multiple_of(routed.k),
                    "a trace's experts are (tokens, k): {uses} of {}",
                    routed.k
                );
                assert_eq!((uses, uses), (routed.weights.len(), routed.residency.len()), "lists beside the experts");
                self.batch_bytes += uses * 9 + routed.scores.as_ref().map_or(0, |s| s.len() * 4);
            }
            Event::Recalled(memory) => self.batch_bytes += memory.len() * size_of::<(ExpertId, f32)>(),
            _ => {}
        }
        self.batch.push(event);
        self.in_turn = true;
        let full = self.batch.len() >= BATCH_EVENTS || self.batch_bytes >= BATCH_BYTES;
        // what comes before anything is routed is no trace yet
        if self.routed && full { self.send(None) } else { Ok(()) }
    }

    /// A turn is over: waits until what was taken so far is written, so that a signal that ends the run later does not take it
    /// along.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn end_turn(&mut self) -> Result<()> {
        if !self.routed || !std::mem::take(&mut self.in_turn) {
            return Ok(());
        }
        let (kept, wait) = sync_channel(1);
        self.send(Some(kept))?;
        // without an answer the thread has ended, over an error
        wait.recv().or_else(|_| self.join().and(Err(self.lost())))
    }

    /// Writes what is left and the last line.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn finish(mut self) -> Result<()> {
        self.end()
    }

    /// Hands the batch to the thread.
    fn send(&mut self, kept: Option<SyncSender<()>>) -> Result<()> {
        self.batch_bytes = 0;
        let events = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_EVENTS));
        match self.batches.as_ref().map(|batches| batches.send(Batch { events, kept })) {
            Some(Ok(())) => Ok(()),
            // The thread ends early only over an error, which is told once.
            _ => self.join().and(Err(self.lost())),
        }
    }

    fn lost(&self) -> Error {
        Error::io(&self.path, io::Error::other("the trace could not be written"))
    }

    /// Writes what is left, if there is a trace.
    fn end(&mut self) -> Result<()> {
        self.end_turn().and_then(|()| self.join())
    }

    /// Has the thread end, and waits for it.
    fn join(&mut self) -> Result<()> {
        self.batches = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let written = thread.join().unwrap_or_else(|_| Err(io::Error::other("the writer of the trace panicked")));
        written.map_err(|e| Error::io(&self.path, e))
    }
}

impl Drop for TraceWriter {
    fn drop(&mut self) {
        // Nobody is left to tell; `finish` is the way to know.
        let _ = self.end();
    }
}

/// Where the text goes.
struct Out {
    place: Place,
    /// Packs it, where it is packed.
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl Out {
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(gzip) = &mut self.gzip else { return self.place.write_all(text) };
        gzip.write_all(text)?;
        gzip.flush()?;
        self.place.write_all(gzip.get_ref())?;
        gzip.get_mut().clear();
        Ok(())
    }

    /// Ends what is packed: it can be unpacked without what may follow.
    fn close(&mut self) -> io::Result<()> {
        let Some(gzip) = &mut self.gzip else { return Ok(()) };
        self.place.write_all(&std::mem::replace(gzip, packer()).finish()?)
    }
}

fn packer() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::fast())
}

/// The last line as it stands in a file, plain or packed.
fn ending(packed: bool) -> &'static [u8] {
    static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut gzip = packer();
        let packed = gzip.write_all(LAST_LINE.as_bytes()).and_then(|()| gzip.finish());
        packed.expect("nothing fails in memory")
    });
    if packed { &PACKED } else { LAST_LINE.as_bytes() }
}

/// The lines before the first event.
fn head(setup: &Setup) -> io::Result<String> {
    let mut text = format!("{FIRST_LINE}\n# setup {}\n", serde_json::to_string(setup)?);
    for (shape, bytes) in setup.layers.iter().zip(&setup.expert_bytes) {
        text += &format!("# layer={} expert_bytes={bytes}\n", shape.layer);
    }
    Ok(text + COLUMNS + "\n")
}

/// Turns events into lines.
struct Formatter {
    /// Bytes of one expert by model layer.
    expert_bytes: Vec<usize>,
    text: Vec<u8>,
    /// `turn,phase,step,layer,` of a token's rows.
    prefix: Vec<u8>,
    /// Turn, phase, position and tokens of the last pass, and its last layer.
    pass: Option<(u32, Phase, u32, usize, u32)>,
    /// Which experts of a chunk had a row before, by index.
    seen: Vec<bool>,
}

impl Formatter {
    fn new(setup: &Setup) -> Self {
        let mut expert_bytes = vec![0; setup.layers.iter().map(|l| l.layer as usize + 1).max().unwrap_or(0)];
        for (shape, &bytes) in setup.layers.iter().zip(&setup.expert_bytes) {
            expert_bytes[shape.layer as usize] = bytes;
        }
        Self { expert_bytes, text: Vec::new(), prefix: Vec::new(), pass: None, seen: Vec::new() }
    }

    /// Writes the batches that come. Without any there is no trace.
    fn run(&mut self, mut out: Out, head: &str, batches: &Receiver<Batch>) -> io::Result<()> {
        let Ok(first) = batches.recv() else { return Ok(()) };
        let (last_line, mut in_turn) = (ending(out.gzip.is_some()), true);
        out.write(head.as_bytes())?;
        for batch in std::iter::once(first).chain(batches) {
            for event in &batch.events {
                self.event(event)?;
            }
            out.write(&self.text)?;
            self.text.clear();
            in_turn = batch.kept.is_none();
            if let Some(kept) = batch.kept {
                out.close()?;
                out.place.keep(last_line)?;
                // who has stopped waiting needs no answer
                let _ = kept.send(());
            }
        }
        if in_turn {
            out.close()?;
        }
        out.place.write_all(last_line)?;
        out.place.whole()
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut id = |word: &str, id: &ExpertId| writeln!(self.text, "# {word} layer={} expert={}", id.layer, id.index);
        match event {
            Event::Recalled(memory) => {
                self.text.extend_from_slice(b"# recalled");
                for (id, score) in memory {
                    write!(self.text, " {}:{}:{score:?}", id.layer, id.index)?;
                }
                writeln!(self.text)
            }
            Event::Probation(class, slots) => writeln!(self.text, "# probation class={class} slots={slots}"),
            Event::Issued(expert) => id("issued", expert),
            Event::Landed(expert) => id("landed", expert),
            Event::Cancelled(expert) => id("cancelled", expert),
            Event::Promoted(expert) => id("promoted", expert),
            Event::Failed(expert) => id("failed", expert),
            Event::Routed(routed) => self.routed(routed),
            Event::Wave => writeln!(self.text, "# wave"),
        }
    }

    fn routed(&mut self, r: &Routed) -> io::Result<()> {
        self.mark_pass(r)?;
        self.seen.clear();
        let expert_bytes = self.expert_bytes.get(r.layer as usize).copied().unwrap_or(0);
        let (phase, tokens) = (r.phase as u32, r.chosen.len() / r.k);
        for token in 0..tokens {
            self.prefix.clear();
            write!(self.prefix, "{},{phase},{},{},", r.turn, r.position + token as u32, r.layer)?;
            for rank in 0..r.k {
                let at = token * r.k + rank;
                let expert = r.chosen[at];
                if self.seen.len() <= expert as usize {
                    self.seen.resize(expert as usize + 1, false);
                }
                let read =
                    !std::mem::replace(&mut self.seen[expert as usize], true) && r.residency[at] == Residency::Missing;
                self.text.extend_from_slice(&self.prefix);
                integer(&mut self.text, rank);
                self.text.push(b',');
                integer(&mut self.text, expert as usize);
                // Debug is the shortest text that reads back as the same number, with an exponent where that is shorter.
                write!(self.text, ",{:?},", r.weights[at])?;
                integer(&mut self.text, r.residency[at] as usize);
                self.text.push(b',');
                integer(&mut self.text, if read { expert_bytes } else { 0 });
                self.text.push(b'\n');
            }
        }
        if let Some(scores) = &r.scores {
            for token in scores.chunks((scores.len() / tokens.max(1)).max(1)) {
                self.text.extend_from_slice(b"# scores ");
                for (n, score) in token.iter().enumerate() {
                    let comma = if n > 0 { "," } else { "" };
                    write!(self.text, "{comma}{score:?}")?;
                }
                self.text.push(b'\n');
            }
        }
        Ok(())
    }

    /// Marks a new pass where the rows alone do not tell: in prefill, and where a step repeats itself.
    fn mark_pass(&mut self, r: &Routed) -> io::Result<()> {
        let tokens = r.chosen.len() / r.k;
        let goes_on = self.pass.is_some_and(|(turn, phase, position, n, layer)| {
            (turn, phase, position, n) == (r.turn, r.phase, r.position, tokens) && layer < r.layer
        });
        let repeats = self.pass.is_some_and(|(turn, phase, position, _, layer)| {
            (turn, phase, position, layer) == (r.turn, r.phase, r.position, r.layer)
        });
        let several = |phase: Phase, n: usize| phase == Phase::Prefill || n != 1;
        let marked = several(r.phase, tokens) || self.pass.is_some_and(|(_, phase, _, n, _)| several(phase, n));
        if (marked && !goes_on) || repeats {
            let phase = r.phase as u32;
            writeln!(self.text, "# chunk turn={} phase={phase} step={} tokens={tokens}", r.turn, r.position)?;
        }
        self.pass = Some((r.turn, r.phase, r.position, tokens, r.layer));
        Ok(())
    }
}

/// Appends a number in decimal: rows are many, and this is what most of them is.
fn integer(text: &mut Vec<u8>, mut n: usize) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}
