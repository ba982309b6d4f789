//! Small files that outlive a run: of which model they are, and how they are replaced.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::os;

/// Adds to `hash` what tells a model's files from others of the same name: their sizes and times.
///
/// # Errors
/// A file whose size and time the system does not tell.
pub fn identify(hash: &mut Sha256, shards: &[PathBuf]) -> Result<()> {
    for shard in shards {
        let about = fs::metadata(shard).map_err(|e| Error::io(shard, e))?;
        let modified = about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        hash.update(about.len().to_le_bytes());
        hash.update(modified.as_nanos().to_le_bytes());
    }
    Ok(())
}

/// What an ordinary file holds, if it is there and has at most `most` bytes: a pipe or a device may never end.
pub fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    let about = fs::metadata(path).ok()?;
    if about.is_file() && about.len() <= most { fs::read(path).ok() } else { None }
}

/// Puts `content` in the place of what stood in the file, whose folder is made if need be. A process that is killed
/// meanwhile leaves the old file.
///
/// # Errors
/// The file cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
        let _taken_along = os::Unfinished::new(Some(&unfinished));
        let written = fs::File::create(&unfinished)
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    });
    written.map_err(|e| Error::io(path, e))
}
