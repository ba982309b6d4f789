//! Which file is which, on which drive, and whether it is still what it was.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What changes when somebody writes to a file or puts another in its place: its length, when it was last written to, where
/// the system tells, and which file it is (on Unix: its device and inode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    len: u64,
    written: Option<SystemTime>,
    id: Option<(u64, u64)>,
}

impl Stamp {
    /// Of an open file.
    ///
    /// # Errors
    /// What the system says.
    pub fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// Of the file that a path leads to now.
    ///
    /// # Errors
    /// What the system says.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&std::fs::metadata(path)?))
    }
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        Self { len: found.len(), written: found.modified().ok(), id: id(found) }
    }
}

/// The number of a file on its device, and the device's.
#[cfg(unix)]
fn id(found: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

/// Not told without opening the file.
#[cfg(not(unix))]
fn id(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Whether two paths lead to one file, by whatever names and links, or would if it were there.
pub fn same_file(a: &Path, b: &Path) -> bool {
    if let (Ok(a), Ok(b)) = (std::fs::metadata(a), std::fs::metadata(b))
        && let (Some(a), Some(b)) = (id(&a), id(&b))
    {
        return a == b;
    }
    match (place(a), place(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Where a file is, or would be: its folder and what is there of it without links.
fn place(path: &Path) -> Option<PathBuf> {
    // links that lead nowhere yet are followed by hand
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(whole) = std::fs::canonicalize(&path) {
            return Some(whole);
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        match std::fs::read_link(&path) {
            Ok(to) => path = folder.join(to),
            Err(_) => return Some(std::fs::canonicalize(folder).ok()?.join(path.file_name()?)),
        }
    }
    None
}

/// Links that are followed at most, as many as Linux does.
const LINKS: usize = 40;

/// The drive that a file is on, by the system's name for it (`vda`, `nvme0n1p2`); where that is not told, its number, or
/// the prefix of its path.
pub fn disk_of(path: &Path) -> String {
    #[cfg(unix)]
    if let Ok(about) = std::fs::metadata(path) {
        use std::os::unix::fs::MetadataExt;
        let device = about.dev();
        // major and minor as Linux packs them
        let major = (device >> 8 & 0xfff) | (device >> 32 & !0xfff);
        let minor = (device & 0xff) | (device >> 12 & !0xff);
        let link = std::fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok();
        let name = link.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        return name.unwrap_or_else(|| format!("{major}:{minor}"));
    }
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.components().next().map(|c| c.as_os_str().to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_itself_by_every_name_and_before_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "text").unwrap();
        fs::write(at("b"), "text").unwrap();
        fs::create_dir(at("inside")).unwrap();
        assert!(same_file(&at("a"), &at("inside/../a")) && !same_file(&at("a"), &at("b")));
        assert!(same_file(&at("new"), &at("inside/../new")) && !same_file(&at("new"), &at("newer")));
        assert!(!same_file(&at("new"), &at("a")) && same_file(&at("no/folder"), &at("no/folder")));
        #[cfg(unix)]
        {
            fs::hard_link(at("a"), at("hard")).unwrap();
            std::os::unix::fs::symlink("new", at("dangling")).unwrap();
            std::os::unix::fs::symlink("round", at("round")).unwrap();
            assert!(same_file(&at("hard"), &at("a")) && same_file(&at("dangling"), &at("new")));
            assert!(!same_file(&at("round"), &at("new")));
        }
    }

    #[test]
    fn a_stamp_tells_a_longer_file_and_another_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "text").unwrap();
        let before = Stamp::of(&File::open(at("a")).unwrap()).unwrap();
        assert_eq!(Stamp::at(&at("a")).unwrap(), before);
        fs::write(at("a"), "longer text").unwrap();
        let longer = Stamp::at(&at("a")).unwrap();
        assert_ne!(longer, before);
        fs::write(at("b"), "longer text").unwrap();
        fs::rename(at("b"), at("a")).unwrap();
        assert_ne!(Stamp::at(&at("a")).unwrap(), longer);
        assert!(Stamp::at(&at("b")).is_err());
    }
}
