//! Reading ahead: right or wrong, whole or failed, it changes no answer and loses nothing.

use std::time::Duration;

use proptest::prelude::*;

use super::super::*;
use super::support::*;
use crate::error::Error;
use crate::expert::ExpertBuf;
use crate::expert::source::{Landed, Outcome, SourceInfo, Urgency};

/// Waits for all reads; the buffers are where they belong.
fn settle(pager: &mut Pager, device: &mut Mock) {
    while let Some((flight, landed)) = pager.flights.landed(true) {
        let _ = pager.settle(device, flight, landed);
        pager.flights.begin(device, &pager.layers);
    }
    assert_eq!(pager.source().in_flight(), 0);
    assert!(device.slots.iter().all(Option::is_some), "a slot lost its memory");
    assert_eq!(pager.flights.staging().1, 0, "a staging buffer is lost");
}

/// Steps with experts that are expected meanwhile, of any layer.
type Walk = Vec<(usize, Vec<u32>, Vec<(usize, u32)>)>;

fn walks(k: usize) -> impl Strategy<Value = Walk> {
    let expected = proptest::collection::vec((0usize..3, 0..EXPERTS as u32), 0..6);
    (steps(k), proptest::collection::vec(expected, 12))
        .prop_map(|(steps, ahead)| steps.into_iter().zip(ahead).map(|((at, chosen), e)| (at, chosen, e)).collect())
}

/// A pager that prefetches into two slots of each class.
fn ahead_pager(
    model: &Model,
    budget: u64,
    setup: &Setup,
    source: impl FnOnce(Box<dyn Source>) -> Box<dyn Source>,
) -> (Pager, Mock) {
    let (mut pager, device) = model.pager(3, budget, setup, source);
    pager.set_prefetch(Prefetch::AtMost(3), 1, 3, None);
    pager.set_probation(&[2, 2]);
    (pager, device)
}

/// Fails the read with this number, counted as they end.
struct Faulty {
    inner: Box<dyn Source>,
    left: usize,
}

impl Faulty {
    fn spoil(&mut self, landed: Option<Landed>) -> Option<Landed> {
        landed.map(|landed| {
            let fails = self.left == 0 && matches!(landed.outcome, Outcome::Read);
            self.left = self.left.wrapping_sub(1);
            let outcome =
                if fails { Outcome::Failed(Error::Device("the drive is gone".into())) } else { landed.outcome };
            Landed { outcome, ..landed }
        })
    }
}

impl Source for Faulty {
    fn info(&self) -> &SourceInfo {
        self.inner.info()
    }
    fn in_flight(&self) -> usize {
        self.inner.in_flight()
    }
    fn now(&self) -> Duration {
        self.inner.now()
    }
    fn submit(&mut self, layer: &ExpertLayer, index: u32, buf: ExpertBuf, urgency: Urgency) {
        self.inner.submit(layer, index, buf, urgency);
    }
    fn raise(&mut self, id: ExpertId) {
        self.inner.raise(id);
    }
    fn cancel(&mut self, id: ExpertId) {
        self.inner.cancel(id);
    }
    fn poll(&mut self) -> Option<Landed> {
        let landed = self.inner.poll();
        self.spoil(landed)
    }
    fn wait(&mut self) -> Option<Landed> {
        let landed = self.inner.wait();
        self.spoil(landed)
    }
}

#[test]
fn a_recorder_that_fails_is_told_of_at_the_next_step_and_loses_no_read() {
    for fails_at in 0..12 {
        let model = Model::new();
        let (mut pager, mut device) = ahead_pager(&model, model.smallest(6), &PLAIN, |s| s);
        let mut left = fails_at;
        let record = move |_| match left {
            0 => Err(Error::Device("the trace is full".into())),
            _ => {
                left -= 1;
                Ok(())
            }
        };
        pager.record(Box::new(record), false);
        let mut told = 0;
        for (n, at) in [1, 2, 1, 0, 2, 1].into_iter().enumerate() {
            if let Err(e) = pager.set_step(StepInfo::default()) {
                assert_eq!(e.to_string(), "the trace is full");
                told += 1;
            }
            let first = (n as u32 * 5) % 8;
            let routing = routing(3, (0..6).map(|i| (first + i * 5 % 12) % 12).collect());
            let expected: Vec<_> = (0..4).map(|i| ExpertId { layer: 2, index: first + i }).collect();
            let layer = model.layers[at].layer as usize;
            let out = run_ahead(&mut pager, &mut device, layer, &routing, &expected).unwrap();
            assert_eq!(out, model.answer(at, &routing), "the recorder failed at event {fails_at}");
        }
        assert_eq!(told + usize::from(pager.stop_recording().is_err()), 1);
        settle(&mut pager, &mut device);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn expecting_right_or_wrong_changes_no_answer(walk in walks(3), setup in setups(), share in 0u64..=110) {
        let model = Model::new();
        let all: u64 = model.layers.iter().map(|l| (l.slot_bytes * EXPERTS) as u64).sum();
        let (mut pager, mut device) =
            ahead_pager(&model, (all * share / 100).max(model.smallest(6)), &setup, |s| s);
        for (at, chosen, ahead) in walk {
            let routing = routing(3, chosen);
            let ahead: Vec<_> = ahead.iter().map(|&(l, index)| ExpertId { layer: model.layers[l].layer, index }).collect();
            let out = run_ahead(&mut pager, &mut device, model.layers[at].layer as usize, &routing, &ahead).unwrap();
            prop_assert_eq!(out, model.answer(at, &routing));
        }
        settle(&mut pager, &mut device);
        let mut sum = Ledger::default();
        pager.ledger().iter().for_each(|l| sum += *l);
        prop_assert!(sum.issued >= sum.useful + sum.late + sum.wasted + sum.cancelled, "{:?}", sum);
    }

    #[test]
    fn a_read_that_fails_ends_at_most_its_own_step(walk in walks(3), setup in setups(), fails_in in 0usize..40) {
        let model = Model::new();
        let faulty = |inner| -> Box<dyn Source> { Box::new(Faulty { inner, left: fails_in }) };
        let (mut pager, mut device) = ahead_pager(&model, model.smallest(6) + 200_000, &setup, faulty);
        let mut failed = 0;
        for (at, chosen, ahead) in walk {
            let routing = routing(3, chosen);
            let layer = model.layers[at].layer as usize;
            let ahead: Vec<_> = ahead.iter().map(|&(l, index)| ExpertId { layer: model.layers[l].layer, index }).collect();
            let out = run_ahead(&mut pager, &mut device, layer, &routing, &ahead).or_else(|e| {
                assert_eq!(e.to_string(), "the drive is gone");
                failed += 1;
                run_ahead(&mut pager, &mut device, layer, &routing, &ahead)
            });
            prop_assert_eq!(out.unwrap(), model.answer(at, &routing));
        }
        prop_assert!(failed <= 1);
        settle(&mut pager, &mut device);
    }
}
