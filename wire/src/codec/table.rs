//! Owns the tables: `message!` makes a struct, its defaults, its reader and its writer from a list of fields.
//!
//! ```text
//! message! {
//!     /// What it is.
//!     pub struct ThingRequest {
//!         /// What the field is.
//!         name: String, 0..;                                 // in all versions
//!         timeout_ms: i32 = 1000, 1..;                       // since version 1, and what it is before that
//!         legacy: i64, 0..=2;                                // no longer after version 2
//!         topics: Option<Vec<Thing>>, 0.., nullable 3..;     // may be null only since version 3
//!         rack: Option<String>, 2.., ignorable;              // left out where a version lacks it
//!     } tagged {
//!         /// A tagged field: tag => field, by ascending tag.
//!         0 => cluster_id: Option<String>, 4..;
//!     }
//! }
//! ```
//!
//! - A field that a version does not have takes its default when it is read. When it is written it must have the
//!   default, else that is an error: the receiver would miss something that matters. `ignorable` fields are left out.
//! - The default is the type's own, which is null for an `Option`; anything else stands behind the `=`.
//! - An `Option` may be null in every version that has it, unless `nullable` says in which.

use super::{DecodeError, EncodeError, Field, Reader, Version, Writer};

macro_rules! message {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $type:ty $(= $default:expr)?, $versions:expr
                $(, $flag:ident $($bound:expr)?)*;
            )*
        }
        $(tagged {
            $(
                $(#[$tag_meta:meta])*
                $tag:literal => $tagged:ident: $tagged_type:ty $(= $tagged_default:expr)?, $tagged_versions:expr
                $(, $tagged_flag:ident $($tagged_bound:expr)?)*;
            )+
        })?
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            $($($(#[$tag_meta])* pub $tagged: $tagged_type,)+)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::codec::initial!($($default)?),)*
                    $($($tagged: $crate::codec::initial!($($tagged_default)?),)+)?
                }
            }
        }

        impl $crate::codec::Field for $name {
            fn read(
                r: &mut $crate::codec::Reader,
                v: $crate::codec::Version,
            ) -> Result<Self, $crate::codec::DecodeError> {
                let mut this = Self::default();
                $(if ($versions).contains(&v.number) {
                    let nullable = $crate::codec::flag!(nullable v; $($flag $($bound)?),*);
                    let name = concat!(stringify!($name), ".", stringify!($field));
                    this.$field = $crate::codec::read_field(r, v, nullable, name)?;
                })*
                if v.flexible {
                    r.tagged_fields(|tag, _value| match tag {
                        $($($tag if ($tagged_versions).contains(&v.number) => {
                            let nullable = $crate::codec::flag!(nullable v; $($tagged_flag $($tagged_bound)?),*);
                            let name = concat!(stringify!($name), ".", stringify!($tagged));
                            this.$tagged = $crate::codec::read_field(_value, v, nullable, name)?;
                            Ok(true)
                        })+)?
                        _ => Ok(false),
                    })?;
                }
                Ok(this)
            }

            fn write(
                &self,
                w: &mut $crate::codec::Writer,
                v: $crate::codec::Version,
            ) -> Result<(), $crate::codec::EncodeError> {
                $({
                    let name = concat!(stringify!($name), ".", stringify!($field));
                    if ($versions).contains(&v.number) {
                        let nullable = $crate::codec::flag!(nullable v; $($flag $($bound)?),*);
                        $crate::codec::write_field(w, v, &self.$field, nullable, name)?;
                    } else if !$crate::codec::flag!(ignorable v; $($flag $($bound)?),*) {
                        let default: $type = $crate::codec::initial!($($default)?);
                        $crate::codec::absent_field(self.$field == default, v, name)?;
                    }
                })*
                let tags = $crate::codec::Tags::default();
                $($(
                    let name = concat!(stringify!($name), ".", stringify!($tagged));
                    let present = v.flexible && ($tagged_versions).contains(&v.number);
                    let default: $tagged_type = $crate::codec::initial!($($tagged_default)?);
                    let set = self.$tagged != default;
                    if !present && !$crate::codec::flag!(ignorable v; $($tagged_flag $($tagged_bound)?),*) {
                        $crate::codec::absent_field(!set, v, name)?;
                    }
                    let nullable = $crate::codec::flag!(nullable v; $($tagged_flag $($tagged_bound)?),*);
                    let tags = tags.with($tag, present && set, |w| {
                        $crate::codec::write_field(w, v, &self.$tagged, nullable, name)
                    })?;
                )+)?
                if v.flexible {
                    w.tagged_fields(tags);
                }
                Ok(())
            }
        }

        #[cfg(test)]
        impl $crate::testing::Random for $name {
            fn random(g: &mut $crate::testing::Gen, v: $crate::codec::Version) -> Self {
                Self {
                    $($field: {
                        let present = ($versions).contains(&v.number);
                        let nullable = $crate::codec::flag!(nullable v; $($flag $($bound)?),*);
                        let default: $type = $crate::codec::initial!($($default)?);
                        if present { $crate::testing::random_field(g, v, nullable) } else { default }
                    },)*
                    $($($tagged: {
                        let present = ($tagged_versions).contains(&v.number);
                        let nullable = $crate::codec::flag!(nullable v; $($tagged_flag $($tagged_bound)?),*);
                        let default: $tagged_type = $crate::codec::initial!($($tagged_default)?);
                        if present { $crate::testing::random_field(g, v, nullable) } else { default }
                    },)+)?
                }
            }
        }
    )+};
}

/// The default of a field: what stands behind its `=`, else the type's own.
macro_rules! initial {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

/// Whether a field may be null in version `v`, or may be left out where it is absent.
macro_rules! flag {
    (nullable $v:ident; nullable $bound:expr $(, $($rest:tt)*)?) => {
        ($bound).contains(&$v.number)
    };
    (nullable $v:ident; ignorable $(, $($rest:tt)*)?) => {
        $crate::codec::flag!(nullable $v; $($($rest)*)?)
    };
    (nullable $v:ident;) => {
        true
    };
    (ignorable $v:ident; ignorable $(, $($rest:tt)*)?) => {
        true
    };
    (ignorable $v:ident; nullable $bound:expr $(, $($rest:tt)*)?) => {
        $crate::codec::flag!(ignorable $v; $($($rest)*)?)
    };
    (ignorable $v:ident;) => {
        false
    };
}

pub(crate) use {flag, initial, message};

pub(crate) fn read_field<T: Field>(
    r: &mut Reader,
    v: Version,
    nullable: bool,
    field: &'static str,
) -> Result<T, DecodeError> {
    let value = T::read(r, v)?;
    if value.is_null() && !nullable {
        return Err(DecodeError::UnexpectedNull { field, version: v.number });
    }
    Ok(value)
}

pub(crate) fn write_field<T: Field>(
    w: &mut Writer,
    v: Version,
    value: &T,
    nullable: bool,
    field: &'static str,
) -> Result<(), EncodeError> {
    if value.is_null() && !nullable {
        return Err(EncodeError::Null { field, version: v.number });
    }
    value.write(w, v)
}

/// Refuses to drop the value of a field that the version does not have, unless it is the default.
pub(crate) fn absent_field(is_default: bool, v: Version, field: &'static str) -> Result<(), EncodeError> {
    if is_default { Ok(()) } else { Err(EncodeError::NotInVersion { field, version: v.number }) }
}
