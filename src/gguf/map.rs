//! One file, open and mapped: its bytes for zero-copy reading, and positioned reads beside the map.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::os::{self, Stamp};
use crate::{Error, Result};

/// A regular file that is open, mapped read-only, and of a length that was fixed when it was opened.
///
/// Another process may shorten the file meanwhile: a positioned read then fails with an error, and touching the
/// map raises SIGBUS, which [`os::install_bus_error_handler`] turns into a message and exit code 1.
#[derive(Debug)]
pub(super) struct MappedFile {
    path: PathBuf,
    file: File,
    map: Mmap,
    stamp: Stamp,
}

impl MappedFile {
    /// Opens and maps `path`. Refuses what is no regular file (a pipe would never end) and empty files.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let kind = fs::metadata(path).map_err(|e| Error::io(path, e))?;
        if !kind.is_file() {
            let what = if kind.is_dir() { "is a directory" } else { "is not a regular file" };
            return Err(Error::file(path, format!("{what}; give the path of a GGUF file (or its first shard)")));
        }
        if kind.len() == 0 {
            return Err(Error::file(path, "the file is empty: the download or copy did not finish"));
        }
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let stamp = Stamp::of(&file).map_err(|e| Error::io(path, e))?;
        // SAFETY: the map is read-only and private to this struct. The one hazard is another process changing
        // the file: everything read from the map is checked where it is read (lengths, bounds, UTF-8), so changed
        // bytes give wrong values or errors; a shortened file raises SIGBUS, which the binary handles.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io(path, e))?;
        Ok(Self { path: path.to_owned(), file, map, stamp })
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, for readers of their own.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Refuses a file that was written to since it was opened, or has another in its place.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        if Stamp::at(&self.path).map_err(|e| Error::io(&self.path, e))? == self.stamp {
            return Ok(());
        }
        Err(Error::file(&self.path, "was written to or replaced while it was opened: start again when that is done"))
    }

    /// The whole content, mapped.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// The mapped bytes from `offset`, `len` long, or `None` where the file does not hold them.
    pub(super) fn get(&self, offset: u64, len: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(offset.checked_add(len)?).ok()?;
        self.map.get(start..end)
    }

    /// Fills `out` from byte `offset` by a positioned read that does not touch the map. Refuses a file that was written to
    /// since it was opened: what was read may be of another model.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        os::read_exact_at(&self.file, offset, out).map_err(|e| {
            if e.kind() == std::io::ErrorKind::UnexpectedEof {
                let what = format!(
                    "ends before byte {}: it was shortened while in use",
                    offset.saturating_add(out.len() as u64)
                );
                Error::file(&self.path, what)
            } else {
                Error::io(&self.path, e)
            }
        })?;
        if Stamp::of(&self.file).map_err(|e| Error::io(&self.path, e))? == self.stamp {
            return Ok(());
        }
        Err(Error::file(&self.path, "the file was written to while in use"))
    }

    /// Takes the pages of a range out of the resident set; they come back from the file when touched.
    pub(super) fn drop_range(&self, offset: usize, len: usize) {
        os::drop_mapped_range(&self.map, offset, len);
    }

    /// Takes the map's pages out of the resident set; they come back from the file when touched.
    pub(super) fn drop_pages(&self) {
        os::drop_mapped_pages(&self.map);
    }
}
