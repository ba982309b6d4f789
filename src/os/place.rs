//! Places that results go to: of a result that is not whole nothing stays.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Unfinished, remove_unfinished};

/// A place that can be written, known before hours of work. What was there stays until the result's first byte. Unless
/// [`Place::whole`] says that the result is whole, nothing of it stays but what [`Place::keep`] kept, and a new file goes away:
/// when this is dropped, and when a signal ends the process.
#[derive(Debug)]
pub struct Place {
    /// Goes before the file, which it names.
    unfinished: Unfinished,
    file: File,
    /// A pipe or a device has no length to cut, and is not ours to remove.
    ordinary: bool,
    /// The file's own path, if it is new and nothing of it is whole yet.
    new: Option<PathBuf>,
    begun: bool,
    /// Bytes that stay, and what makes them whole.
    kept: (u64, &'static [u8]),
}

impl Place {
    /// Opens the place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let new = fs::metadata(path).is_err();
        // of a link that leads nowhere the file is new, and the link stays
        let link = fs::symlink_metadata(path).is_ok();
        let before = Unfinished::new((new && !link).then_some(path));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let ordinary = file.metadata()?.is_file();
        let new = if new && ordinary { Some(fs::canonicalize(path)?) } else { None };
        let unfinished = if link { Unfinished::new(new.as_deref()) } else { before };
        Ok(Self { unfinished, file, ordinary, new, begun: false, kept: (0, b"") })
    }

    /// Takes out what was there before.
    fn begin(&mut self) -> io::Result<()> {
        if self.ordinary && !self.begun {
            self.file.set_len(0)?;
            self.unfinished.begin(&self.file);
        }
        self.begun = true;
        Ok(())
    }

    /// What was written so far stays, with `ending` behind it, whatever becomes of the rest; `ending` is the same each time. A
    /// pipe or a device keeps all.
    ///
    /// # Errors
    /// The system does not tell how much was written.
    pub fn keep(&mut self, ending: &'static [u8]) -> io::Result<()> {
        self.begin()?;
        if self.ordinary {
            let len = self.file.stream_position()?;
            self.unfinished.keep(len, ending);
            (self.new, self.kept) = (None, (len, ending));
        }
        Ok(())
    }

    /// The result is whole, be it empty: it stays.
    ///
    /// # Errors
    /// What was there before cannot be taken out.
    pub fn whole(mut self) -> io::Result<()> {
        self.begin()?;
        (self.begun, self.new) = (false, None);
        Ok(())
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // a pipe may be waited for without end, and holds nothing
        let _writing = self.ordinary.then(writing);
        self.begin()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _writing = self.ordinary.then(writing);
        if self.ordinary && self.begun {
            let (len, ending) = self.kept;
            // what cannot be cut or ended is told of by the error that came before
            let cut = self.file.set_len(len).and_then(|()| self.file.seek(io::SeekFrom::End(0)));
            let _ = cut.and_then(|_| self.file.write_all(ending));
        }
        if let Some(path) = self.new.take() {
            let _ = fs::remove_file(path);
        }
    }
}

/// Held while an ordinary file is written to.
static WRITING: Mutex<()> = Mutex::new(());

fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes results that are not whole, before the process ends at once; not for a signal's handler. From now on nothing more
/// is written to them.
pub fn end_results() {
    let writing = writing();
    remove_unfinished();
    mem::forget(writing);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_takes_the_place_of_a_longer_one_at_its_first_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        for result in ["a long result", "short", ""] {
            let before = fs::read_to_string(&path).unwrap_or_default();
            let mut place = Place::open(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), before);
            place.write_all(result.as_bytes()).unwrap();
            place.whole().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), result);
        }
    }

    #[test]
    fn nothing_stays_of_a_result_that_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "what was there").unwrap();
        for path in [&old, &new] {
            drop(Place::open(path).unwrap());
        }
        assert_eq!(fs::read_to_string(&old).unwrap(), "what was there");
        for path in [&old, &new] {
            Place::open(path).unwrap().write_all(b"part").unwrap();
        }
        assert_eq!(fs::read(&old).unwrap(), b"");
        assert!(!new.exists() && fs::read_dir(folder.path()).unwrap().count() == 1);
    }

    #[test]
    fn what_is_kept_stays_with_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        let mut place = Place::open(&path).unwrap();
        for part in ["one, ", "two, "] {
            place.write_all(part.as_bytes()).unwrap();
            place.keep(b"end").unwrap();
        }
        place.write_all(b"and thr").unwrap();
        drop(place);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one, two, end");
    }

    #[test]
    #[cfg(unix)]
    fn links_and_modes_stay_as_they_are() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str| {
            let mut place = Place::open(&at(name)).unwrap();
            place.write_all(b"1").unwrap();
            place.whole().unwrap();
        };
        fs::write(at("a"), "old").unwrap();
        fs::set_permissions(at("a"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::hard_link(at("a"), at("b")).unwrap();
        symlink("a", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        write("link");
        assert_eq!(fs::read(at("b")).unwrap(), b"1");
        assert_eq!(fs::metadata(at("a")).unwrap().mode() & 0o777, 0o600);
        drop(Place::open(&at("dangling")).unwrap());
        assert!(fs::symlink_metadata(at("dangling")).is_ok() && !at("nowhere").exists());
        write("dangling");
        assert_eq!(fs::read(at("nowhere")).unwrap(), b"1");
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_opened_once_and_gets_the_result() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::read(path).unwrap()
        });
        let mut place = Place::open(&path).unwrap();
        place.write_all(b"through").unwrap();
        place.keep(b"").unwrap();
        drop(place);
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(path.exists());
    }
}
