//! Random messages: each value of a message is drawn from a string of bytes, so that proptest shrinks a
//! failing message by shrinking the string.

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::{Blob, Version};

/// Draws values from bytes. When they are used up every draw is zero: arrays end, numbers are small.
pub(crate) struct Gen<'a> {
    bytes: &'a [u8],
}

impl<'a> Gen<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        first
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// Mostly short, at times beyond what one byte of a varint holds.
    fn len(&mut self) -> usize {
        match self.byte() {
            len @ 0..=249 => usize::from(len % 5),
            long => usize::from(long - 249) * 40,
        }
    }
}

/// A type of which random values can be made.
pub(crate) trait Random: Sized {
    /// A value that `v` can express; fields that `v` lacks have their defaults.
    fn random(g: &mut Gen<'_>, v: Version) -> Self;

    /// The same, but not null.
    fn random_not_null(g: &mut Gen<'_>, v: Version) -> Self {
        Self::random(g, v)
    }
}

/// A value that is null only if it may be.
pub(crate) fn random_field<T: Random>(g: &mut Gen<'_>, v: Version, nullable: bool) -> T {
    if nullable { T::random(g, v) } else { T::random_not_null(g, v) }
}

macro_rules! random_numbers {
    ($($type:ty),+) => {$(
        impl Random for $type {
            fn random(g: &mut Gen<'_>, _: Version) -> Self {
                Self::from_be_bytes(g.array())
            }
        }
    )+};
}

random_numbers!(i8, i16, i32, i64);

impl Random for bool {
    fn random(g: &mut Gen<'_>, _: Version) -> Self {
        g.byte() % 2 == 1
    }
}

impl Random for Uuid {
    fn random(g: &mut Gen<'_>, _: Version) -> Self {
        Self::from_bytes(g.array())
    }
}

impl Random for String {
    fn random(g: &mut Gen<'_>, _: Version) -> Self {
        (0..g.len()).map(|_| ['a', 'z', '.', 'ä', '日', '\0'][usize::from(g.byte() % 6)]).collect()
    }
}

impl Random for Bytes {
    fn random(g: &mut Gen<'_>, _: Version) -> Self {
        (0..g.len()).map(|_| g.byte()).collect()
    }
}

impl Random for Blob {
    fn random(g: &mut Gen<'_>, v: Version) -> Self {
        Self::Bytes(Bytes::random(g, v))
    }
}

impl<T: Random> Random for Vec<T> {
    fn random(g: &mut Gen<'_>, v: Version) -> Self {
        (0..g.len()).map(|_| T::random(g, v)).collect()
    }
}

impl<T: Random> Random for Option<T> {
    fn random(g: &mut Gen<'_>, v: Version) -> Self {
        (!g.byte().is_multiple_of(4)).then(|| T::random(g, v))
    }

    fn random_not_null(g: &mut Gen<'_>, v: Version) -> Self {
        Some(T::random(g, v))
    }
}
