//! Writes small GGUF files, sound ones and (by asking for it) broken ones.
#![allow(dead_code, missing_docs)] // each test file uses its part

use std::path::{Path, PathBuf};

use foregate::gguf::{GgmlType, Gguf, Value};

/// A metadata value, as the file's format has them. `Raw` is a type number and bytes that need not fit it.
#[derive(Clone, Debug, PartialEq)]
pub enum V {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    Str(Vec<u8>),
    /// The entries' type number, then the entries.
    Arr(u32, Vec<V>),
    U64(u64),
    I64(i64),
    F64(f64),
    Raw(u32, Vec<u8>),
}

impl V {
    pub fn str(s: &str) -> Self {
        Self::Str(s.as_bytes().to_vec())
    }

    pub fn type_id(&self) -> u32 {
        match self {
            Self::U8(_) => 0,
            Self::I8(_) => 1,
            Self::U16(_) => 2,
            Self::I16(_) => 3,
            Self::U32(_) => 4,
            Self::I32(_) => 5,
            Self::F32(_) => 6,
            Self::Bool(_) => 7,
            Self::Str(_) => 8,
            Self::Arr(..) => 9,
            Self::U64(_) => 10,
            Self::I64(_) => 11,
            Self::F64(_) => 12,
            Self::Raw(id, _) => *id,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::U8(v) => out.push(*v),
            Self::I8(v) => out.extend(v.to_le_bytes()),
            Self::U16(v) => out.extend(v.to_le_bytes()),
            Self::I16(v) => out.extend(v.to_le_bytes()),
            Self::U32(v) => out.extend(v.to_le_bytes()),
            Self::I32(v) => out.extend(v.to_le_bytes()),
            Self::F32(v) => out.extend(v.to_le_bytes()),
            Self::Bool(v) => out.push((*v).into()),
            Self::Str(v) => string(out, v),
            Self::Arr(ty, entries) => {
                out.extend(ty.to_le_bytes());
                out.extend((entries.len() as u64).to_le_bytes());
                entries.iter().for_each(|e| e.write(out));
            }
            Self::U64(v) => out.extend(v.to_le_bytes()),
            Self::I64(v) => out.extend(v.to_le_bytes()),
            Self::F64(v) => out.extend(v.to_le_bytes()),
            Self::Raw(_, v) => out.extend(v),
        }
    }
}

fn string(out: &mut Vec<u8>, s: &[u8]) {
    out.extend((s.len() as u64).to_le_bytes());
    out.extend(s);
}

/// One tensor; `offset` overrides the place that a sound file would give it, relative to the data.
#[derive(Clone, Debug)]
pub struct T {
    pub name: Vec<u8>,
    pub dims: Vec<u64>,
    pub ty: u32,
    pub data: Vec<u8>,
    pub offset: Option<u64>,
}

/// A file in the making. Fields that are set override what a sound file would say.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    pub magic: Option<[u8; 4]>,
    pub version: Option<u32>,
    pub n_keys: Option<u64>,
    pub n_tensors: Option<u64>,
    pub alignment: Option<u64>,
    pub keys: Vec<(Vec<u8>, V)>,
    pub tensors: Vec<T>,
}

impl Builder {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn key(mut self, key: &str, value: V) -> Self {
        self.keys.push((key.as_bytes().to_vec(), value));
        self
    }

    /// The content of a file that exists, to be changed.
    pub fn from_file(path: &Path) -> Self {
        fn value(v: Value<'_>) -> V {
            match v {
                Value::U8(v) => V::U8(v),
                Value::I8(v) => V::I8(v),
                Value::U16(v) => V::U16(v),
                Value::I16(v) => V::I16(v),
                Value::U32(v) => V::U32(v),
                Value::I32(v) => V::I32(v),
                Value::F32(v) => V::F32(v),
                Value::Bool(v) => V::Bool(v),
                Value::String(v) => V::Str(v.to_vec()),
                Value::Array(v) => V::Arr(v.ty() as u32, v.iter().map(value).collect()),
                Value::U64(v) => V::U64(v),
                Value::I64(v) => V::I64(v),
                Value::F64(v) => V::F64(v),
            }
        }
        let gguf = Gguf::open(path).expect("a sound file");
        let keys = gguf.metadata().keys().filter_map(|key| Some((key.into(), value(gguf.metadata().get(key)?))));
        let tensors = gguf.tensors().map(|t| T {
            name: t.name.clone().into(),
            dims: t.dims.clone(),
            ty: t.ty.0,
            data: gguf.tensor_bytes(t).expect("a sound file").to_vec(),
            offset: None,
        });
        Self { keys: keys.collect(), tensors: tensors.collect(), ..Self::default() }
    }

    /// Replaces a value, or adds it.
    pub fn with(mut self, key: &str, value: V) -> Self {
        self.keys.retain(|(k, _)| k != key.as_bytes());
        self.key(key, value)
    }

    /// Replaces a tensor by these F32 values, or adds it.
    pub fn floats(mut self, name: &str, values: &[f32]) -> Self {
        self.tensors.retain(|t| t.name != name.as_bytes());
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.raw_tensor(T {
            name: name.into(),
            dims: vec![values.len() as u64],
            ty: GgmlType::F32.0,
            data,
            offset: None,
        })
    }

    /// `general.alignment`, which the data then follows.
    pub fn aligned(mut self, alignment: u32) -> Self {
        self.alignment = Some(alignment.into());
        self.key("general.alignment", V::U32(alignment))
    }

    /// A tensor whose bytes count up from 0.
    pub fn tensor(self, name: &str, ty: GgmlType, dims: &[u64]) -> Self {
        let bytes = ty.bytes_for(dims.iter().product()).expect("a type and shape with a size");
        let data = (0..bytes).map(|i| i as u8).collect();
        self.raw_tensor(T { name: name.into(), dims: dims.to_vec(), ty: ty.0, data, offset: None })
    }

    pub fn raw_tensor(mut self, tensor: T) -> Self {
        self.tensors.push(tensor);
        self
    }

    /// The file's bytes.
    pub fn build(&self) -> Vec<u8> {
        let align = self.alignment.unwrap_or(32).max(1) as usize;
        let mut out = self.magic.unwrap_or(*b"GGUF").to_vec();
        out.extend(self.version.unwrap_or(3).to_le_bytes());
        out.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.n_keys.unwrap_or(self.keys.len() as u64).to_le_bytes());
        for (key, value) in &self.keys {
            string(&mut out, key);
            out.extend(value.type_id().to_le_bytes());
            value.write(&mut out);
        }
        let mut data = Vec::new();
        for t in &self.tensors {
            string(&mut out, &t.name);
            out.extend((t.dims.len() as u32).to_le_bytes());
            t.dims.iter().for_each(|d| out.extend(d.to_le_bytes()));
            out.extend(t.ty.to_le_bytes());
            out.extend(t.offset.unwrap_or(data.len() as u64).to_le_bytes());
            data.extend(&t.data);
            data.resize(data.len().next_multiple_of(align), 0);
        }
        if !self.tensors.is_empty() {
            out.resize(out.len().next_multiple_of(align), 0);
            out.extend(data);
        }
        out
    }

    /// Writes the file as `name` in `dir`.
    pub fn write(&self, dir: &Path, name: &str) -> PathBuf {
        write(dir, name, &self.build())
    }
}

/// Writes `bytes` as `name` in `dir`.
pub fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).expect("the test's own directory is writable");
    path
}

/// Reads everything that an open file offers, so that whatever is wrong with it comes to light.
pub fn read_all(gguf: &foregate::gguf::Gguf) {
    let m = gguf.metadata();
    for key in m.keys() {
        let shown = m.get(key).map(|v| v.to_string().len());
        assert!(shown.is_some(), "{key} is listed, so it has a value");
        let _ = (m.u32(key), m.u64(key), m.i32(key), m.f32(key), m.bool(key), m.str(key));
        let _ = (m.u32s(key), m.i32s(key), m.f32s(key), m.bools(key));
        let _ = (m.u32_per_layer(key, 3), m.f32_per_layer(key, 3), m.bool_per_layer(key, 3));
        if let Ok(Some(strings)) = m.strings(key) {
            assert_eq!(strings.bytes().count(), strings.len());
            assert_eq!(strings.iter().count(), strings.len());
        }
    }
    for t in gguf.tensors() {
        assert_eq!(gguf.tensor(&t.name), Some(t));
        let mapped = gguf.tensor_bytes(t).expect("its extent was checked at open");
        assert_eq!(mapped.len() as u64, t.bytes);
        let mut read = vec![0; mapped.len()];
        gguf.read_at(t.shard, t.offset, &mut read).expect("its extent was checked at open");
        assert!(mapped == read, "{} reads the same from the map and from the file", t.name);
        assert_eq!(t.rows() * t.row_bytes(), t.bytes);
    }
}
