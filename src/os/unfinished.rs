//! Files of results that are not whole: where the process ends at once, nothing of them stays but what is whole of them.
//!
//! What ends it may be a signal's handler, in which nothing may be locked, allocated or freed. So they stand in a few
//! places that are atomics.

#[cfg(unix)]
pub use unix::{Unfinished, remove_unfinished};

#[cfg(unix)]
mod unix {
    use std::ffi::{CString, c_char};
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::ptr;
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

    /// One file.
    #[derive(Debug)]
    struct Entry {
        taken: AtomicBool,
        /// To be cut; -1: none.
        file: AtomicI32,
        /// Bytes of it that stay; 0: none, and the file goes away if it has a path.
        kept: AtomicU64,
        /// What is written behind them. Set before the first bytes are kept, and the same for all.
        ending: AtomicPtr<u8>,
        ending_len: AtomicUsize,
        /// To be removed; null: none. Never freed, since a handler may be reading it: a few bytes per result.
        path: AtomicPtr<c_char>,
    }

    impl Entry {
        const fn free() -> Self {
            Self {
                taken: AtomicBool::new(false),
                file: AtomicI32::new(-1),
                kept: AtomicU64::new(0),
                ending: AtomicPtr::new(ptr::null_mut()),
                ending_len: AtomicUsize::new(0),
                path: AtomicPtr::new(ptr::null_mut()),
            }
        }
    }

    type Table = [Entry; 8];

    /// More than any command writes at once.
    static TABLE: Table = [const { Entry::free() }; 8];

    /// While this lives, [`remove_unfinished`] takes the file away, or what is in it.
    #[derive(Debug)]
    pub struct Unfinished(Option<&'static Entry>);

    impl Unfinished {
        /// The file at `new`, if that is to be removed. Where eight are unfinished already, it is not looked after.
        pub fn new(new: Option<&Path>) -> Self {
            Self::among(&TABLE, new)
        }

        fn among(table: &'static Table, new: Option<&Path>) -> Self {
            let entry = table.iter().find(|entry| !entry.taken.swap(true, Ordering::AcqRel));
            let path = new.and_then(|path| CString::new(path.as_os_str().as_bytes()).ok());
            if let (Some(entry), Some(path)) = (entry, path) {
                entry.path.store(path.into_raw(), Ordering::Release);
            }
            Self(entry)
        }

        /// What is in the file is no longer what was there before. The file must stay open while this lives.
        pub fn begin(&self, file: &File) {
            if let Some(entry) = self.0 {
                entry.file.store(file.as_raw_fd(), Ordering::Release);
            }
        }

        /// Of the file that was begun, the first `len` bytes are whole with `ending` behind them: so they stay. The first
        /// ending is that of all later ones too.
        pub fn keep(&self, len: u64, ending: &'static [u8]) {
            let Some(entry) = self.0 else { return };
            if entry.kept.load(Ordering::Acquire) == 0 {
                entry.ending.store(ending.as_ptr().cast_mut(), Ordering::Release);
                entry.ending_len.store(ending.len(), Ordering::Release);
            }
            // from here on a handler finds all of it
            entry.kept.store(len, Ordering::Release);
        }
    }

    impl Drop for Unfinished {
        fn drop(&mut self) {
            if let Some(entry) = self.0 {
                entry.path.store(ptr::null_mut(), Ordering::Release);
                entry.file.store(-1, Ordering::Release);
                entry.kept.store(0, Ordering::Release);
                entry.taken.store(false, Ordering::Release);
            }
        }
    }

    /// Cuts and removes what is not whole. For a process that ends now, in a signal's handler too.
    pub fn remove_unfinished() {
        remove(&TABLE);
    }

    fn remove(table: &Table) {
        for entry in table {
            let (file, path) = (entry.file.load(Ordering::Acquire), entry.path.load(Ordering::Acquire));
            let kept = libc::off_t::try_from(entry.kept.load(Ordering::Acquire)).unwrap_or(0);
            if file >= 0 {
                // SAFETY: ftruncate touches no memory and is async-signal-safe. The descriptor is open as long as it stands
                // here, since its `Unfinished` goes first; what cannot be cut (a pipe) stays as it is.
                unsafe { libc::ftruncate(file, kept) };
            }
            if kept > 0 {
                let (ending, len) = (entry.ending.load(Ordering::Acquire), entry.ending_len.load(Ordering::Acquire));
                // SAFETY: the two came from one `&'static [u8]`, stored before the first bytes were kept and not changed since;
                // pwrite is async-signal-safe, and does not care where others write.
                unsafe { libc::pwrite(file, ending.cast(), len, kept) };
                continue;
            }
            if !path.is_null() {
                // SAFETY: what stands here came from `CString::into_raw` and is never freed; unlink is async-signal-safe.
                unsafe { libc::unlink(path) };
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::fs;

        use super::*;

        #[test]
        fn what_is_not_whole_goes_away_and_what_is_stays() {
            // its own, since other tests write results meanwhile
            let table: &'static Table = Box::leak(Box::new([const { Entry::free() }; 8]));
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            let files = ["new", "old", "untouched", "whole", "kept"].map(|name| {
                fs::write(at(name), name).unwrap();
                File::options().append(true).open(at(name)).unwrap()
            });
            let whole = Unfinished::among(table, Some(&at("whole")));
            whole.begin(&files[3]);
            drop(whole);
            let new = Unfinished::among(table, Some(&at("new")));
            let [old, _untouched] = [(); 2].map(|()| Unfinished::among(table, None));
            new.begin(&files[0]);
            old.begin(&files[1]);
            let kept = Unfinished::among(table, Some(&at("kept")));
            kept.begin(&files[4]);
            kept.keep(2, b"s.");
            kept.keep(3, b"s.");
            remove(table);
            assert_eq!(fs::read_to_string(at("kept")).unwrap(), "keps.");
            let read = |name: &str| fs::read_to_string(at(name)).ok();
            assert_eq!((read("new"), read("old")), (None, Some(String::new())));
            assert_eq!((read("untouched").as_deref(), read("whole").as_deref()), (Some("untouched"), Some("whole")));
        }
    }
}

/// Elsewhere they stay.
#[cfg(not(unix))]
mod elsewhere {
    use std::fs::File;
    use std::path::Path;

    /// Nothing is looked after.
    #[derive(Debug)]
    pub struct Unfinished;

    impl Unfinished {
        /// See the type.
        pub fn new(_: Option<&Path>) -> Self {
            Self
        }

        /// See the type.
        pub fn begin(&self, _: &File) {}

        /// See the type.
        pub fn keep(&self, _: u64, _: &'static [u8]) {}
    }

    /// Does nothing.
    pub fn remove_unfinished() {}
}

#[cfg(not(unix))]
pub use elsewhere::{Unfinished, remove_unfinished};
