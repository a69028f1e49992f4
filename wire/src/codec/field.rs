//! Owns how each Rust type that occurs in a message is read and written.

use bytes::Bytes;
use uuid::Uuid;

use super::{Blob, DecodeError, EncodeError, Reader, Writer};

/// The version in which a message is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The API version.
    pub number: i16,
    /// Whether lengths are compact and structs end with tagged fields.
    pub flexible: bool,
}

/// A type that a message can contain.
pub(crate) trait Field: Sized {
    fn read(r: &mut Reader, v: Version) -> Result<Self, DecodeError>;
    fn write(&self, w: &mut Writer, v: Version) -> Result<(), EncodeError>;
    fn is_null(&self) -> bool {
        false
    }
}

/// A type that has a null form on the wire, and can thus be an `Option`.
pub(crate) trait Nullable: Sized {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError>;
    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError>;
}

macro_rules! fixed_size {
    ($($type:ty => $method:ident),+) => {$(
        impl Field for $type {
            fn read(r: &mut Reader, _: Version) -> Result<Self, DecodeError> {
                r.$method()
            }
            fn write(&self, w: &mut Writer, _: Version) -> Result<(), EncodeError> {
                w.$method(*self);
                Ok(())
            }
        }
    )+};
}

fixed_size!(bool => bool, i8 => i8, i16 => i16, i32 => i32, i64 => i64, f64 => f64, Uuid => uuid);

macro_rules! nullable {
    ($([$($generic:tt)*] $type:ty),+) => {$(
        impl<$($generic)*> Field for $type {
            fn read(r: &mut Reader, v: Version) -> Result<Self, DecodeError> {
                Self::read_nullable(r, v)?.ok_or(DecodeError::Null)
            }
            fn write(&self, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
                Self::write_nullable(Some(self), w, v)
            }
        }
    )+};
}

nullable!([] String, [] Bytes, [] Blob, [T: Field] Vec<T>);

impl<T: Nullable> Field for Option<T> {
    fn read(r: &mut Reader, v: Version) -> Result<Self, DecodeError> {
        T::read_nullable(r, v)
    }
    fn write(&self, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        T::write_nullable(self.as_ref(), w, v)
    }
    fn is_null(&self) -> bool {
        self.is_none()
    }
}

impl Nullable for String {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError> {
        r.string(v.flexible)
    }
    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        w.string(value.map(String::as_str), v.flexible)
    }
}

impl Nullable for Bytes {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError> {
        r.bytes(v.flexible)
    }
    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        w.bytes(value.map(AsRef::as_ref), v.flexible)
    }
}

impl Nullable for Blob {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError> {
        Ok(r.bytes(v.flexible)?.map(Self::Bytes))
    }
    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        w.blob(value, v.flexible)
    }
}

impl<T: Field> Nullable for Vec<T> {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError> {
        let Some(count) = r.array_len(v.flexible, size_of::<T>())? else { return Ok(None) };
        let mut elements = Self::with_capacity(count);
        for _ in 0..count {
            elements.push(T::read(r, v)?);
        }
        Ok(Some(elements))
    }
    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        w.len(value.map(Vec::len), v.flexible)?;
        for element in value.into_iter().flatten() {
            element.write(w, v)?;
        }
        Ok(())
    }
}
