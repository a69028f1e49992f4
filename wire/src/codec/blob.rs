//! Owns record bytes in a message: present, or left out to be sent from elsewhere.

use bytes::Bytes;

/// The bytes of a `records` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// The bytes themselves. What is decoded is always of this kind, a slice of the frame.
    Bytes(Bytes),
    /// Only the length is written; the sender puts the bytes in when it sends the frame, see [`Encoded`].
    Hole {
        /// The number of bytes left out.
        len: u32,
        /// The sender's own mark by which it finds the bytes.
        tag: u32,
    },
}

impl Blob {
    /// The number of bytes on the wire.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Hole { len, .. } => *len as usize,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, unless they are a hole.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Hole { .. } => None,
        }
    }
}

impl Default for Blob {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// A place in encoded bytes where bytes are still to be put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The position in [`Encoded::bytes`] before which the missing bytes belong.
    pub at: usize,
    /// The number of missing bytes.
    pub len: u32,
    /// The mark given in [`Blob::Hole`].
    pub tag: u32,
}

/// Encoded bytes and the holes in them, in ascending order of position. To send it: the bytes up to a hole's
/// position, `len` bytes from where `tag` says, and so on, then the rest of the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// All bytes but those of the holes.
    pub bytes: Bytes,
    /// The holes.
    pub holes: Vec<Hole>,
}

impl Encoded {
    /// The number of bytes on the wire, holes included.
    pub fn wire_len(&self) -> usize {
        self.holes.iter().fold(self.bytes.len(), |sum, hole| sum.saturating_add(hole.len as usize))
    }
}
