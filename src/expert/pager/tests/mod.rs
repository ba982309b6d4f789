//! The pager with a device that hashes what is in its slots: whatever the budget, the read path, the lanes and the
//! order in which reads land, the answer is the one computed straight from the file.

mod ahead;
mod support;

use std::collections::BTreeSet;
use std::io::{Seek, Write};
use std::time::Duration;

use proptest::prelude::*;

use self::support::*;
use super::*;
use crate::expert::source::ReadPath;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_budget_read_path_and_number_of_lanes_gives_the_answer_of_the_file(
        steps in steps(3), setup in setups(), share in 0u64..=110,
    ) {
        let model = Model::new();
        let all: u64 = model.layers.iter().map(|l| (l.slot_bytes * EXPERTS) as u64).sum();
        let (mut pager, mut device) = model.pager(3, (all * share / 100).max(model.smallest(3)), &setup, |s| s);
        let mut distinct = 0;
        for (at, chosen) in steps {
            distinct += chosen.iter().collect::<BTreeSet<_>>().len() as u64;
            let routing = routing(3, chosen);
            let out = run(&mut pager, &mut device, model.layers[at].layer as usize, &routing).unwrap();
            prop_assert_eq!(out, model.answer(at, &routing));
        }
        let stats = pager.stats();
        prop_assert_eq!(stats.decode, PhaseStats::default());
        prop_assert_eq!(stats.prefill.requests, distinct);
        prop_assert_eq!(stats.prefill.hits + stats.prefill.misses, distinct);
        prop_assert!(stats.prefill.reads >= stats.prefill.misses);
    }

    #[test]
    fn a_device_that_fails_anywhere_leaves_a_pager_that_works(
        steps in steps(3), setup in setups(), fails_in in 0usize..40,
    ) {
        let model = Model::new();
        let (mut pager, mut device) = model.pager(3, model.smallest(3) + 100_000, &setup, |s| s);
        device.fails_in = Some(fails_in);
        for (at, chosen) in steps {
            let routing = routing(3, chosen);
            let layer = model.layers[at].layer as usize;
            let out = run(&mut pager, &mut device, layer, &routing).or_else(|e| {
                assert_eq!(e.to_string(), "device lost");
                assert_eq!(pager.source().in_flight(), 0);
                assert!(device.slots.iter().all(Option::is_some), "a slot lost its memory");
                device.fails_in = None;
                run(&mut pager, &mut device, layer, &routing)
            });
            prop_assert_eq!(out.unwrap(), model.answer(at, &routing));
        }
    }
}

#[test]
fn a_batch_that_needs_more_than_fits_reads_each_expert_once() {
    let model = Model::new();
    let (mut pager, mut device) = model.pager(2, model.smallest(2), &PLAIN, |s| s);
    let routing = routing(2, (0..EXPERTS as u32).chain((0..EXPERTS as u32).rev()).collect());
    let out = run(&mut pager, &mut device, 2, &routing).unwrap();
    assert_eq!(out, model.answer(1, &routing));
    let stats = pager.stats().prefill;
    assert_eq!(stats.bytes_read, (EXPERTS * model.layers[1].expert_bytes()) as u64);
    assert_eq!((stats.misses, stats.hits), (EXPERTS as u64, 0));
}

#[test]
fn prefill_and_decode_are_counted_apart() {
    let model = Model::new();
    let (mut pager, mut device) = model.pager(2, u64::MAX, &PLAIN, |s| s);
    run(&mut pager, &mut device, 1, &routing(2, vec![0, 1, 1, 2])).unwrap();
    pager.set_step(StepInfo { phase: Phase::Decode, ..StepInfo::default() }).unwrap();
    run(&mut pager, &mut device, 1, &routing(2, vec![2, 3])).unwrap();
    let PagerStats { prefill, decode } = pager.stats();
    assert_eq!((prefill.requests, prefill.misses), (3, 3));
    assert_eq!((decode.requests, decode.hits, decode.misses), (2, 1, 1));
    assert_eq!(decode.bytes_read, model.layers[0].expert_bytes() as u64);
}

#[test]
fn waiting_for_reads_is_stall() {
    let model = Model::new();
    // a read may land before anybody waits for it, but not each time
    let waited = (0..200).any(|_| {
        let (mut pager, mut device) = model.pager(2, u64::MAX, &PLAIN, |s| s);
        run(&mut pager, &mut device, 1, &routing(2, vec![0, 1, 1, 2])).unwrap();
        pager.stats().prefill.stall > Duration::ZERO
    });
    assert!(waited);
}

#[test]
fn a_failed_read_names_the_expert_and_the_next_step_works_once_the_file_is_whole() {
    for (path, host) in [(ReadPath::Buffered, true), (ReadPath::Direct, true), (ReadPath::Buffered, false)] {
        let model = Model::new();
        let (mut pager, mut device) =
            model.pager(3, model.smallest(3), &Setup { path, lanes: 3, host, staging: 2 }, |s| s);
        let routing = routing(3, vec![0, 11, 3, 4, 11, 10]);
        // The end of the second shard holds the last experts' down matrices of the last layer.
        let whole = &model.content[1];
        let written = model.files[1].as_file().metadata().unwrap().modified().unwrap();
        model.files[1].as_file().set_len(whole.len() as u64 - 100).unwrap();
        let message = run(&mut pager, &mut device, 4, &routing).unwrap_err().to_string();
        assert!(message.contains(" of layer 4: the file "), "{message}");
        assert_eq!(pager.source().in_flight(), 0);
        assert!(device.slots.iter().all(Option::is_some));
        let mut file = model.files[1].reopen().unwrap();
        file.seek(std::io::SeekFrom::Start(0)).unwrap();
        file.write_all(whole).unwrap();
        // as if it had never been written to
        file.set_modified(written).unwrap();
        assert_eq!(run(&mut pager, &mut device, 4, &routing).unwrap(), model.answer(2, &routing));
    }
}

#[test]
fn staging_buffers_stay_within_their_number() {
    let model = Model::new();
    let setup = Setup { host: false, staging: 2, ..PLAIN };
    let (mut pager, mut device) = model.pager(6, u64::MAX, &setup, |s| s);
    run(&mut pager, &mut device, 2, &routing(6, (0..6).collect())).unwrap();
    assert_eq!(pager.flights.staging(), (2, 0));
}
