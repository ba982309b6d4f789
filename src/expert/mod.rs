//! Routed experts: where they are in the file, the slots they are kept in, and how they get there.
//!
//! [`cache`] decides (no I/O, no clock, no device), [`source`] reads, [`predict`] guesses what comes next,
//! [`pager`] joins them for a layer at a time.

pub mod cache;
pub mod pager;
pub mod predict;
pub mod replay;
pub mod source;
pub mod timed;
pub mod trace;

use bytes::{Buf, BytesMut};

use crate::gguf::GgmlType;
use crate::os;

/// One routed expert of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExpertId {
    /// Layer of the model, dense layers counted.
    pub layer: u32,
    /// Index in the layer.
    pub index: u32,
}

/// A slot's number, over all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// A pool of slots of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SlotClass {
    /// Slots in the pool; its ids follow those of the class before.
    pub slots: usize,
    /// Bytes of one slot on the device.
    pub slot_bytes: usize,
}

/// One of an expert's matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpertMatrix {
    /// Storage type.
    pub ty: GgmlType,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// Which extent of the file it is in, and the byte where it starts there (not 0 for the up half of a merged gate_up).
    pub extent: usize,
    /// See `extent`.
    pub start: usize,
}

impl ExpertMatrix {
    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.ty.bytes_for(self.cols as u64).expect("whole blocks, checked at load") as usize
    }

    /// Bytes of the matrix.
    pub fn bytes(&self) -> usize {
        self.rows * self.row_bytes()
    }
}

/// A contiguous range of one tensor that belongs to one expert: expert `e` is at `offset + e * len` of the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Index of the shard file.
    pub shard: usize,
    /// Absolute byte offset of expert 0.
    pub offset: u64,
    /// Bytes per expert.
    pub len: usize,
}

/// The routed experts of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpertLayer {
    /// Layer of the model.
    pub layer: u32,
    /// Experts.
    pub count: usize,
    /// Gate, up, down.
    pub matrices: [ExpertMatrix; 3],
    /// Two (merged gate_up) or three.
    pub extents: Vec<Extent>,
    /// Which pool of slots its experts live in.
    pub class: usize,
    /// Bytes that one expert takes in a slot of the device; [`ExpertLayer::window_bytes`] where slots are host memory.
    pub slot_bytes: usize,
}

/// The routed experts of one layer as the cache sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LayerShape {
    /// Layer of the model.
    pub layer: u32,
    /// Experts.
    pub count: usize,
    /// Which pool of slots its experts live in.
    pub class: usize,
}

/// Reads start and end at multiples of this, in the file and in memory.
pub const WINDOW: usize = 4096;

impl ExpertLayer {
    /// What the cache must know of it.
    pub fn shape(&self) -> LayerShape {
        LayerShape { layer: self.layer, count: self.count, class: self.class }
    }

    /// Bytes of one expert in the file.
    pub fn expert_bytes(&self) -> usize {
        self.extents.iter().map(|x| x.len).sum()
    }

    /// Bytes of host memory that hold one expert as aligned windows, wherever its extents start.
    pub fn window_bytes(&self) -> usize {
        self.extents.iter().map(|x| window_bytes(x.len)).sum()
    }
}

/// Bytes of the largest aligned window around `len` bytes.
pub fn window_bytes(len: usize) -> usize {
    len.next_multiple_of(WINDOW) + WINDOW
}

/// Host memory for one expert: [`WINDOW`]-aligned, recycled, holding each extent as the aligned window it was read in.
///
/// It is one allocation that can be cut into owned pieces and joined again at no cost (`bytes::BytesMut`), so several
/// reader threads fill one expert at once without sharing memory.
pub struct ExpertBuf {
    mem: BytesMut,
    /// Where each extent's first byte is, counted from the aligned start.
    pub starts: [usize; 3],
}

impl ExpertBuf {
    /// Allocates `len` zero bytes (a multiple of [`WINDOW`]); pages are touched at first use.
    pub fn new(len: usize) -> Self {
        let mut mem = BytesMut::zeroed(len + WINDOW);
        let base = mem.as_ptr().align_offset(WINDOW);
        mem.advance(base);
        mem.truncate(len);
        Self { mem, starts: [0; 3] }
    }

    /// Allocates `count` buffers of `len` bytes side by side, in huge pages where the system has them: experts are
    /// larger than a page by far, and the system clears and maps a huge page at a fraction of what its parts cost.
    pub fn pool(count: usize, len: usize) -> Vec<Self> {
        let Self { mut mem, starts } = Self::new(count * len);
        os::prefer_huge_pages(&mut mem);
        (0..count).map(|_| Self { mem: mem.split_to(len), starts }).collect()
    }

    /// The aligned memory.
    pub fn bytes(&self) -> &[u8] {
        &self.mem
    }

    /// The aligned memory, to be read into.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.mem
    }

    /// The bytes of one matrix.
    pub fn matrix(&self, m: &ExpertMatrix) -> &[u8] {
        let start = self.starts[m.extent] + m.start;
        &self.bytes()[start..start + m.bytes()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_survive_a_move() {
        let buf = ExpertBuf::new(2 * WINDOW);
        let moved = Box::new(buf);
        assert_eq!(moved.bytes().as_ptr() as usize % WINDOW, 0);
        assert_eq!(moved.bytes().len(), 2 * WINDOW);
    }

    #[test]
    fn buffers_of_a_pool_are_aligned_and_apart() {
        let mut pool = ExpertBuf::pool(3, 2 * WINDOW);
        for (n, buf) in pool.iter_mut().enumerate() {
            assert_eq!((buf.bytes().as_ptr() as usize % WINDOW, buf.bytes().len()), (0, 2 * WINDOW));
            buf.bytes_mut().fill(n as u8);
        }
        assert!(pool.iter().enumerate().all(|(n, buf)| buf.bytes().iter().all(|&b| b == n as u8)));
        assert!(ExpertBuf::pool(0, WINDOW).is_empty());
    }

    #[test]
    fn a_buffer_cut_into_pieces_and_joined_is_the_same_memory() {
        let mut buf = ExpertBuf::new(3 * WINDOW);
        let place = buf.bytes().as_ptr();
        let mut rest = std::mem::take(&mut buf.mem);
        let (mut a, mut b) = (rest.split_to(WINDOW), rest.split_to(WINDOW));
        a.fill(1);
        b.fill(2);
        a.unsplit(b);
        a.unsplit(rest);
        buf.mem = a;
        assert_eq!(buf.bytes().as_ptr(), place);
        assert_eq!((buf.bytes().len(), buf.bytes()[0], buf.bytes()[2 * WINDOW - 1]), (3 * WINDOW, 1, 2));
    }
}
