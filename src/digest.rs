//! SHA-256 as hexadecimal digits.

use sha2::{Digest, Sha256};

/// A digest, written out.
pub fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of token ids as little-endian 32-bit numbers.
pub fn add_ids(hash: &mut Sha256, ids: &[u32]) {
    ids.iter().for_each(|id| hash.update(id.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        let mut hash = Sha256::new();
        add_ids(&mut hash, &[u32::from_le_bytes(*b"abcd"), u32::from_le_bytes(*b"efgh")]);
        assert_eq!(hex(hash), "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab");
    }
}
