//! Owns what can be wrong with bytes that are read, and with messages that are to be written.

use thiserror::Error;

/// Why bytes could not be decoded. Nothing is known about the rest of the frame then; a server closes the
/// connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A value goes on beyond the end of the bytes.
    #[error("the message ends {missing} bytes too early")]
    Incomplete {
        /// How many bytes more the value needs.
        missing: usize,
    },
    /// A length or a count is larger than what is left could hold.
    #[error("a length of {length} is announced where {left} bytes are left")]
    LengthBeyondEnd {
        /// The length in bytes, or the number of elements.
        length: usize,
        /// The bytes left in the frame.
        left: usize,
    },
    /// The arrays of the message would take far more memory than its bytes.
    #[error("an array of {count} elements would exceed the memory allowed for a message of its size")]
    TooManyElements {
        /// The number of elements announced.
        count: usize,
    },
    /// A variable-length integer is longer than its type allows.
    #[error("a variable-length integer does not fit into 32 bits")]
    VarintTooLong,
    /// A string is not UTF-8.
    #[error("a string is not valid UTF-8")]
    InvalidUtf8,
    /// A value is null that must not be null in this version.
    #[error("the field {field} is null, which version {version} does not allow")]
    UnexpectedNull {
        /// Struct and field.
        field: &'static str,
        /// The version of the message.
        version: i16,
    },
    /// A value is null that is never null, such as an element of an array.
    #[error("a string, an array or bytes are null where null is not allowed")]
    Null,
    /// A tagged field's value is shorter than its announced size.
    #[error("the value of tag {tag} leaves {left} bytes of its announced size unused")]
    TagSize {
        /// The field's tag.
        tag: u32,
        /// The bytes left over.
        left: usize,
    },
    /// The API is not one of [`crate::ApiKey`].
    #[error("the API key {0} is not known")]
    UnknownApi(i16),
    /// The version is outside [`crate::ApiKey::versions`].
    #[error("version {version} of {api} is not known")]
    UnknownVersion {
        /// The API's name.
        api: &'static str,
        /// The version asked for.
        version: i16,
    },
}

/// Why a message could not be encoded: it says something that the version cannot express.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A field is null that cannot be null in this version.
    #[error("the field {field} must not be null in version {version}")]
    Null {
        /// Struct and field.
        field: &'static str,
        /// The version of the message.
        version: i16,
    },
    /// A field is set that this version does not have, and that must not be dropped silently.
    #[error("the field {field} is set, but version {version} does not have it")]
    NotInVersion {
        /// Struct and field.
        field: &'static str,
        /// The version of the message.
        version: i16,
    },
    /// A string, an array or the whole frame is longer than its length field can say.
    #[error("a length of {0} is beyond what the protocol can express")]
    TooLong(usize),
    /// The version is outside [`crate::ApiKey::versions`].
    #[error("version {version} of {api} is not known")]
    UnknownVersion {
        /// The API's name.
        api: &'static str,
        /// The version asked for.
        version: i16,
    },
}
