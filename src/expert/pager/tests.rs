//! The pager with a device that hashes what is in its slots: whatever the budget, the read path, the lanes and the
//! order in which reads land, the answer is the one computed straight from the file.

use std::collections::BTreeSet;
use std::io::{Seek, Write};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;
use crate::compute::{Activation, ExpertDevice, ExpertJob};
use crate::error::Error;
use crate::expert::cache::{Lru, classes_for, smallest_budget};
use crate::expert::source::{ReadPath, Reader, SourceOptions};
use crate::expert::{ExpertBuf, ExpertMatrix, Extent, SlotClass};
use crate::gguf::GgmlType;

const EXPERTS: usize = 12;
const X: Act = Act(0);
const OUT: Act = Act(1);
const OPS: ExpertOps = ExpertOps { activation: Activation::SwiGlu, biases: None, scales: [None; 3] };

/// The result of one expert for one (token, rank): a hash of its weights and of which use it is.
fn hash(weights: [&[u8]; 3], use_: u32) -> u64 {
    let bytes = weights.into_iter().flatten().chain(&use_.to_le_bytes()).copied().collect::<Vec<u8>>();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// A device of which only the experts work.
struct Mock {
    /// Whether slots are host memory, to be read into.
    host: bool,
    slots: Vec<Option<ExpertBuf>>,
    results: Vec<Option<u64>>,
    out: Vec<u64>,
    /// Operations until one fails.
    fails_in: Option<usize>,
}

impl Mock {
    fn new(classes: &[SlotClass], host: bool) -> Self {
        let sizes = classes.iter().flat_map(|c| std::iter::repeat_n(c.slot_bytes, c.slots));
        let slots = sizes.map(|bytes| Some(ExpertBuf::new(bytes))).collect();
        Self { host, slots, results: Vec::new(), out: Vec::new(), fails_in: None }
    }

    fn operation(&mut self) -> Result<()> {
        self.fails_in = match self.fails_in {
            Some(0) => return Err(Error::Device("device lost".into())),
            Some(n) => Some(n - 1),
            None => None,
        };
        Ok(())
    }
}

impl ExpertDevice for Mock {
    fn slot_take(&mut self, slot: SlotId) -> Option<ExpertBuf> {
        self.host.then(|| self.slots[slot.0 as usize].take().expect("a slot is taken once"))
    }

    fn slot_put(&mut self, slot: SlotId, layer: &ExpertLayer, mut buf: ExpertBuf) -> Result<Option<ExpertBuf>> {
        let own = &mut self.slots[slot.0 as usize];
        if self.host {
            assert!(own.is_none() && buf.bytes().len() >= layer.window_bytes());
            *own = Some(buf);
            return self.operation().map(|()| None);
        }
        let own = own.as_mut().unwrap();
        let len = layer.window_bytes();
        own.bytes_mut()[..len].copy_from_slice(&buf.bytes()[..len]);
        own.starts = buf.starts;
        // What stays in a staging buffer must not matter.
        buf.bytes_mut().fill(0xee);
        self.operation().map(|()| Some(buf))
    }

    fn experts_begin(&mut self, n: usize, k: usize, x: Act) -> Result<()> {
        assert_eq!(x, X);
        self.results = vec![None; n * k];
        self.operation()
    }

    fn experts_run(&mut self, layer: &ExpertLayer, _: &ExpertOps, jobs: &[ExpertJob<'_>]) -> Result<()> {
        for job in jobs {
            assert!(job.uses.is_sorted());
            let buf = self.slots[job.slot.0 as usize].as_ref().expect("a slot that is computed is not being read into");
            for &use_ in job.uses {
                let result = hash(layer.matrices.each_ref().map(|m| buf.matrix(m)), use_);
                assert_eq!(self.results[use_ as usize].replace(result), None, "computed twice");
            }
        }
        self.operation()
    }

    fn experts_end(&mut self, routing: &Routing, out: Act) -> Result<()> {
        assert_eq!(out, OUT);
        let sum = |row: &[Option<u64>]| {
            row.iter().fold(0u64, |s, r| s.wrapping_mul(31).wrapping_add(r.expect("all computed")))
        };
        self.out = self.results.chunks(routing.k).map(sum).collect();
        self.operation()
    }
}

/// Three layers in two shards: a small one, and two large ones with slots of one size, of which one has its gate and
/// up merged.
struct Model {
    content: Vec<Vec<u8>>,
    files: Vec<NamedTempFile>,
    layers: Vec<ExpertLayer>,
}

impl Model {
    fn new() -> Self {
        let matrix = |rows, extent, start| ExpertMatrix { ty: GgmlType::F32, rows, cols: 33, extent, start };
        let rows = |rows: usize| rows * 33 * 4;
        let mut ends = [32u64, 4096];
        let mut extent = |shard: usize, len: usize| {
            let offset = ends[shard];
            ends[shard] += (len * EXPERTS) as u64 + 32;
            Extent { shard, offset, len }
        };
        let split = |layer, n: usize, [a, b, c]: [Extent; 3]| ExpertLayer {
            layer,
            count: EXPERTS,
            matrices: [matrix(n, 0, 0), matrix(n, 1, 0), matrix(n, 2, 0)],
            extents: vec![a, b, c],
            class: 0,
            slot_bytes: 0,
        };
        let mut layers = vec![
            split(1, 5, [extent(0, rows(5)), extent(0, rows(5)), extent(1, rows(5))]),
            split(2, 150, [extent(1, rows(150)), extent(0, rows(150)), extent(0, rows(150))]),
            ExpertLayer {
                layer: 4,
                count: EXPERTS,
                matrices: [matrix(150, 0, 0), matrix(150, 0, rows(150)), matrix(185, 1, 0)],
                extents: vec![extent(0, 2 * rows(150)), extent(1, rows(185))],
                class: 0,
                slot_bytes: 0,
            },
        ];
        layers.iter_mut().for_each(|l| l.slot_bytes = l.window_bytes());
        let noise = |len: u64, seed: u64| -> Vec<u8> {
            (0..len).map(|i| ((i ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
        };
        let content: Vec<_> = ends.iter().zip(1..).map(|(&end, seed)| noise(end, seed << 40)).collect();
        let files = content.iter().map(|bytes| {
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(bytes).unwrap();
            file
        });
        Self { files: files.collect(), content, layers }
    }

    /// A pager and a device with `budget` bytes for slots.
    fn pager(&self, k: usize, budget: u64, setup: &Setup) -> (Pager, Mock) {
        let mut layers = self.layers.clone();
        let classes = classes_for(&mut layers, k, budget).unwrap();
        assert_eq!(classes.len(), 2);
        let shapes: Vec<_> = layers.iter().map(ExpertLayer::shape).collect();
        let cache = Cache::new(&shapes, &classes, &|_| Box::new(Lru::new())).unwrap();
        let paths: Vec<_> = self.files.iter().map(|f| f.path().to_owned()).collect();
        let options = SourceOptions { path: Some(setup.path), lanes: Some(setup.lanes) };
        let source = Box::new(Reader::open(&paths, &layers, options).unwrap());
        (Pager::new(cache, source, layers, setup.staging), Mock::new(&classes, setup.host))
    }

    /// What the device must give for layer `at`, straight from the file.
    fn answer(&self, at: usize, routing: &Routing) -> Vec<u64> {
        let layer = &self.layers[at];
        let result = |(use_, &expert): (u32, &u32)| {
            let weights = layer.matrices.each_ref().map(|m| {
                let extent = &layer.extents[m.extent];
                let start = extent.offset as usize + expert as usize * extent.len + m.start;
                &self.content[extent.shard][start..start + m.bytes()]
            });
            hash(weights, use_)
        };
        let results: Vec<u64> = (0..).zip(&routing.experts).map(result).collect();
        results
            .chunks(routing.k)
            .map(|row| row.iter().fold(0, |s: u64, r| s.wrapping_mul(31).wrapping_add(*r)))
            .collect()
    }

    fn smallest(&self, k: usize) -> u64 {
        smallest_budget(&self.layers, k)
    }
}

/// What must not change the answer.
#[derive(Clone, Debug)]
struct Setup {
    path: ReadPath,
    lanes: usize,
    host: bool,
    staging: usize,
}

const PLAIN: Setup = Setup { path: ReadPath::Buffered, lanes: 2, host: true, staging: 1 };

fn setups() -> impl Strategy<Value = Setup> {
    let path = prop_oneof![Just(ReadPath::Direct), Just(ReadPath::Mmap), Just(ReadPath::Buffered)];
    (path, 1usize..=8, any::<bool>(), 1usize..4).prop_map(|(path, lanes, host, staging)| Setup {
        path,
        lanes,
        host,
        staging,
    })
}

fn routing(k: usize, experts: Vec<u32>) -> Routing {
    Routing { k, weights: vec![1.0; experts.len()], experts }
}

/// `(layer, chosen experts)` of some steps, each token with `k` different experts.
fn steps(k: usize) -> impl Strategy<Value = Vec<(usize, Vec<u32>)>> {
    let token = Just((0..EXPERTS as u32).collect::<Vec<_>>()).prop_shuffle().prop_map(move |mut ids| {
        ids.truncate(k);
        ids
    });
    let step = (0usize..3, proptest::collection::vec(token, 1..6).prop_map(|tokens| tokens.concat()));
    proptest::collection::vec(step, 1..12)
}

fn run(pager: &mut Pager, device: &mut Mock, layer: usize, routing: &Routing) -> Result<Vec<u64>> {
    let n = routing.experts.len() / routing.k;
    pager.begin(device, layer, n, routing, None)?;
    pager.run(device, &OPS, n, X, routing, OUT)?;
    assert_eq!(pager.source().in_flight(), 0);
    Ok(device.out.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_budget_read_path_and_number_of_lanes_gives_the_answer_of_the_file(
        steps in steps(3), setup in setups(), share in 0u64..=110,
    ) {
        let model = Model::new();
        let all: u64 = model.layers.iter().map(|l| (l.slot_bytes * EXPERTS) as u64).sum();
        let (mut pager, mut device) = model.pager(3, (all * share / 100).max(model.smallest(3)), &setup);
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
        let (mut pager, mut device) = model.pager(3, model.smallest(3) + 100_000, &setup);
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
    let (mut pager, mut device) = model.pager(2, model.smallest(2), &PLAIN);
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
    let (mut pager, mut device) = model.pager(2, u64::MAX, &PLAIN);
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
        let (mut pager, mut device) = model.pager(2, u64::MAX, &PLAIN);
        run(&mut pager, &mut device, 1, &routing(2, vec![0, 1, 1, 2])).unwrap();
        pager.stats().prefill.stall > Duration::ZERO
    });
    assert!(waited);
}

#[test]
fn a_failed_read_names_the_expert_and_the_next_step_works_once_the_file_is_whole() {
    for (path, host) in [(ReadPath::Buffered, true), (ReadPath::Direct, true), (ReadPath::Buffered, false)] {
        let model = Model::new();
        let (mut pager, mut device) = model.pager(3, model.smallest(3), &Setup { path, lanes: 3, host, staging: 2 });
        let routing = routing(3, vec![0, 11, 3, 4, 11, 10]);
        // The end of the second shard holds the last experts' down matrices of the last layer.
        let whole = &model.content[1];
        model.files[1].as_file().set_len(whole.len() as u64 - 100).unwrap();
        let message = run(&mut pager, &mut device, 4, &routing).unwrap_err().to_string();
        assert!(message.contains("expert 11 of layer 4"), "{message}");
        assert_eq!(pager.source().in_flight(), 0);
        assert!(device.slots.iter().all(Option::is_some));
        let mut file = model.files[1].reopen().unwrap();
        file.seek(std::io::SeekFrom::Start(0)).unwrap();
        file.write_all(whole).unwrap();
        assert_eq!(run(&mut pager, &mut device, 4, &routing).unwrap(), model.answer(2, &routing));
    }
}

#[test]
fn staging_buffers_stay_within_their_number() {
    let model = Model::new();
    let setup = Setup { host: false, staging: 2, ..PLAIN };
    let (mut pager, mut device) = model.pager(6, u64::MAX, &setup);
    run(&mut pager, &mut device, 2, &routing(6, (0..6).collect())).unwrap();
    assert_eq!(pager.flights.staging(), (2, 0));
}
