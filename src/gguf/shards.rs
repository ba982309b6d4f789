//! Models split over several files: `NAME-00001-of-0000N.gguf`, with `split.*` keys that must agree with the names.

use std::path::{Path, PathBuf};

use super::Metadata;
use super::cursor::Quoted;
use super::value::Value;
use crate::{Error, Result};

/// Most shards of one model: each stays open and mapped.
pub const SHARDS_MAX: u64 = 512;

/// The paths of all shards after the first, from the metadata and the name of the file that was opened.
/// Empty for a model in one file.
///
/// # Errors
/// `path` is not the first shard, or its name does not lead to the others.
pub(super) fn others(path: &Path, metadata: &Metadata) -> Result<Vec<PathBuf>> {
    let count = metadata.u64("split.count")?.unwrap_or(1);
    if count <= 1 {
        return Ok(Vec::new());
    }
    if count > SHARDS_MAX {
        return Err(Error::file(path, format!("`split.count` is {count}; the limit is {SHARDS_MAX}")));
    }
    let no = metadata.u64("split.no")?.unwrap_or(0);
    if no >= count {
        return Err(Error::file(path, format!("`split.no` is {no} of a `split.count` of {count} (it counts from 0)")));
    }
    let stem = stem(path, no + 1, count).ok_or_else(|| {
        let what = format!(
            "is shard {} of {count}, so its name must end in `{}`; give the shards back the names they were published with",
            no + 1,
            suffix(no + 1, count)
        );
        Error::file(path, what)
    })?;
    let named = |no: u64| path.with_file_name(format!("{stem}{}", suffix(no, count)));
    if no != 0 {
        let what = format!("is shard {} of {count}; open the first one: {}", no + 1, named(1).display());
        return Err(Error::file(path, what));
    }
    Ok((2..=count).map(named).collect())
}

/// Checks that the file at `path` says of itself what its name says: that it is shard `no` (from 0) of `count`.
pub(super) fn check(path: &Path, metadata: &Metadata, no: usize, count: usize) -> Result<()> {
    for (key, wanted) in [("split.no", no), ("split.count", count)] {
        match metadata.u64(key)? {
            Some(found) if found == wanted as u64 => {}
            found => {
                let found = found.map_or("is absent".to_owned(), |n| format!("is {n}"));
                let what =
                    format!("`{key}` {found} where {wanted} is due: this file belongs to another model or place");
                return Err(Error::file(path, what));
            }
        }
    }
    Ok(())
}

/// Checks that a later shard, where it repeats a key of the first, repeats its value. Shards as they are published have
/// only `split.*` keys beside their tensors; one that tells of other hyper-parameters is of another model, and its weights
/// would be taken for this one's. What describes the file and not the model may differ.
pub(super) fn check_agreement(first: (&Path, &Metadata), other: (&Path, &Metadata)) -> Result<()> {
    let of_the_file = |key: &str| {
        key.starts_with("split.") || (key.starts_with("general.") && key != "general.architecture") || key.is_empty()
    };
    for key in other.1.keys().filter(|key| !of_the_file(key)) {
        // A value that is gone means that a file changed since it was indexed: whoever reads it will be told.
        let (Some(ours), Some(theirs)) = (first.1.get(key), other.1.get(key)) else { continue };
        if !same(&ours, &theirs) {
            let what = format!(
                "{} is {} here, but {} in {}: the shards are of different models",
                Quoted(key),
                brief(&theirs),
                brief(&ours),
                first.0.display()
            );
            return Err(Error::file(other.0, what));
        }
    }
    Ok(())
}

/// Whether two values mean the same: numbers by value, whatever their width; the entries of arrays likewise.
fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(&a, &b)),
        _ if a.integer().is_some() || b.integer().is_some() => a.integer() == b.integer(),
        // by its bits, so that NaN is NaN
        _ if a.float().is_some() || b.float().is_some() => a.float().map(f32::to_bits) == b.float().map(f32::to_bits),
        _ => a.boolean().is_some() && a.boolean() == b.boolean(),
    }
}

/// A value for a message: an array by its length, a string by its beginning.
fn brief(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => Quoted(String::from_utf8_lossy(&text[..text.len().min(60)]).as_ref()).to_string(),
        Value::Array(_) => value.describe(),
        value => value.to_string(),
    }
}

/// Checks `split.tensors.count` of the first shard against what all shards hold together.
pub(super) fn check_total(path: &Path, metadata: &Metadata, tensors: usize) -> Result<()> {
    match metadata.u64("split.tensors.count")? {
        Some(n) if n != tensors as u64 => {
            Err(Error::file(path, format!("`split.tensors.count` is {n}, but the shards hold {tensors} tensors")))
        }
        _ => Ok(()),
    }
}

fn suffix(no: u64, count: u64) -> String {
    format!("-{no:05}-of-{count:05}.gguf")
}

/// The part of the file's name before the suffix of shard `no` (from 1).
fn stem(path: &Path, no: u64, count: u64) -> Option<&str> {
    path.file_name()?.to_str()?.strip_suffix(&suffix(no, count))
}
