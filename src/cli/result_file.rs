//! Files that results go to: never a file that the result is made from, and nothing of a result that is not whole.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::error::{Error, Result};
use crate::os::{self, Place, Unfinished};

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

/// A [`Place`] that a result goes to, whose errors name it.
pub struct ResultFile<'a> {
    path: &'a Path,
    place: Place,
}

impl<'a> ResultFile<'a> {
    /// Opens the place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(path: &'a Path) -> Result<Self> {
        Place::open(path).map(|place| Self { path, place }).map_err(|e| Error::io(path, e))
    }

    /// The place.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Writes the result as `write` does it, which says whether the result is whole: of one that is not, nothing stays.
    ///
    /// # Errors
    /// Those of `write`, or the file cannot be written.
    pub fn write(mut self, write: impl FnOnce(&mut dyn Write) -> Result<bool>) -> Result<bool> {
        let io = |e| Error::io(self.path, e);
        let mut file = BufWriter::new(&mut self.place);
        if !write(&mut file)? {
            return Ok(false);
        }
        file.into_inner().map_err(|e| io(e.into_error()))?;
        self.place.whole().map_err(io)?;
        Ok(true)
    }
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

    #[test]
    fn a_result_stays_if_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        let text = |file: &mut dyn Write| file.write_all(b"text").map_err(|e| Error::io("text", e));
        let failed = || Err(Error::Usage("no".into()));
        assert!(!ResultFile::new(&path).unwrap().write(|file| text(file).map(|()| false)).unwrap());
        assert!(ResultFile::new(&path).unwrap().write(|file| text(file).and_then(|()| failed())).is_err());
        assert!(!path.exists());
        assert!(ResultFile::new(&path).unwrap().write(|file| text(file).map(|()| true)).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"text");
        assert!(ResultFile::new(&path).unwrap().write(|_| Ok(true)).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
