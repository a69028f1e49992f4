//! Owns `apis!`, which ties API keys, versions and messages together.

use std::ops::RangeInclusive;

use super::ApiKey;
use crate::codec::{DecodeError, EncodeError, Version};

macro_rules! apis {
    ($($key:ident = $code:literal, $versions:expr, flexible $flexible:expr, $module:ident: $request:ident => $response:ident;)+) => {
        /// An API of the protocol. Only the APIs that `wire` knows are here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $(#[doc = concat!("See [`", stringify!($module), "`].")] $key = $code,)+
        }

        impl ApiKey {
            /// All APIs, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$key),+];

            /// The API's name, as Kafka has it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$key => stringify!($key),)+
                }
            }

            /// The versions that can be coded.
            pub const fn versions(self) -> std::ops::RangeInclusive<i16> {
                match self {
                    $(Self::$key => $versions,)+
                }
            }

            /// The first version with compact lengths and tagged fields.
            pub const fn flexible_from(self) -> i16 {
                match self {
                    $(Self::$key => $flexible,)+
                }
            }

            /// Calls `visitor` with the API's message types.
            pub fn visit<V: ApiVisitor>(self, visitor: V) -> V::Output {
                match self {
                    $(Self::$key => visitor.visit::<$request>(),)+
                }
            }
        }

        impl TryFrom<i16> for ApiKey {
            type Error = $crate::codec::DecodeError;

            fn try_from(code: i16) -> Result<Self, Self::Error> {
                match code {
                    $($code => Ok(Self::$key),)+
                    unknown => Err($crate::codec::DecodeError::UnknownApi(unknown)),
                }
            }
        }

        $(
            pub use $module::{$request, $response};

            impl Request for $request {
                const KEY: ApiKey = ApiKey::$key;
                type Response = $response;
            }

            $crate::message::api::messages!($key: $request, $response);
        )+
    };
}

macro_rules! messages {
    ($key:ident: $($message:ident),+) => {$(
        impl Message for $message {
            fn decode(
                r: &mut $crate::codec::Reader,
                version: i16,
            ) -> Result<Self, $crate::codec::DecodeError> {
                $crate::codec::Field::read(r, ApiKey::$key.decodable(version)?)
            }

            fn encode(
                &self,
                w: &mut $crate::codec::Writer,
                version: i16,
            ) -> Result<(), $crate::codec::EncodeError> {
                $crate::codec::Field::write(self, w, ApiKey::$key.encodable(version)?)
            }
        }
    )+};
}

pub(super) use {apis, messages};

impl ApiKey {
    /// The version of the request's header: 2 with tagged fields, else 1.
    pub const fn request_header_version(self, version: i16) -> i16 {
        if version >= self.flexible_from() { 2 } else { 1 }
    }

    /// The version of the response's header: 1 with tagged fields, else 0. That of ApiVersions is always 0: a client
    /// must be able to read the answer before it knows the broker.
    pub const fn response_header_version(self, version: i16) -> i16 {
        if matches!(self, Self::ApiVersions) || version < self.flexible_from() { 0 } else { 1 }
    }

    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    fn version(self, number: i16) -> Option<Version> {
        let versions: RangeInclusive<i16> = self.versions();
        versions.contains(&number).then_some(Version { number, flexible: number >= self.flexible_from() })
    }

    pub(super) fn decodable(self, version: i16) -> Result<Version, DecodeError> {
        self.version(version).ok_or(DecodeError::UnknownVersion { api: self.name(), version })
    }

    pub(super) fn encodable(self, version: i16) -> Result<Version, EncodeError> {
        self.version(version).ok_or(EncodeError::UnknownVersion { api: self.name(), version })
    }
}

impl std::fmt::Display for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
