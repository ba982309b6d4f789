//! GGUF files: metadata, tensor directory, shards, memory map. Knows no architecture.
//!
//! A file is checked as a whole when it is opened (`header`), against limits on every count and with checked
//! arithmetic; afterwards strings and arrays are borrowed from the map. What is read later is bounds-checked again,
//! because another process may change the file.

mod cursor;
mod header;
mod map;
mod metadata;
mod shards;
mod types;
mod value;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use cursor::{Escaped, Quoted};
pub use header::{
    ALIGNMENT_MAX, ARRAY_LEN_MAX, DIMS_MAX, KEY_BYTES_MAX, KEYS_MAX, NAME_BYTES_MAX, STRING_BYTES_MAX, TENSORS_MAX,
};
use map::MappedFile;
pub use metadata::{LAYERS_MAX, Metadata};
pub use shards::SHARDS_MAX;
pub use types::GgmlType;
pub use value::{ARRAY_DEPTH_MAX, Array, Strings, Value, ValueType};

use crate::{Error, Result};

/// Where one tensor stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, such as `blk.0.ffn_up_exps.weight`.
    pub name: String,
    /// How its weights are stored.
    pub ty: GgmlType,
    /// Its shape in ggml's order, innermost first: `[columns, rows, ...]`; one to four entries, none of them 0.
    pub dims: Vec<u64>,
    /// Which of [`Gguf::shard_paths`] it is in.
    pub shard: usize,
    /// Its first byte in that file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl TensorInfo {
    /// How many weights it has.
    pub fn elements(&self) -> u64 {
        // The product was checked when the file was opened.
        self.dims.iter().product()
    }

    /// How many rows it has, over all dimensions but the innermost.
    pub fn rows(&self) -> u64 {
        self.dims.iter().skip(1).product()
    }

    /// Bytes of one row of `dims[0]` weights.
    pub fn row_bytes(&self) -> u64 {
        self.bytes / self.rows()
    }
}

/// An open model: one GGUF file or all its shards, mapped.
#[derive(Debug)]
pub struct Gguf {
    files: Vec<Arc<MappedFile>>,
    paths: Vec<PathBuf>,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    /// Numbers in `tensors`, sorted by name.
    by_name: Vec<u32>,
}

impl Gguf {
    /// Opens the model at `path`; of a split model, `path` is the first shard, and the others are found beside it.
    ///
    /// # Errors
    /// A file that cannot be read, or is not a sound GGUF file of version 2 or 3: the message names the file, the
    /// key or tensor, and the byte offset.
    pub fn open(path: &Path) -> Result<Self> {
        let first = Arc::new(MappedFile::open(path)?);
        let header::Header { metadata, mut tensors } = header::read(&first, 0)?;
        let others = shards::others(path, &metadata)?;
        let count = others.len() + 1;
        let mut files = vec![first];
        for (i, other) in others.iter().enumerate() {
            let file = Arc::new(MappedFile::open(other).map_err(|e| missing(e, path, count))?);
            let header = header::read(&file, i + 1)?;
            shards::check(other, &header.metadata, i + 1, count)?;
            shards::check_agreement((path, &metadata), (other, &header.metadata))?;
            tensors.extend(header.tensors);
            files.push(file);
        }
        if count > 1 {
            shards::check_total(path, &metadata, tensors.len())?;
        }
        let paths: Vec<PathBuf> = files.iter().map(|f| f.path().to_owned()).collect();
        let by_name = index_names(&tensors, &paths)?;
        Ok(Self { files, paths, metadata, tensors, by_name })
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        self.files[0].path()
    }

    /// The paths of all shards in order; one for a model in one file.
    pub fn shard_paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The open file of a shard, for readers of their own; `None` for a number that is not a shard's.
    pub fn shard_file(&self, shard: usize) -> Option<&File> {
        self.files.get(shard).map(|f| f.file())
    }

    /// Bytes of all shards together.
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes().len() as u64).sum()
    }

    /// The metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// All tensors in file order, shard after shard.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = &TensorInfo> {
        self.tensors.iter()
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        let at = self.by_name.binary_search_by_key(&name, |&i| &self.tensors[i as usize].name).ok()?;
        Some(&self.tensors[self.by_name[at] as usize])
    }

    /// The bytes of a tensor, mapped: touching them reads them from the file, page by page.
    ///
    /// # Errors
    /// `tensor` is not one of this model's.
    pub fn tensor_bytes(&self, tensor: &TensorInfo) -> Result<&[u8]> {
        self.files.get(tensor.shard).and_then(|f| f.get(tensor.offset, tensor.bytes)).ok_or_else(|| {
            let what = format!(
                "does not hold tensor {} at byte {} of shard {}",
                Quoted(&tensor.name),
                tensor.offset,
                tensor.shard
            );
            Error::file(self.path(), what)
        })
    }

    /// Fills `out` from byte `offset` of a shard by a positioned read, which adds nothing to the resident set.
    ///
    /// # Errors
    /// The read fails, the file ends first, or it was written to since it was opened.
    pub fn read_at(&self, shard: usize, offset: u64, out: &mut [u8]) -> Result<()> {
        match self.files.get(shard) {
            Some(file) => file.read_at(offset, out),
            None => Err(Error::file(self.path(), format!("has {} shards, so no number {shard}", self.files.len()))),
        }
    }

    /// Refuses a model of which a file was written to since it was opened, or has another in its place: who opened the file
    /// by its name meanwhile may have read another model.
    ///
    /// # Errors
    /// The file's path.
    pub fn check_unchanged(&self) -> Result<()> {
        self.files.iter().try_for_each(|file| file.check_unchanged())
    }

    /// Takes the pages of all maps out of the process's resident set; they come back from the file when touched.
    pub fn drop_mapped_pages(&self) {
        for file in &self.files {
            file.drop_pages();
        }
    }
}

/// Says of a shard that is not there which model misses it.
fn missing(e: Error, first: &Path, count: usize) -> Error {
    match e {
        Error::Io { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
            let what = format!(
                "this shard is missing: {} is the first of {count}, and all must stand beside it",
                first.display()
            );
            Error::file(path, what)
        }
        e => e,
    }
}

fn index_names(tensors: &[TensorInfo], paths: &[PathBuf]) -> Result<Vec<u32>> {
    let mut by_name: Vec<u32> = (0..tensors.len() as u32).collect();
    by_name.sort_by_key(|&i| &tensors[i as usize].name);
    for pair in by_name.windows(2) {
        let [a, b] = [&tensors[pair[0] as usize], &tensors[pair[1] as usize]];
        if a.name == b.name {
            let other = if a.shard == b.shard { String::new() } else { format!(" of {}", paths[a.shard].display()) };
            let what = format!(
                "tensor {} stands twice, at byte {}{other} and at byte {}",
                Quoted(&a.name),
                a.offset,
                b.offset
            );
            return Err(Error::file(&paths[b.shard], what));
        }
    }
    Ok(by_name)
}
