//! Files of results that are not whole: where the process ends at once, nothing of them stays.
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
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

    /// One file.
    struct Place {
        taken: AtomicBool,
        /// To be emptied; -1: none.
        file: AtomicI32,
        /// To be removed; null: none. Never freed, since a handler may be reading it: a few bytes per result.
        path: AtomicPtr<c_char>,
    }

    impl Place {
        const fn free() -> Self {
            Self { taken: AtomicBool::new(false), file: AtomicI32::new(-1), path: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    /// More than any command writes at once.
    static PLACES: [Place; 8] = [const { Place::free() }; 8];

    /// While this lives, [`remove_unfinished`] takes the file away, or what is in it.
    #[derive(Debug)]
    pub struct Unfinished(Option<usize>);

    impl Unfinished {
        /// The file at `new`, if that is to be removed. Where eight are unfinished already, it is not looked after.
        pub fn new(new: Option<&Path>) -> Self {
            let free = |place: &Place| !place.taken.swap(true, Ordering::AcqRel);
            let place = PLACES.iter().position(free);
            let path = new.and_then(|path| CString::new(path.as_os_str().as_bytes()).ok());
            if let (Some(place), Some(path)) = (place, path) {
                PLACES[place].path.store(path.into_raw(), Ordering::Release);
            }
            Self(place)
        }

        /// What is in the file is no longer what was there before. The file must stay open while this lives.
        pub fn begin(&self, file: &File) {
            if let Some(place) = self.0 {
                PLACES[place].file.store(file.as_raw_fd(), Ordering::Release);
            }
        }
    }

    impl Drop for Unfinished {
        fn drop(&mut self) {
            if let Some(place) = self.0 {
                PLACES[place].path.store(ptr::null_mut(), Ordering::Release);
                PLACES[place].file.store(-1, Ordering::Release);
                PLACES[place].taken.store(false, Ordering::Release);
            }
        }
    }

    /// Empties and removes what is not whole. For a process that ends now, in a signal's handler too.
    pub fn remove_unfinished() {
        for place in &PLACES {
            let (file, path) = (place.file.load(Ordering::Acquire), place.path.load(Ordering::Acquire));
            if file >= 0 {
                // SAFETY: ftruncate touches no memory and is async-signal-safe. The descriptor is open as long as it stands
                // here, since its `Unfinished` goes first; what cannot be emptied (a pipe) stays as it is.
                unsafe { libc::ftruncate(file, 0) };
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
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            let files = ["new", "old", "untouched", "whole"].map(|name| {
                fs::write(at(name), name).unwrap();
                File::options().append(true).open(at(name)).unwrap()
            });
            let whole = Unfinished::new(Some(&at("whole")));
            whole.begin(&files[3]);
            drop(whole);
            let (new, old, _untouched) =
                (Unfinished::new(Some(&at("new"))), Unfinished::new(None), Unfinished::new(None));
            new.begin(&files[0]);
            old.begin(&files[1]);
            remove_unfinished();
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
    }

    /// Does nothing.
    pub fn remove_unfinished() {}
}

#[cfg(not(unix))]
pub use elsewhere::{Unfinished, remove_unfinished};
