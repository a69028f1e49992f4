//! What tests of several modules use.

mod memory;
mod random;

use bytes::Bytes;

pub(crate) use memory::allocated;
pub(crate) use random::{Gen, Random, random_field};

/// The bytes written as hexadecimal digits in `text`. White space and all between `#` and the line's end is ignored;
/// what stands between `"` is taken as ASCII.
pub(crate) fn hex(text: &str) -> Bytes {
    let mut bytes = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        for (place, part) in line.split('"').enumerate() {
            if place % 2 == 1 {
                bytes.extend_from_slice(part.as_bytes());
                continue;
            }
            let digits: Vec<u32> = part
                .chars()
                .filter(|c| !c.is_whitespace())
                .map(|c| c.to_digit(16).unwrap_or_else(|| panic!("{c:?} is not hexadecimal")))
                .collect();
            assert_eq!(digits.len() % 2, 0, "an odd number of digits in {part:?}");
            bytes.extend(digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()));
        }
    }
    bytes.into()
}
