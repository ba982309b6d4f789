//! Files that results go to: never a file that the result is made from, and whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::error::{Error, Result};
use crate::os;

/// Refuses a result that would take the place of a file that is read. `read` are such files, and what each is.
///
/// # Errors
/// [`Error::Usage`] with the flag.
pub fn keep_apart<'a>(flag: &str, path: &Path, read: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Result<()> {
    match read.into_iter().find(|(source, _)| os::same_file(source, path)) {
        Some((_, what)) => Err(Error::Usage(format!("{flag} {} is {what}: give another", path.display()))),
        None => Ok(()),
    }
}

/// A model's files, for [`keep_apart`].
pub fn of_model(shards: &[PathBuf]) -> impl Iterator<Item = (&Path, &str)> {
    shards.iter().map(|shard| (shard.as_path(), "the model's own file"))
}

/// A place that can be written, known before hours of work. What was there stays until the result is whole; a new file goes
/// away without it.
pub struct ResultFile<'a> {
    path: &'a Path,
    new: bool,
}

impl<'a> ResultFile<'a> {
    /// Opens the place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(path: &'a Path) -> Result<Self> {
        let new = !path.exists();
        OpenOptions::new().append(true).create(true).open(path).map_err(|e| Error::io(path, e))?;
        Ok(Self { path, new })
    }

    /// Writes the result as `write` does it, beside the place, and then puts it there. Where that is no ordinary file (a
    /// pipe, a device), it is written straight.
    ///
    /// # Errors
    /// Those of `write`, or the file cannot be written.
    pub fn write(mut self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let path = self.path;
        let failed = |e: io::Error| Error::io(path, e);
        let ordinary = fs::metadata(path).is_ok_and(|found| found.is_file());
        // a link stays a link: what it leads to is replaced
        let place = if ordinary { fs::canonicalize(path).map_err(failed)? } else { path.to_owned() };
        let mut unfinished = Unfinished(ordinary.then(|| beside(&place)));
        let target = unfinished.0.as_deref().unwrap_or(&place);
        let mut file = BufWriter::new(OpenOptions::new().write(true).create(ordinary).open(target).map_err(failed)?);
        write(&mut file)?;
        file.into_inner().map_err(|e| failed(e.into_error()))?;
        if let Some(from) = unfinished.0.take() {
            fs::rename(&from, &place).map_err(failed)?;
        }
        self.new = false;
        Ok(())
    }
}

impl Drop for ResultFile<'_> {
    fn drop(&mut self) {
        if self.new {
            // an empty file that cannot be removed is told of by its name
            let _ = fs::remove_file(self.path);
        }
    }
}

/// What is written goes here first.
fn beside(place: &Path) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.unfinished", process::id()));
    place.with_file_name(name)
}

/// A file that goes away unless it was taken.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}
