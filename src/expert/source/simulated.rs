//! A disk that is simulated on a virtual clock, so that paging is studied and tested without timing anything.
//!
//! The disk has lanes, a latency per read and a line rate that its reads share: a read waits for a lane, then for its
//! latency, then for its turn on the line. Latencies of different lanes overlap, transfers do not. The clock moves when
//! something waits for the disk and when the caller moves it (computing does).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{LONGEST_PIECE, Landed, Outcome, ReadPath, Source, SourceInfo, Urgency, speculative_lanes};
use crate::expert::{ExpertBuf, ExpertId, ExpertLayer};

/// A clock that stands still until it is moved. Clones tell the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// Time since the clock was made.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
    }

    fn advance_to(&self, time: Duration) {
        self.0.fetch_max(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// What a simulated disk can do.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DiskModel {
    /// From the start of a read to its first byte.
    pub latency: Duration,
    /// Bytes per second of all lanes together.
    pub bytes_per_s: f64,
    /// Reads at once.
    pub lanes: usize,
}

/// An expert on its way.
struct Request {
    id: ExpertId,
    buf: ExpertBuf,
    bytes: u64,
    reads: u64,
    missing: usize,
    cancelled: bool,
}

#[derive(Clone, Copy)]
struct Piece {
    request: usize,
    /// Number of the extent that it is of.
    extent: usize,
    bytes: u64,
    /// When it was queued.
    at: Duration,
}

/// A piece that is being read.
struct Reading {
    piece: Piece,
    urgency: Urgency,
    done: Duration,
}

/// See the module. What it reads leaves the buffers as they are.
pub struct SimulatedDisk {
    model: DiskModel,
    info: SourceInfo,
    clock: Clock,
    /// Until when everything has happened.
    time: Duration,
    /// When the line is free.
    line: Duration,
    /// When each idle lane fell idle.
    idle: Vec<Duration>,
    reading: Vec<Reading>,
    demand: VecDeque<Piece>,
    speculative: VecDeque<Piece>,
    requests: Vec<Option<Request>>,
    landed: VecDeque<Landed>,
    in_flight: usize,
}

impl SimulatedDisk {
    /// A disk on `clock`.
    pub fn new(model: DiskModel, clock: Clock) -> Self {
        let info = SourceInfo { path: ReadPath::Direct, lanes: model.lanes, measured: Vec::new(), note: None };
        Self {
            model,
            info,
            clock,
            time: Duration::ZERO,
            line: Duration::ZERO,
            idle: vec![Duration::ZERO; model.lanes.max(1)],
            reading: Vec::new(),
            demand: VecDeque::new(),
            speculative: VecDeque::new(),
            requests: Vec::new(),
            landed: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// Starts the next piece that may start before `end`, on the lane that has been idle longest.
    fn start(&mut self, end: Duration) -> bool {
        let Some((lane, &idle)) = self.idle.iter().enumerate().min_by_key(|(_, at)| **at) else { return false };
        let guessing = self.reading.iter().filter(|r| r.urgency == Urgency::Speculative).count();
        let may_guess = guessing < speculative_lanes(self.model.lanes);
        let (queue, urgency) = match (self.demand.front(), self.speculative.front()) {
            (Some(_), _) => (&mut self.demand, Urgency::Demand),
            (None, Some(_)) if may_guess => (&mut self.speculative, Urgency::Speculative),
            _ => return false,
        };
        let begin = |piece: &Piece| idle.max(piece.at).max(self.time);
        let Some(piece) = queue.front().copied().filter(|piece| begin(piece) <= end) else { return false };
        queue.pop_front();
        self.idle.swap_remove(lane);
        let begin = (begin(&piece) + self.model.latency).max(self.line);
        self.line = begin + Duration::from_secs_f64(piece.bytes as f64 / self.model.bytes_per_s);
        self.reading.push(Reading { piece, urgency, done: self.line });
        true
    }

    /// Lets happen what happens until `end`.
    fn run(&mut self, end: Duration) {
        loop {
            let next = self.reading.iter().enumerate().min_by_key(|(_, r)| r.done).map(|(i, r)| (i, r.done));
            let until = next.map_or(end, |(_, done)| done.min(end));
            if self.start(until) {
                continue;
            }
            let Some((i, done)) = next.filter(|(_, done)| *done <= end) else { break };
            self.time = done;
            let Reading { piece, .. } = self.reading.swap_remove(i);
            self.idle.push(done);
            if let Some(request) = self.requests[piece.request].as_mut() {
                request.bytes += piece.bytes;
                request.reads += 1;
            }
            self.end_pieces(piece.request, 1);
        }
        self.time = self.time.max(end);
    }

    /// Counts pieces of a request that are over, read or not.
    fn end_pieces(&mut self, request: usize, pieces: usize) {
        let place = &mut self.requests[request];
        let Some(r) = place.as_mut() else { return };
        r.missing -= pieces;
        if r.missing == 0
            && let Some(Request { id, buf, bytes, reads, cancelled, .. }) = place.take()
        {
            self.in_flight -= 1;
            let outcome = if cancelled { Outcome::Cancelled } else { Outcome::Read };
            self.landed.push_back(Landed { id, buf, bytes, reads, outcome });
        }
    }

    fn request_of(&self, id: ExpertId) -> Option<usize> {
        self.requests.iter().position(|r| r.as_ref().is_some_and(|r| r.id == id))
    }
}

impl Source for SimulatedDisk {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn in_flight(&self) -> usize {
        self.in_flight + self.landed.len()
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn submit(&mut self, layer: &ExpertLayer, index: u32, buf: ExpertBuf, urgency: Urgency) {
        let at = self.clock.now();
        self.run(at);
        let id = ExpertId { layer: layer.layer, index };
        let request = self.requests.iter().position(Option::is_none).unwrap_or(self.requests.len());
        let mut missing = 0;
        for (number, extent) in layer.extents.iter().enumerate() {
            let count = (extent.len + urgency.piece() / 2) / urgency.piece();
            let size = extent.len.div_ceil(count.max(1)).max(1);
            for start in (0..extent.len).step_by(size) {
                let piece = Piece { request, extent: number, bytes: size.min(extent.len - start) as u64, at };
                match urgency {
                    Urgency::Demand => self.demand.push_back(piece),
                    Urgency::Speculative => self.speculative.push_back(piece),
                }
                missing += 1;
            }
        }
        let new = Some(Request { id, buf, bytes: 0, reads: 0, missing, cancelled: false });
        match self.requests.get_mut(request) {
            Some(place) => *place = new,
            None => self.requests.push(new),
        }
        self.in_flight += 1;
    }

    fn raise(&mut self, id: ExpertId) {
        self.run(self.clock.now());
        let Some(request) = self.request_of(id) else { return };
        let (raised, others): (Vec<_>, Vec<_>) = self.speculative.drain(..).partition(|p| p.request == request);
        self.speculative.extend(others);
        let mut joined: Vec<Piece> = Vec::new();
        for piece in raised {
            match joined.last_mut() {
                Some(last) if last.extent == piece.extent && last.bytes + piece.bytes <= LONGEST_PIECE as u64 => {
                    last.bytes += piece.bytes;
                    self.end_pieces(request, 1);
                }
                _ => joined.push(piece),
            }
        }
        self.demand.extend(joined);
    }

    fn cancel(&mut self, id: ExpertId) {
        self.run(self.clock.now());
        let Some(request) = self.request_of(id) else { return };
        let before = self.demand.len() + self.speculative.len();
        self.demand.retain(|p| p.request != request);
        self.speculative.retain(|p| p.request != request);
        let given_up = before - self.demand.len() - self.speculative.len();
        if given_up > 0
            && let Some(r) = self.requests[request].as_mut()
        {
            r.cancelled = true;
        }
        self.end_pieces(request, given_up);
    }

    fn poll(&mut self) -> Option<Landed> {
        self.run(self.clock.now());
        self.landed.pop_front()
    }

    fn wait(&mut self) -> Option<Landed> {
        self.run(self.clock.now());
        while self.landed.is_empty() && self.in_flight > 0 {
            // whatever ends next: a lane is free then, or an expert is whole
            let next = self.reading.iter().map(|r| r.done).min();
            let Some(next) = next.or_else(|| self.idle.iter().min().copied()) else { break };
            self.clock.advance_to(next);
            self.run(self.clock.now());
        }
        self.landed.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::{ExpertMatrix, Extent};
    use crate::gguf::GgmlType;

    /// Experts of two extents of 500,000 bytes, one piece each when demanded.
    fn layer() -> ExpertLayer {
        let matrix = ExpertMatrix { ty: GgmlType::F32, rows: 1, cols: 1, extent: 0, start: 0 };
        let extents = vec![Extent { shard: 0, offset: 0, len: 500_000 }; 2];
        ExpertLayer { layer: 3, count: 8, matrices: [matrix; 3], extents, class: 0, slot_bytes: 0 }
    }

    /// 1 ms of latency, 1 GB/s, two lanes.
    fn disk() -> (SimulatedDisk, Clock) {
        let clock = Clock::default();
        let model = DiskModel { latency: Duration::from_millis(1), bytes_per_s: 1e9, lanes: 2 };
        (SimulatedDisk::new(model, clock.clone()), clock)
    }

    fn submit(disk: &mut SimulatedDisk, index: u32, urgency: Urgency) {
        disk.submit(&layer(), index, ExpertBuf::new(0), urgency);
    }

    fn wait(disk: &mut SimulatedDisk, clock: &Clock) -> (u32, u128) {
        let landed = disk.wait().unwrap();
        (landed.id.index, clock.now().as_micros())
    }

    #[test]
    fn latencies_overlap_and_transfers_share_the_line() {
        let (mut disk, clock) = disk();
        submit(&mut disk, 5, Urgency::Demand);
        assert_eq!(wait(&mut disk, &clock), (5, 2000));
        submit(&mut disk, 1, Urgency::Demand);
        submit(&mut disk, 2, Urgency::Demand);
        assert_eq!(wait(&mut disk, &clock), (1, 4000));
        assert_eq!(wait(&mut disk, &clock), (2, 5500));
        assert!(disk.wait().is_none());
    }

    #[test]
    fn reads_go_on_while_the_caller_computes() {
        let (mut disk, clock) = disk();
        submit(&mut disk, 5, Urgency::Demand);
        clock.advance(Duration::from_micros(1999));
        assert!(disk.poll().is_none());
        clock.advance(Duration::from_micros(1));
        assert_eq!(disk.poll().unwrap().id.index, 5);
        assert_eq!(clock.now().as_micros(), 2000);
    }

    #[test]
    fn demand_reads_overtake_speculative_ones_that_have_not_begun() {
        let (mut disk, clock) = disk();
        submit(&mut disk, 1, Urgency::Speculative);
        submit(&mut disk, 2, Urgency::Demand);
        assert_eq!(wait(&mut disk, &clock).0, 2);
        assert_eq!(wait(&mut disk, &clock).0, 1);
    }

    #[test]
    fn a_raised_read_takes_all_lanes_and_a_cancelled_one_comes_back_at_once() {
        let (mut disk, clock) = disk();
        submit(&mut disk, 1, Urgency::Speculative);
        disk.raise(ExpertId { layer: 3, index: 1 });
        let landed = disk.wait().unwrap();
        assert_eq!(landed.reads, 3, "one had begun; of the other three two are neighbours");
        let raised = clock.now().as_micros();
        submit(&mut disk, 2, Urgency::Speculative);
        let begin = clock.now().as_micros();
        let quiet = wait(&mut disk, &clock).1 - begin;
        assert!(raised < quiet, "{raised} {quiet}");
        let begin = clock.now();
        submit(&mut disk, 3, Urgency::Demand);
        submit(&mut disk, 4, Urgency::Demand);
        disk.cancel(ExpertId { layer: 3, index: 4 });
        let landed = disk.poll().unwrap();
        assert!((landed.id.index, landed.bytes) == (4, 0) && matches!(landed.outcome, Outcome::Cancelled));
        assert_eq!(clock.now(), begin);
        assert_eq!(wait(&mut disk, &clock).0, 3);
    }
}
