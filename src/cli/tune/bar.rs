//! The search on a terminal.

use indicatif::ProgressBar;

use crate::bench::run::Probe;
use crate::cli::{measure, message};
use crate::tune::search::Watch;

/// A bar of prompts that are answered, and the setting that answers them.
pub(super) struct Bar<'a> {
    bar: ProgressBar,
    prompts: usize,
    cancel: &'a dyn Fn() -> bool,
}

impl<'a> Bar<'a> {
    /// For runs of so many prompts, until `cancel`.
    pub(super) fn new(prompts: usize, cancel: &'a dyn Fn() -> bool) -> Self {
        Self { bar: measure::progress_bar(prompts as u64), prompts, cancel }
    }

    /// Takes the bar off the terminal.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar<'_> {
    fn probed(&mut self, probe: &Probe) {
        self.bar.suspend(|| {
            message::note(&format!("computing on {}: {}", probe.device.kind, probe.device.name));
            message::notes(&probe.notes);
            message::notes(probe.source.note.as_slice());
        });
    }

    fn planned(&mut self, runs: usize) {
        self.bar.inc_length((runs * self.prompts) as u64);
    }

    fn begin(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    fn answered(&mut self) {
        self.bar.inc(1);
    }

    fn stopped(&self) -> bool {
        (self.cancel)()
    }
}
