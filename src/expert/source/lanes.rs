//! Reader threads: each takes the oldest piece from one queue, reads it, and sends it back.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

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
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    /// The state: a push or pop is whole even if a thread died elsewhere, so poison means nothing here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
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
    pub(super) fn start(shards: &Arc<Shards>, count: usize) -> Result<Self> {
        let queue = Arc::new(Queue::default());
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

    pub(super) fn count(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn push(&self, jobs: impl Iterator<Item = Job>) {
        self.queue.lock().jobs.extend(jobs);
        self.queue.wake.notify_all();
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

impl Drop for Lanes {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.queue.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself; there is nothing of its to save.
            let _ = thread.join();
        }
    }
}

fn lane(queue: &Queue, shards: &Shards, done: &Sender<Done>) {
    while let Some(mut job) = queue.next() {
        let result = shards.read(&mut job.piece);
        if done.send(Done { job, result }).is_err() {
            return;
        }
    }
}
