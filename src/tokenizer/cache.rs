//! What pieces of one text became, so that a word that comes again is not merged again.

use std::collections::HashMap;

/// Most pieces that are remembered (2 MiB of entries).
const PIECES_MAX: usize = 1 << 15;
/// Longest piece (bytes) that is remembered: words come again, long pieces do not.
const PIECE_BYTES_MAX: usize = 64;

/// Where the tokens of a piece stand in the output. Lives as long as one output.
#[derive(Debug, Default)]
pub struct PieceCache<'t> {
    seen: HashMap<&'t str, (usize, usize)>,
}

impl<'t> PieceCache<'t> {
    /// Appends the tokens of `piece` to `out`: those of its last time, else what `encode` appends. `out` must be the same
    /// vector each time, and only grow.
    pub fn with<E>(
        &mut self,
        piece: &'t str,
        out: &mut Vec<u32>,
        encode: impl FnOnce(&mut Vec<u32>) -> Result<(), E>,
    ) -> Result<(), E> {
        if piece.len() > PIECE_BYTES_MAX {
            return encode(out);
        }
        if let Some(&(start, end)) = self.seen.get(piece) {
            out.extend_from_within(start..end);
            return Ok(());
        }
        let start = out.len();
        encode(out)?;
        if self.seen.len() < PIECES_MAX {
            self.seen.insert(piece, (start, out.len()));
        }
        Ok(())
    }
}
