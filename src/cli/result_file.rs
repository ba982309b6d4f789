//! Files that results go to: never a file that the result is made from, and nothing of a result that is not whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, process};

use crate::error::{Error, Result};
use crate::os::{self, Unfinished};

/// Refuses a result that would take the place of an ordinary file that is read. `read` are such files, and what each is;
/// `-` is stdin.
///
/// # Errors
/// [`Error::Usage`] with the flag.
pub fn keep_apart<'a>(flag: &str, path: &Path, read: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Result<()> {
    // a terminal or the null device is read and written at once
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(());
    }
    let source = |path: &'a Path| if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    match read.into_iter().find(|(from, _)| os::same_file(source(from), path)) {
        Some((_, what)) => Err(Error::Usage(format!("{flag} {} is {what}: give another", path.display()))),
        None => Ok(()),
    }
}

/// A model's files, for [`keep_apart`].
pub fn of_model(shards: &[PathBuf]) -> impl Iterator<Item = (&Path, &str)> {
    shards.iter().map(|shard| (shard.as_path(), "the model's own file"))
}

/// A place that can be written, known before hours of work. What was there stays until the result's first byte; of a result
/// that does not become whole nothing stays, and a new file goes away.
pub struct ResultFile<'a> {
    path: &'a Path,
    /// Goes before the file, which it names.
    unfinished: Unfinished,
    file: File,
    /// A pipe or a device has no length to cut, and is not ours to remove.
    ordinary: bool,
    /// The file's own path, if it is new and not whole yet.
    new: Option<PathBuf>,
    begun: bool,
}

impl<'a> ResultFile<'a> {
    /// Opens the place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(path: &'a Path) -> Result<Self> {
        let new = fs::metadata(path).is_err();
        // of a link that leads nowhere the file is new, and the link stays
        let link = fs::symlink_metadata(path).is_ok();
        let open = || {
            let before = Unfinished::new((new && !link).then_some(path));
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
            let ordinary = file.metadata()?.is_file();
            let new = if new && ordinary { Some(fs::canonicalize(path)?) } else { None };
            let unfinished = if link { Unfinished::new(new.as_deref()) } else { before };
            Ok(Self { path, unfinished, file, ordinary, new, begun: false })
        };
        open().map_err(|e| Error::io(path, e))
    }

    /// The place.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Writes the result as `write` does it, which says whether the result is whole.
    ///
    /// # Errors
    /// Those of `write`, or the file cannot be written.
    pub fn write(mut self, write: impl FnOnce(&mut dyn Write) -> Result<bool>) -> Result<bool> {
        let path = self.path;
        let mut file = BufWriter::new(&mut self);
        if !write(&mut file)? {
            return Ok(false);
        }
        file.into_inner().map_err(|e| Error::io(path, e.into_error()))?;
        self.begin().map_err(|e| Error::io(path, e))?;
        (self.begun, self.new) = (false, None);
        Ok(true)
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
}

impl Write for ResultFile<'_> {
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

impl Drop for ResultFile<'_> {
    fn drop(&mut self) {
        if self.ordinary && self.begun {
            // what cannot be cut is told of by the error that came before
            let _ = self.file.set_len(0);
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

/// Removes results that are not whole, before the process ends at once. From now on nothing more is written to them.
pub fn remove_unfinished() {
    let writing = writing();
    os::remove_unfinished();
    mem::forget(writing);
}

/// A file of our own that goes away with this, or with the process if a signal ends it that is handled.
pub struct Scratch {
    path: PathBuf,
    _unfinished: Unfinished,
}

impl Scratch {
    /// In the directory for temporary files; its name ends so.
    pub fn new(suffix: &str) -> Self {
        let path = std::env::temp_dir().join(format!("foregate-{}{suffix}", process::id()));
        let unfinished = Unfinished::new(Some(&path));
        Self { path, _unfinished: unfinished }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // a file that is left in the directory for temporary files does no harm
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a text, and says that it is `whole`.
    fn text(text: &'static str, whole: bool) -> impl FnOnce(&mut dyn Write) -> Result<bool> {
        move |file| file.write_all(text.as_bytes()).map(|()| whole).map_err(|e| Error::io("text", e))
    }

    #[test]
    fn a_result_takes_the_place_of_a_longer_one_at_its_first_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        for result in ["a long result", "short", ""] {
            let before = fs::read_to_string(&path).unwrap_or_default();
            let place = ResultFile::new(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), before);
            assert!(place.write(text(result, true)).unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), result);
        }
    }

    #[test]
    fn nothing_stays_of_a_result_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "what was there").unwrap();
        let failed = || Err(Error::Usage("no".into()));
        for path in [&old, &new] {
            assert!(ResultFile::new(path).unwrap().write(|_| failed()).is_err());
        }
        assert_eq!(fs::read_to_string(&old).unwrap(), "what was there");
        for path in [&old, &new] {
            let part = |file: &mut dyn Write| {
                text("part", true)(file).and_then(|_| file.flush().map_or(Ok(true), |()| failed()))
            };
            assert!(ResultFile::new(path).unwrap().write(part).is_err());
            assert!(!ResultFile::new(path).unwrap().write(text("part", false)).unwrap());
        }
        assert_eq!(fs::read(&old).unwrap(), b"");
        assert!(!new.exists() && fs::read_dir(folder.path()).unwrap().count() == 1);
    }

    #[test]
    #[cfg(unix)]
    fn links_and_modes_stay_as_they_are() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "old").unwrap();
        fs::set_permissions(at("a"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::hard_link(at("a"), at("b")).unwrap();
        symlink("a", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        ResultFile::new(&at("link")).unwrap().write(text("1", true)).unwrap();
        assert_eq!(fs::read(at("b")).unwrap(), b"1");
        assert_eq!(fs::metadata(at("a")).unwrap().mode() & 0o777, 0o600);
        drop(ResultFile::new(&at("dangling")).unwrap());
        assert!(fs::symlink_metadata(at("dangling")).is_ok() && !at("nowhere").exists());
        ResultFile::new(&at("dangling")).unwrap().write(text("1", true)).unwrap();
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
        let result = ResultFile::new(&path).unwrap();
        result.write(text("through", true)).unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(path.exists());
    }
}
