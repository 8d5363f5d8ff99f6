//! Ids of traces and spans, and digests that tell rows apart.

use sha2::{Digest, Sha256};

use crate::files;

/// A trace id of 32 hexadecimal digits (shorter ones stand for those with zeros before them), or a
/// digest; whether it was hexadecimal.
pub(in crate::import) fn trace_id(text: &str) -> (u128, bool) {
    let is_hex = matches!(text.len(), 16..=32) && is_hexadecimal(text);
    match u128::from_str_radix(text, 16) {
        Ok(id) if is_hex => (id, true),
        _ => (digest(&[text]), false),
    }
}

/// A span id of 16 hexadecimal digits, or a digest; whether it was hexadecimal.
pub(in crate::import) fn span_id(text: &str) -> (u64, bool) {
    let is_hex = text.len() == 16 && is_hexadecimal(text);
    match u64::from_str_radix(text, 16) {
        Ok(id) if is_hex => (id, true),
        _ => ((digest(&[text]) >> 64) as u64, false),
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Equal for equal texts.
pub(in crate::import) fn digest<T: AsRef<[u8]>>(texts: &[T]) -> u128 {
    match texts {
        // Ids of imports made before must stay.
        [text] => first_half(&Sha256::digest(text)),
        texts => {
            let mut hash = Sha256::new();
            for text in texts {
                add(&mut hash, text.as_ref());
            }
            first_half(&hash.finalize())
        }
    }
}

/// Adds a text so that it can't run into the next.
pub(super) fn add(hash: &mut Sha256, text: &[u8]) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

pub(super) fn first_half(digest: &[u8]) -> u128 {
    let mut digits = files::hex(digest);
    digits.truncate(32);
    u128::from_str_radix(&digits, 16).unwrap_or_default()
}
