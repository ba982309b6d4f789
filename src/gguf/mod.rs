//! GGUF files: metadata, tensor directory, shards, memory map. Knows no architecture.

mod types;

pub use types::GgmlType;
