//! A device whose computing is time that passes.

use std::time::Duration;

use crate::compute::{Act, ExpertDevice, ExpertJob, ExpertOps, Routing};
use crate::error::Result;
use crate::expert::source::Clock;
use crate::expert::{ExpertBuf, ExpertLayer, SlotId};

/// Holds nothing: its slots have no memory, and its staging buffers are empty.
pub(super) struct ClockDevice {
    pub(super) clock: Clock,
    /// Of one expert for one token.
    pub(super) expert: Duration,
}

impl ExpertDevice for ClockDevice {
    fn slot_take(&mut self, _: SlotId) -> Option<ExpertBuf> {
        None
    }

    fn slot_put(&mut self, _: SlotId, _: &ExpertLayer, buf: ExpertBuf) -> Result<Option<ExpertBuf>> {
        Ok(Some(buf))
    }

    fn experts_begin(&mut self, _: usize, _: usize, _: Act) -> Result<()> {
        Ok(())
    }

    fn experts_run(&mut self, _: &ExpertLayer, _: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()> {
        let uses: usize = jobs.iter().map(|job| job.uses.len()).sum();
        self.clock.advance(self.expert * uses as u32);
        Ok(())
    }

    fn experts_end(&mut self, _: &Routing, _: Act) -> Result<()> {
        Ok(())
    }
}
