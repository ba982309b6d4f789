//! A small model in files, a device that hashes what is in its slots, and steps through the pager.

use std::io::Write;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::super::*;
use crate::compute::{Activation, ExpertDevice, ExpertJob};
use crate::error::Error;
use crate::expert::cache::{Lru, classes_for, smallest_budget};
use crate::expert::source::{ReadPath, Reader, SourceOptions};
use crate::expert::{ExpertBuf, ExpertMatrix, Extent, SlotClass, SlotId};
use crate::gguf::GgmlType;

pub(super) const EXPERTS: usize = 12;
pub(super) const X: Act = Act(0);
pub(super) const OUT: Act = Act(1);
pub(super) const OPS: ExpertOps = ExpertOps { activation: Activation::SwiGlu, biases: None, scales: [None; 3] };

/// The result of one expert for one (token, rank): a hash of its weights and of which use it is.
pub(super) fn hash(weights: [&[u8]; 3], use_: u32) -> u64 {
    let bytes = weights.into_iter().flatten().chain(&use_.to_le_bytes()).copied().collect::<Vec<u8>>();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// A device of which only the experts work.
pub(super) struct Mock {
    /// Whether slots are host memory, to be read into.
    pub(super) host: bool,
    pub(super) slots: Vec<Option<ExpertBuf>>,
    pub(super) results: Vec<Option<u64>>,
    pub(super) out: Vec<u64>,
    /// Operations until one fails.
    pub(super) fails_in: Option<usize>,
}

impl Mock {
    pub(super) fn new(classes: &[SlotClass], host: bool) -> Self {
        let sizes = classes.iter().flat_map(|c| std::iter::repeat_n(c.slot_bytes, c.slots));
        let slots = sizes.map(|bytes| Some(ExpertBuf::new(bytes))).collect();
        Self { host, slots, results: Vec::new(), out: Vec::new(), fails_in: None }
    }

    pub(super) fn operation(&mut self) -> Result<()> {
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
pub(super) struct Model {
    pub(super) content: Vec<Vec<u8>>,
    pub(super) files: Vec<NamedTempFile>,
    pub(super) layers: Vec<ExpertLayer>,
}

impl Model {
    pub(super) fn new() -> Self {
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
    pub(super) fn pager(
        &self,
        k: usize,
        budget: u64,
        setup: &Setup,
        wrap: impl FnOnce(Box<dyn Source>) -> Box<dyn Source>,
    ) -> (Pager, Mock) {
        let mut layers = self.layers.clone();
        let classes = classes_for(&mut layers, k, budget).unwrap();
        assert_eq!(classes.len(), 2);
        let shapes: Vec<_> = layers.iter().map(ExpertLayer::shape).collect();
        let cache = Cache::new(&shapes, &classes, &|_| Box::new(Lru::new())).unwrap();
        let paths: Vec<_> = self.files.iter().map(|f| f.path().to_owned()).collect();
        let options = SourceOptions { path: Some(setup.path), lanes: Some(setup.lanes) };
        let source = Box::new(Reader::open(&paths, &layers, options).unwrap());
        (Pager::new(cache, wrap(source), layers, setup.staging), Mock::new(&classes, setup.host))
    }

    /// What the device must give for layer `at`, straight from the file.
    pub(super) fn answer(&self, at: usize, routing: &Routing) -> Vec<u64> {
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

    pub(super) fn smallest(&self, k: usize) -> u64 {
        smallest_budget(&self.layers, k)
    }
}

/// What must not change the answer.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) path: ReadPath,
    pub(super) lanes: usize,
    pub(super) host: bool,
    pub(super) staging: usize,
}

pub(super) const PLAIN: Setup = Setup { path: ReadPath::Buffered, lanes: 2, host: true, staging: 1 };

pub(super) fn setups() -> impl Strategy<Value = Setup> {
    let path = prop_oneof![Just(ReadPath::Direct), Just(ReadPath::Mmap), Just(ReadPath::Buffered)];
    (path, 1usize..=8, any::<bool>(), 1usize..4).prop_map(|(path, lanes, host, staging)| Setup {
        path,
        lanes,
        host,
        staging,
    })
}

pub(super) fn routing(k: usize, experts: Vec<u32>) -> Routing {
    Routing { k, weights: vec![1.0; experts.len()], experts }
}

/// `(layer, chosen experts)` of some steps, each token with `k` different experts.
pub(super) fn steps(k: usize) -> impl Strategy<Value = Vec<(usize, Vec<u32>)>> {
    let token = Just((0..EXPERTS as u32).collect::<Vec<_>>()).prop_shuffle().prop_map(move |mut ids| {
        ids.truncate(k);
        ids
    });
    let step = (0usize..3, proptest::collection::vec(token, 1..6).prop_map(|tokens| tokens.concat()));
    proptest::collection::vec(step, 1..12)
}

pub(super) fn run(pager: &mut Pager, device: &mut Mock, layer: usize, routing: &Routing) -> Result<Vec<u64>> {
    let out = run_ahead(pager, device, layer, routing, &[]);
    assert_eq!(pager.source().in_flight(), 0);
    out
}

/// The same with experts that are expected, whose reads may be under way afterwards.
pub(super) fn run_ahead(
    pager: &mut Pager,
    device: &mut Mock,
    layer: usize,
    routing: &Routing,
    ahead: &[ExpertId],
) -> Result<Vec<u64>> {
    let n = routing.experts.len() / routing.k;
    pager.begin(device, layer, n, routing, None)?;
    pager.prefetch(device, ahead);
    pager.run(device, &OPS, n, X, routing, OUT)?;
    Ok(device.out.clone())
}
