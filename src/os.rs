//! What differs by operating system: positioned reads, page advice, the resident set, memory limits, SIGBUS.
//!
//! Linux is complete; elsewhere each function has a portable fallback, and its docs say which.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Fills `out` from byte `offset` of `file`, without moving the file's own position where the system allows.
///
/// # Errors
/// `UnexpectedEof` where the file ends first; else what the system says.
#[cfg(unix)]
pub fn read_exact_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

/// Fills `out` from byte `offset` of `file`. Moves the file's own position, which nothing here uses.
///
/// # Errors
/// `UnexpectedEof` where the file ends first; else what the system says.
#[cfg(windows)]
pub fn read_exact_at(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !out.is_empty() {
        match file.seek_read(out, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                out = &mut out[n..];
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Takes a map's pages out of the process's resident set; touching them reads them from the file again.
/// Advice only: where the system refuses it or has none (Windows), the pages stay.
pub fn drop_mapped_pages(map: &Mmap) {
    #[cfg(unix)]
    // SAFETY: DONTNEED discards what a map holds beyond its file. An `Mmap` is a read-only map of a file, so
    // there is nothing to lose: the next touch reads the same bytes from the file.
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    #[cfg(not(unix))]
    let _ = map;
}
