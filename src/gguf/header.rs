//! The header of one GGUF file: counts, the index of its metadata, its tensor directory.
//!
//! Layout (GGUF specification, versions 2 and 3, little endian): magic `GGUF`, u32 version, u64 tensor count, u64 key
//! count; per key a string, a u32 type and the value; per tensor its name, u32 number of dimensions, u64 each, u32
//! type, u64 offset from the start of the data, which begins at the next multiple of `general.alignment`.

use std::sync::Arc;

use super::cursor::{Cursor, Quoted};
use super::map::MappedFile;
use super::metadata::{Entry, Metadata};
use super::value::{ARRAY_DEPTH_MAX, ValueType};
use super::{GgmlType, TensorInfo};
use crate::{Error, Result};

/// Most keys in one file; published models have fewer than 100.
pub const KEYS_MAX: u64 = 1 << 16;
/// Most tensors in one file; files with a tensor per expert reach 100,000.
pub const TENSORS_MAX: u64 = 1 << 18;
/// Most dimensions of a tensor, as in ggml.
pub const DIMS_MAX: u32 = 4;
/// Longest key in bytes, from the GGUF specification.
pub const KEY_BYTES_MAX: u64 = (1 << 16) - 1;
/// Longest tensor name in bytes; ggml itself allows 63.
pub const NAME_BYTES_MAX: u64 = 255;
/// Longest string value in bytes.
pub const STRING_BYTES_MAX: u64 = 1 << 26;
/// Most entries of one array.
pub const ARRAY_LEN_MAX: u64 = 1 << 28;
/// Largest alignment of tensor data in bytes.
pub const ALIGNMENT_MAX: u64 = 1 << 20;
/// The alignment of tensor data in bytes where `general.alignment` is absent (GGUF specification).
const ALIGNMENT_DEFAULT: u64 = 32;

/// What one file holds.
pub(super) struct Header {
    pub(super) metadata: Metadata,
    /// In file order; every extent lies inside the file and overlaps no other.
    pub(super) tensors: Vec<TensorInfo>,
}

/// Reads and checks the header of `file`, which is shard number `shard`.
pub(super) fn read(file: &Arc<MappedFile>, shard: usize) -> Result<Header> {
    let mut cur = Cursor::new(file, 0);
    check_magic(&mut cur)?;
    let tensors = count(&mut cur, "tensor", TENSORS_MAX, 24)?;
    let keys = count(&mut cur, "key", KEYS_MAX, 13)?;

    let mut entries = Vec::with_capacity(keys);
    for i in 0..keys {
        entries.push(read_entry(&mut cur, i)?);
    }
    let metadata = Metadata::new(Arc::clone(file), entries)?;
    let alignment = alignment(&metadata, file)?;

    let mut directory = Vec::with_capacity(tensors);
    for i in 0..tensors {
        directory.push(read_tensor(&mut cur, i, shard)?);
    }
    let data = (cur.at() as u64).next_multiple_of(alignment);
    let tensors = place(directory, data, alignment, file)?;
    Ok(Header { metadata, tensors })
}

fn check_magic(cur: &mut Cursor<'_>) -> Result<()> {
    let magic = cur.take(4, format_args!("the magic number"))?;
    match magic {
        b"GGUF" => {}
        b"lmgg" | b"fmgg" | b"tjgg" | b"algg" => {
            return Err(cur.error_at(0, format_args!("is a model file from before GGUF; convert it to GGUF first")));
        }
        _ => return Err(cur.error_at(0, format_args!("is not a GGUF file: it does not start with `GGUF`"))),
    }
    let version = cur.u32(format_args!("the version"))?;
    match version {
        2 | 3 => Ok(()),
        1 => {
            Err(cur.error_at(4, format_args!("is GGUF version 1; only 2 and 3 are supported: convert the model again")))
        }
        v if matches!(v.swap_bytes(), 1..=3) => {
            Err(cur.error_at(4, format_args!("is a big-endian GGUF file; only little-endian ones are supported")))
        }
        v => Err(cur.error_at(4, format_args!("is GGUF version {v}; only 2 and 3 are supported"))),
    }
}

/// A count of things that take at least `size_min` bytes each, so that it can size an allocation.
fn count(cur: &mut Cursor<'_>, what: &str, max: u64, size_min: u64) -> Result<usize> {
    let at = cur.at();
    let n = cur.u64(format_args!("the {what} count"))?;
    if n > max {
        return Err(cur.error_at(at, format_args!("the {what} count is {n}; the limit is {max}")));
    }
    let left = cur.left() as u64;
    if n * size_min > left {
        return Err(cur.error_at(
            at,
            format_args!("the {what} count is {n}, but the {left} bytes that follow cannot hold that many: the file is truncated or damaged"),
        ));
    }
    Ok(n as usize)
}

fn utf8<'a>(cur: &Cursor<'_>, bytes: &'a [u8], at: usize, what: std::fmt::Arguments<'_>) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| cur.error_at(at, format_args!("{what} is not valid UTF-8")))
}

fn read_entry(cur: &mut Cursor<'_>, i: usize) -> Result<Entry> {
    let at = cur.at();
    let bytes = cur.string(KEY_BYTES_MAX, format_args!("the name of key {i}"))?;
    let key = Quoted(utf8(cur, bytes, at, format_args!("the name of key {i}"))?);
    let ty = value_type(cur, key)?;
    let value = cur.at();
    skip_value(cur, ty, key, 0)?;
    Ok(Entry { key: at as u64 + 8, key_len: bytes.len() as u32, ty, value: value as u64, end: cur.at() as u64 })
}

fn value_type(cur: &mut Cursor<'_>, key: Quoted<'_>) -> Result<ValueType> {
    let at = cur.at();
    let id = cur.u32(format_args!("the type of key {key}"))?;
    ValueType::from_id(id).ok_or_else(|| cur.error_at(at, format_args!("key {key} has the unknown value type {id}")))
}

/// Steps over a value, checking every length in it.
fn skip_value(cur: &mut Cursor<'_>, ty: ValueType, key: Quoted<'_>, depth: u32) -> Result<()> {
    match ty {
        ValueType::String => cur.string(STRING_BYTES_MAX, format_args!("a string of key {key}")).map(drop),
        ValueType::Array => skip_array(cur, key, depth + 1),
        ValueType::Bool => skip_bools(cur, 1, key),
        sized => cur.take(sized.size_min(), format_args!("the value of key {key}")).map(drop),
    }
}

fn skip_array(cur: &mut Cursor<'_>, key: Quoted<'_>, depth: u32) -> Result<()> {
    let start = cur.at();
    if depth > ARRAY_DEPTH_MAX {
        return Err(
            cur.error_at(start, format_args!("the arrays of key {key} are nested deeper than {ARRAY_DEPTH_MAX}"))
        );
    }
    let ty = value_type(cur, key)?;
    let at = cur.at();
    let len = cur.u64(format_args!("the array length of key {key}"))?;
    if len > ARRAY_LEN_MAX {
        return Err(
            cur.error_at(at, format_args!("the array of key {key} has {len} entries; the limit is {ARRAY_LEN_MAX}"))
        );
    }
    match ty {
        ValueType::String | ValueType::Array => (0..len).try_for_each(|_| skip_value(cur, ty, key, depth)),
        ValueType::Bool => skip_bools(cur, len, key),
        sized => cur.take(len * sized.size_min(), format_args!("the array of key {key}")).map(drop),
    }
}

fn skip_bools(cur: &mut Cursor<'_>, n: u64, key: Quoted<'_>) -> Result<()> {
    let at = cur.at();
    let bytes = cur.take(n, format_args!("the value of key {key}"))?;
    match bytes.iter().position(|&b| b > 1) {
        Some(i) => {
            Err(cur.error_at(at + i, format_args!("key {key} has a bool that is {}, neither 0 nor 1", bytes[i])))
        }
        None => Ok(()),
    }
}

fn alignment(metadata: &Metadata, file: &MappedFile) -> Result<u64> {
    let alignment = metadata.u64("general.alignment")?.unwrap_or(ALIGNMENT_DEFAULT);
    if !alignment.is_power_of_two() || alignment > ALIGNMENT_MAX {
        let what = format!("`general.alignment` is {alignment}; it must be a power of two of at most {ALIGNMENT_MAX}");
        return Err(Error::file(file.path(), what));
    }
    Ok(alignment)
}

/// One entry of the tensor directory, its offset still relative to the data, and where the entry stands.
fn read_tensor(cur: &mut Cursor<'_>, i: usize, shard: usize) -> Result<(TensorInfo, usize)> {
    let start = cur.at();
    let bytes = cur.string(NAME_BYTES_MAX, format_args!("the name of tensor {i}"))?;
    let text = utf8(cur, bytes, start, format_args!("the name of tensor {i}"))?;
    let name = Quoted(text);

    let at = cur.at();
    let n_dims = cur.u32(format_args!("the dimension count of tensor {name}"))?;
    if n_dims > DIMS_MAX {
        return Err(cur.error_at(at, format_args!("tensor {name} has {n_dims} dimensions; the limit is {DIMS_MAX}")));
    }
    let mut dims = Vec::with_capacity(n_dims.max(1) as usize);
    for d in 0..n_dims {
        let at = cur.at();
        let dim = cur.u64(format_args!("dimension {d} of tensor {name}"))?;
        if dim == 0 {
            return Err(cur.error_at(at, format_args!("dimension {d} of tensor {name} is 0")));
        }
        dims.push(dim);
    }
    if dims.is_empty() {
        // A tensor without dimensions is a single number.
        dims.push(1);
    }

    let at = cur.at();
    let ty = GgmlType(cur.u32(format_args!("the type of tensor {name}"))?);
    let Some(block) = ty.block_len() else {
        return Err(cur.error_at(
            at,
            format_args!("tensor {name} has the unknown type number {}: its size cannot be told", ty.0),
        ));
    };
    if dims[0] % block != 0 {
        return Err(cur.error_at(
            start,
            format_args!(
                "tensor {name} has rows of {} weights, which {ty} cannot hold: its blocks are of {block}",
                dims[0]
            ),
        ));
    }
    let elements = dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d));
    let Some(bytes) = elements.and_then(|n| ty.bytes_for(n)) else {
        return Err(cur.error_at(start, format_args!("tensor {name} of shape {dims:?} is larger than any file")));
    };
    let offset = cur.u64(format_args!("the offset of tensor {name}"))?;
    Ok((TensorInfo { name: text.to_owned(), ty, dims, shard, offset, bytes }, start))
}

/// Makes offsets absolute, and checks that every tensor is aligned, inside the file, and apart from all others.
fn place(directory: Vec<(TensorInfo, usize)>, data: u64, alignment: u64, file: &MappedFile) -> Result<Vec<TensorInfo>> {
    let len = file.bytes().len() as u64;
    let mut tensors = Vec::with_capacity(directory.len());
    for (mut t, at) in directory {
        let error =
            |what: String| Error::file(file.path(), format!("tensor {} {what} (entry at byte {at})", Quoted(&t.name)));
        if t.offset % alignment != 0 {
            return Err(error(format!("is misaligned: its offset {} is no multiple of {alignment}", t.offset)));
        }
        let start = data.checked_add(t.offset);
        let end = start.and_then(|s| s.checked_add(t.bytes));
        let (Some(start), Some(_)) = (start, end.filter(|&e| e <= len)) else {
            let end = end.map_or("past any file".to_owned(), |e| format!("at byte {e}"));
            return Err(error(format!(
                "({}, {:?}) ends {end}, but the file has {len} bytes: it is truncated or damaged",
                t.ty, t.dims
            )));
        };
        t.offset = start;
        tensors.push(t);
    }
    let mut by_offset: Vec<&TensorInfo> = tensors.iter().collect();
    by_offset.sort_by_key(|t| t.offset);
    for pair in by_offset.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        if a.offset + a.bytes > b.offset {
            let what = format!("tensors {} and {} overlap (at byte {})", Quoted(&a.name), Quoted(&b.name), b.offset);
            return Err(Error::file(file.path(), what));
        }
    }
    Ok(tensors)
}
