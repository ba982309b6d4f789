//! What differs by operating system: positioned reads, page advice, signals; which file is which in `files.rs`, how
//! much memory there is in `memory.rs`, where results go in `place.rs`, what of them goes away when a signal ends the process
//! in `unfinished.rs`, and what it gives back in `terminal.rs`.
//!
//! Linux is complete; elsewhere each function has a portable fallback, and its docs say which.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

mod files;
mod memory;
mod place;
mod terminal;
mod unfinished;

pub use files::{Stamp, disk_of, same_file};
pub use memory::{available_memory, peak_resident_bytes, reset_peak_resident, resident_bytes, total_memory};
pub use place::{Place, end_results};
pub use terminal::{KeptModes, restore_terminal};
pub use unfinished::{Unfinished, remove_unfinished};

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

/// A fault may map what lies around the page in the file, up to the next multiples of this: the rest of a huge page, or of a
/// folio of the page cache.
pub const MAPPED_AROUND: usize = 2 << 20;

/// Takes the pages of a range of a map out of the resident set, as [`drop_mapped_pages`] does, with what touching them
/// may have mapped around them. A range that does not lie in the map is left alone.
pub fn drop_mapped_range(map: &Mmap, offset: usize, len: usize) {
    let Some(end) = offset.checked_add(len).filter(|&end| end <= map.len()) else { return };
    let start = offset - offset % MAPPED_AROUND;
    let end = end.next_multiple_of(MAPPED_AROUND).min(map.len());
    #[cfg(unix)]
    // SAFETY: the range lies in the map, so no other mapping is touched (the system rounds to whole pages, which are the
    // map's own). A read-only map of a file holds nothing that the file does not: the next touch reads it again.
    let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start) };
    #[cfg(not(unix))]
    let _ = (map, start, end);
}

/// Asks the system to start reading a range of a map. Advice only.
pub fn will_need(map: &Mmap, offset: usize, len: usize) {
    #[cfg(unix)]
    let _ = map.advise_range(memmap2::Advice::WillNeed, offset, len);
    #[cfg(not(unix))]
    let _ = (map, offset, len);
}

/// Maps a file whose ranges are read in no order: a page fault reads no more than it must.
///
/// # Errors
/// What the system says.
pub fn map_for_random_reads(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is read-only. Another process may change the file: readers of the map treat its bytes as
    // untrusted; a shortened file raises SIGBUS, which the binary turns into a message.
    let map = unsafe { Mmap::map(file) }?;
    #[cfg(unix)]
    let _ = map.advise(memmap2::Advice::Random);
    Ok(map)
}

/// One positioned read: how many bytes came, 0 at the file's end. An interrupted read is repeated.
///
/// # Errors
/// What the system says.
pub fn read_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, out, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, out, offset);
        match read {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Asks for huge pages in memory that has not been touched yet. Advice only, and only on Linux.
pub fn prefer_huge_pages(mem: &mut [u8]) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let page = rustix::param::page_size();
        let skipped = mem.as_ptr().align_offset(page);
        let Some(whole) = mem.get_mut(skipped..).map(|m| m.len() / page * page).filter(|&len| len > 0) else { return };
        let start = mem[skipped..].as_mut_ptr();
        // SAFETY: the range is whole pages inside `mem`, which is borrowed alone. The advice changes how the pages are
        // backed, not what they hold.
        let _ = unsafe { rustix::mm::madvise(start.cast(), whole, rustix::mm::Advice::LinuxHugepage) };
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = mem;
}

/// Opens a file for reads that bypass the page cache: `O_DIRECT` on Linux, `F_NOCACHE` on Apple systems. Such reads need
/// aligned offsets, lengths and memory.
///
/// # Errors
/// The system or the file system has no such reads.
pub fn open_direct(path: &Path) -> io::Result<File> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::DIRECT.bits() as i32;
        File::options().read(true).custom_flags(flags).open(path)
    }
    #[cfg(target_vendor = "apple")]
    {
        let file = File::open(path)?;
        rustix::fs::fcntl_nocache(&file, true)?;
        Ok(file)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Takes a file's pages out of the page cache, so that the next reads come from its disk; pages that some process maps
/// may stay.
///
/// # Errors
/// The file cannot be opened, or the system has no such advice (only Linux has).
pub fn drop_file_cache(path: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let file = File::open(path)?;
        // pages that wait to be written stay: have them written first
        file.sync_data()?;
        Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The processor's name, such as `AMD Ryzen 7 5800X`; the architecture's where the system does not say.
pub fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")?.trim_start().strip_prefix(':'));
    name.map_or(std::env::consts::ARCH, str::trim).to_owned()
}

/// Bytes of the memory of the graphics card at a PCI address such as `0000:01:00.0`; `None` where the system does not say
/// (only Linux does, for drivers that tell the kernel).
pub fn card_memory(pci: &str) -> Option<u64> {
    // the address comes from a driver: only its own characters may reach the path
    if pci.is_empty() || !pci.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.') {
        return None;
    }
    let path = format!("/sys/bus/pci/devices/{pci}/mem_info_vram_total");
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Keeps a Vulkan layer of Mesa quiet, which chooses between cards by asking the desktop: without a desktop's runtime
/// directory it complains on stderr for each look at the adapters, and it would have nothing to choose by.
///
/// The binary calls this first of all. Does nothing but on Linux, and nothing where either variable is set.
pub fn quiet_driver_layers() {
    #[cfg(target_os = "linux")]
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: the binary has started no thread yet, so none can read the environment meanwhile.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

/// Makes a mapped file that shrinks end the process with one line on stderr and exit code 1, instead of a crash.
///
/// The binary calls this once at start. Does nothing where there is no SIGBUS.
///
/// # Errors
/// The system refuses the handler.
pub fn install_bus_error_handler() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::sync::atomic::{AtomicBool, Ordering};
        const MESSAGE: &[u8] = b"foregate: a mapped file shrank while it was in use, or its disk failed: \
            the model file must not be replaced or cut while foregate runs\n";
        static TOLD: AtomicBool = AtomicBool::new(false);
        // The standard library's own handler, which looks for stack overflows, would run first and restore the
        // default action: a second thread that touches the map meanwhile would then kill the process before the
        // message is out. On Linux an overflow raises SIGSEGV, so that handler is not needed for SIGBUS.
        #[cfg(target_os = "linux")]
        // SAFETY: SIGBUS exists and SIG_DFL is a valid action for it; the handler it replaces is never called by name.
        unsafe {
            if libc::signal(libc::SIGBUS, libc::SIG_DFL) == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
        }
        // SAFETY: the handler touches atomics, truncates and writes files, unlinks, sets the terminal's modes and calls _exit,
        // all of which are async-signal-safe; it allocates nothing, takes no lock and cannot panic.
        unsafe {
            signal_hook::low_level::register(signal_hook::consts::SIGBUS, || {
                // One thread tells and ends the process; any other returns, faults again, and comes back here until then.
                if !TOLD.swap(true, Ordering::AcqRel) {
                    remove_unfinished();
                    restore_terminal();
                    // With stderr closed there is nobody to tell; the exit code still does.
                    let _ = rustix::io::write(rustix::stdio::stderr(), MESSAGE);
                    signal_hook::low_level::exit(1);
                }
            })?;
        }
    }
    Ok(())
}

/// See [`install_end_handlers`]. SIGINT is not among them: it stops an answer first, and `cli` handles it.
#[cfg(unix)]
const END_SIGNALS: [i32; 13] = [
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGABRT,
    libc::SIGXCPU,
    libc::SIGXFSZ,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGSYS,
    libc::SIGTRAP,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// Whether a signal does nothing, as whoever started the program has wanted.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: a `sigaction` of zeros is a valid value, and the call fills it: with no new action it changes nothing.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Whether SIGINT is ignored, as in a job that a script starts with `&`. False where there is no such signal.
pub fn ignores_interrupts() -> bool {
    #[cfg(unix)]
    let ignored = is_ignored(libc::SIGINT);
    #[cfg(not(unix))]
    let ignored = false;
    ignored
}

/// Keeps a signal from this thread and from those that it starts, whatever handler there will be.
#[cfg(unix)]
fn block(signal: i32) {
    // SAFETY: a set of zeros is a valid value, and the first call makes it an empty one; the others read and write it alone.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        libc::sigaddset(&mut signals, signal);
        libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut());
    }
}

/// Has the signals that end a process from outside, limits of time and size and an abort with them, take results along that
/// are not whole, and give the terminal its modes back. One that is ignored, as under `nohup`, stays so; SIGINT
/// too, which is blocked then: the line editor would take it over while a line is typed.
///
/// The binary calls this once at start, when it has one thread. Does nothing where there are no such signals.
///
/// # Errors
/// The system refuses a handler.
pub fn install_end_handlers() -> io::Result<()> {
    #[cfg(unix)]
    if ignores_interrupts() {
        block(libc::SIGINT);
    }
    #[cfg(unix)]
    for signal in END_SIGNALS {
        if is_ignored(signal) {
            continue;
        }
        let end = move || {
            remove_unfinished();
            restore_terminal();
            // it fails for signals alone that cannot be handled
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        };
        // SAFETY: the handler touches atomics, truncates and writes files, unlinks, sets the terminal's modes, writes to it
        // and ends the process as the signal's default does, all of which are async-signal-safe; it allocates nothing, takes no lock and cannot panic.
        // So it may run on a thread that holds any lock, as one may that aborts.
        unsafe { signal_hook::low_level::register(signal, end) }?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_outside_the_page_cache_reads_the_same() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, &[5; 9000]).unwrap();
        if cfg!(target_os = "linux") {
            drop_file_cache(file.path()).unwrap();
            assert!(total_memory().unwrap() >= available_memory().unwrap());
        }
        assert_eq!(fs::read(file.path()).unwrap(), [5; 9000]);
    }

    #[test]
    fn dropped_pages_of_a_map_come_back_and_ranges_outside_of_it_are_left_alone() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, &[7; 20_000]).unwrap();
        let map = map_for_random_reads(file.as_file()).unwrap();
        for (offset, len) in [(100, 9000), (0, 20_000), (19_000, 2_000_000), (usize::MAX, 2)] {
            will_need(&map, offset, len);
            drop_mapped_range(&map, offset, len);
            assert!(map.iter().all(|&b| b == 7));
        }
    }

    #[test]
    fn the_cpu_has_a_name() {
        assert!(!cpu_name().is_empty());
    }
}
