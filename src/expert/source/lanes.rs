//! Reader threads: each takes the oldest demanded piece, or a speculative one if none is demanded and few lanes read
//! speculatively; reads it, and sends it back.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::Urgency;
use super::file::{Piece, ReadCost, Shards};
use crate::error::{Error, Result};

/// A piece to be read, and whose it is.
pub(super) struct Job {
    /// Number of the request.
    pub(super) request: usize,
    /// Number of the piece in it.
    pub(super) index: usize,
    pub(super) piece: Piece,
}

/// A job that has been read, or has failed to be; the memory comes back in either case.
pub(super) struct Done {
    pub(super) job: Job,
    pub(super) result: Result<ReadCost>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    demand: VecDeque<Job>,
    speculative: VecDeque<Job>,
    /// Lanes that read speculatively, and how many may.
    guessing: usize,
    may_guess: usize,
    closed: bool,
}

impl Queue {
    /// The state: a push or pop is whole even if a thread died elsewhere, so poison means nothing here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece for a lane whose last one was read with `before`.
    fn next(&self, before: Urgency) -> Option<(Job, Urgency)> {
        let mut state = self.lock();
        if before == Urgency::Speculative {
            state.guessing -= 1;
        }
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.demand.pop_front() {
                return Some((job, Urgency::Demand));
            }
            if state.guessing < state.may_guess
                && let Some(job) = state.speculative.pop_front()
            {
                state.guessing += 1;
                return Some((job, Urgency::Speculative));
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The threads and their queue. Dropping it forgets what has not begun and waits for the reads that have.
pub(super) struct Lanes {
    queue: Arc<Queue>,
    done: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
}

impl Lanes {
    /// Starts `count` threads, of which at most `may_guess` read speculatively at once.
    pub(super) fn start(shards: &Arc<Shards>, count: usize, may_guess: usize) -> Result<Self> {
        let queue = Arc::new(Queue::default());
        queue.lock().may_guess = may_guess;
        let (sender, done) = channel();
        let mut lanes = Self { queue, done, threads: Vec::new() };
        for n in 0..count {
            let (queue, shards, sender) = (lanes.queue.clone(), shards.clone(), sender.clone());
            let thread = std::thread::Builder::new()
                .name(format!("lane-{n}"))
                .spawn(move || lane(&queue, &shards, &sender))
                .map_err(|e| Error::Unsupported(format!("cannot start reader thread {} of {count}: {e}", n + 1)))?;
            lanes.threads.push(thread);
        }
        Ok(lanes)
    }

    pub(super) fn push(&self, jobs: Vec<Job>, urgency: Urgency) {
        let mut state = self.queue.lock();
        match urgency {
            Urgency::Demand => state.demand.extend(jobs),
            Urgency::Speculative => state.speculative.extend(jobs),
        }
        drop(state);
        self.queue.wake.notify_all();
    }

    /// Takes back what has not begun of a speculative request, in its order.
    pub(super) fn take_speculative(&self, request: usize) -> Vec<Job> {
        take_out(&mut self.queue.lock().speculative, request)
    }

    /// Takes back what has not begun of a request.
    pub(super) fn take_back(&self, request: usize) -> Vec<Job> {
        let mut state = self.queue.lock();
        let mut jobs = take_out(&mut state.speculative, request);
        jobs.extend(take_out(&mut state.demand, request));
        jobs
    }

    /// The next job done, without waiting.
    pub(super) fn poll(&self) -> Option<Done> {
        self.done.try_recv().ok()
    }

    /// The next job done. The caller has jobs outstanding, or this waits for ever.
    pub(super) fn wait(&self) -> Done {
        self.done.recv().expect("reader threads end only when the lanes are dropped")
    }
}

/// The jobs of a request, taken out of a queue.
fn take_out(queue: &mut VecDeque<Job>, request: usize) -> Vec<Job> {
    let (mine, others): (Vec<_>, Vec<_>) = queue.drain(..).partition(|job| job.request == request);
    queue.extend(others);
    mine
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        state.demand.clear();
        state.speculative.clear();
        drop(state);
        self.queue.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself; there is nothing of its to save.
            let _ = thread.join();
        }
    }
}

fn lane(queue: &Queue, shards: &Shards, done: &Sender<Done>) {
    let mut urgency = Urgency::Demand;
    while let Some((mut job, how)) = queue.next(urgency) {
        urgency = how;
        let result = shards.read(&mut job.piece);
        if done.send(Done { job, result }).is_err() {
            return;
        }
    }
}
