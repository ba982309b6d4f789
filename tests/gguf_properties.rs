//! Random sound files read back as they were written; random damage never panics, hangs or reads out of bounds.

#[path = "common/gguf_builder.rs"]
mod builder;

use std::collections::BTreeSet;
use std::io::Write;

use builder::{Builder, V, read_all, write};
use foregate::gguf::{ARRAY_DEPTH_MAX, GgmlType, Gguf, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

fn scalar() -> impl Strategy<Value = V> {
    prop_oneof![
        any::<u8>().prop_map(V::U8),
        any::<i8>().prop_map(V::I8),
        any::<u16>().prop_map(V::U16),
        any::<i16>().prop_map(V::I16),
        any::<u32>().prop_map(V::U32),
        any::<i32>().prop_map(V::I32),
        any::<f32>().prop_map(V::F32),
        any::<bool>().prop_map(V::Bool),
        vec(any::<u8>(), 0..12).prop_map(V::Str),
        any::<u64>().prop_map(V::U64),
        any::<i64>().prop_map(V::I64),
        any::<f64>().prop_map(V::F64),
    ]
}

/// Entries of one type: the first decides, and the others are kept where they agree with it.
fn array(entries: impl Strategy<Value = V>) -> impl Strategy<Value = V> {
    vec(entries, 1..6).prop_map(|mut entries| {
        let ty = entries[0].type_id();
        entries.retain(|e| e.type_id() == ty);
        V::Arr(ty, entries)
    })
}

fn value() -> impl Strategy<Value = V> {
    let nested = array(scalar()).prop_recursive(ARRAY_DEPTH_MAX - 1, 12, 4, array);
    prop_oneof![3 => scalar(), 1 => nested]
}

/// Type, then up to four dimensions, the first in blocks.
fn tensor() -> impl Strategy<Value = (GgmlType, Vec<u64>)> {
    let types: Vec<GgmlType> = GgmlType::all().collect();
    (prop::sample::select(types), vec(1u64..4, 1..5)).prop_map(|(ty, mut dims)| {
        dims[0] *= ty.block_len().expect("the table's types have sizes");
        (ty, dims)
    })
}

fn file() -> impl Strategy<Value = Builder> {
    let keys = prop::collection::btree_map("[a-z.]{0,8}|é", value(), 0..6);
    let tensors = prop::collection::btree_map("[a-z.]{1,8}", tensor(), 0..5);
    (keys, tensors, 0u32..9, 2u32..4).prop_map(|(keys, tensors, alignment, version)| {
        let mut builder = Builder::new().aligned(1 << alignment);
        builder.version = Some(version);
        let builder = keys.into_iter().fold(builder, |b, (k, v)| b.key(&k, v));
        tensors.into_iter().fold(builder, |b, (name, (ty, dims))| b.tensor(&name, ty, &dims))
    })
}

/// Whether a value reads as it was written, bit for bit.
fn same(written: &V, read: &Value<'_>) -> bool {
    match (written, read) {
        (V::U8(a), Value::U8(b)) => a == b,
        (V::I8(a), Value::I8(b)) => a == b,
        (V::U16(a), Value::U16(b)) => a == b,
        (V::I16(a), Value::I16(b)) => a == b,
        (V::U32(a), Value::U32(b)) => a == b,
        (V::I32(a), Value::I32(b)) => a == b,
        (V::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (V::Bool(a), Value::Bool(b)) => a == b,
        (V::Str(a), Value::String(b)) => a == b,
        (V::Arr(ty, a), Value::Array(b)) => {
            *ty == b.ty() as u32 && a.len() == b.len() && b.iter().count() == a.len() && {
                a.iter().zip(b.iter()).all(|(a, b)| same(a, &b))
            }
        }
        (V::U64(a), Value::U64(b)) => a == b,
        (V::I64(a), Value::I64(b)) => a == b,
        (V::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        _ => false,
    }
}

/// One piece of damage: where, and what.
#[derive(Clone, Debug)]
enum Damage {
    /// Overwrites a byte.
    Byte(Index, u8),
    /// Overwrites eight bytes with a number that lengths and offsets go wrong at.
    Number(Index, u64),
    /// Removes a stretch.
    Cut(Index, usize),
    /// Repeats a stretch.
    Repeat(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let numbers =
        prop::sample::select(vec![0, 1, 9, 255, 1 << 31, u64::from(u32::MAX), 1 << 62, u64::MAX - 31, u64::MAX]);
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, b)| Damage::Byte(at, b)),
        4 => (any::<Index>(), numbers).prop_map(|(at, n)| Damage::Number(at, n)),
        1 => (any::<Index>(), 1usize..40).prop_map(|(at, n)| Damage::Cut(at, n)),
        1 => (any::<Index>(), 1usize..40).prop_map(|(at, n)| Damage::Repeat(at, n)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    // Half of all damage would fall on weights, which nothing reads here: the header is what matters.
    let place = |at: &Index, len: usize| at.index(len.clamp(1, 600));
    let len = bytes.len();
    match damage {
        Damage::Byte(at, b) => bytes[place(at, len)] = *b,
        Damage::Number(at, n) => {
            let at = place(at, len);
            let end = len.min(at + 8);
            bytes[at..end].copy_from_slice(&n.to_le_bytes()[..end - at]);
        }
        Damage::Cut(at, n) => {
            let at = place(at, len);
            bytes.drain(at..len.min(at + n));
        }
        Damage::Repeat(at, n) => {
            let at = place(at, len);
            let stretch = bytes[at..len.min(at + n)].to_vec();
            bytes.splice(at..at, stretch);
        }
    }
    if bytes.is_empty() {
        bytes.push(0);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(builder in file()) {
        let dir = tempfile::tempdir().unwrap();
        let gguf = Gguf::open(&builder.write(dir.path(), "m.gguf")).unwrap();
        read_all(&gguf);
        let m = gguf.metadata();
        let keys: Vec<&[u8]> = m.keys().map(str::as_bytes).collect();
        prop_assert_eq!(keys, builder.keys.iter().map(|(k, _)| k.as_slice()).collect::<Vec<_>>());
        for (key, written) in &builder.keys {
            let read = m.get(std::str::from_utf8(key).unwrap()).unwrap();
            prop_assert!(same(written, &read), "{:?} reads as {}", written, read);
        }
        prop_assert_eq!(gguf.tensors().len(), builder.tensors.len());
        let mut places = BTreeSet::new();
        for (t, written) in gguf.tensors().zip(&builder.tensors) {
            prop_assert_eq!((t.name.as_bytes(), t.ty.0, &t.dims), (written.name.as_slice(), written.ty, &written.dims));
            prop_assert_eq!(gguf.tensor_bytes(t).unwrap(), written.data.as_slice());
            prop_assert_eq!(t.offset % builder.alignment.unwrap(), 0);
            prop_assert!(places.insert(t.offset));
        }
    }

    #[test]
    fn damaged_files_are_refused_or_read_without_harm(builder in file(), damages in vec(damage(), 1..4)) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = builder.build();
        damages.iter().for_each(|d| apply(&mut bytes, d));
        let path = write(dir.path(), "m.gguf", &bytes);
        match Gguf::open(&path) {
            Ok(gguf) => read_all(&gguf),
            Err(e) => {
                let e = e.to_string();
                prop_assert!(e.contains("m.gguf: ") && !e.contains('\n'), "{}", e);
            }
        }
    }

    /// The file changes under an open reader: what it indexed no longer fits, and every getter still returns.
    #[test]
    fn a_file_that_changes_while_open_does_no_harm(builder in file(), damages in vec(damage(), 1..4)) {
        let dir = tempfile::tempdir().unwrap();
        let path = builder.write(dir.path(), "m.gguf");
        let gguf = Gguf::open(&path).unwrap();
        let len = path.metadata().unwrap().len();
        let mut bytes = builder.build();
        damages.iter().for_each(|d| apply(&mut bytes, d));
        bytes.resize(len as usize, 0xff);
        // Written into the same file, which keeps its length; a system that forbids this needs no test of it.
        let written = std::fs::File::options().write(true).open(&path).and_then(|mut f| f.write_all(&bytes));
        prop_assume!(written.is_ok());
        let m = gguf.metadata();
        let keys: Vec<String> = builder.keys.iter().map(|(k, _)| String::from_utf8(k.clone()).unwrap()).collect();
        for key in m.keys().map(str::to_owned).chain(keys) {
            let _ = m.get(&key).map(|v| v.to_string());
            let _ = (m.u32(&key), m.f32(&key), m.bool(&key), m.str(&key), m.u32s(&key), m.f32s(&key), m.bools(&key));
            let _ = m.u32_per_layer(&key, 2);
            if let Ok(Some(s)) = m.strings(&key) {
                prop_assert_eq!(s.bytes().count(), s.len());
                prop_assert_eq!(s.iter().count(), s.len());
            }
        }
    }
}
