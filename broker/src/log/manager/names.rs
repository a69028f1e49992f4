//! Topic names, and the directories and files that carry them.
//!
//! A partition's directory is called `topic-N`. Its file `partition.metadata` says which topic of that name it
//! belongs to, as Kafka writes it:
//!
//! ```text
//! version: 0
//! topic_id: 5q7QGYWjQ9y3bEwBemqaQA
//! ```
//!
//! The id is the UUID's 16 bytes in base64 with `-` and `_`, without padding.

use uuid::Uuid;

/// The longest topic name, so that the directory's name fits into a file system's 255 bytes.
const NAME_BYTES_MAX: usize = 249;
/// The file that says which topic a partition's directory belongs to.
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Says what is wrong with a topic name, by Kafka's rules.
pub(crate) fn check_topic_name(name: &str) -> Result<(), &'static str> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name {
        "" => Err("it is empty"),
        "." | ".." => Err("it is . or .."),
        _ if name.len() > NAME_BYTES_MAX => Err("it is longer than 249 characters"),
        _ if !name.chars().all(is_legal) => {
            Err("it has characters other than letters, digits, '.', '_' and '-'")
        }
        _ => Ok(()),
    }
}

/// The name of a partition's directory.
pub(crate) fn partition_dir(topic: &str, partition: i32) -> String {
    format!("{topic}-{partition}")
}

/// The topic and partition that a directory's name says.
pub(crate) fn parse_partition_dir(name: &str) -> Option<(&str, i32)> {
    let (topic, partition) = name.rsplit_once('-')?;
    let number: i32 = partition.parse().ok()?;
    // 007 and +7 are not names that we give
    let is_ours = number >= 0 && number.to_string() == partition && check_topic_name(topic).is_ok();
    is_ours.then_some((topic, number))
}

/// A new topic's id. Kafka avoids ids whose text begins like an option of a command.
pub(crate) fn new_topic_id() -> Uuid {
    loop {
        let id = Uuid::new_v4();
        if !encode_id(id).starts_with('-') {
            return id;
        }
    }
}

/// The content of `partition.metadata`.
pub(crate) fn partition_metadata(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {}\n", encode_id(topic_id))
}

/// The topic id in the content of `partition.metadata`.
pub(crate) fn parse_partition_metadata(text: &str) -> Option<Uuid> {
    decode_id(text.lines().find_map(|line| line.strip_prefix("topic_id:"))?.trim())
}

/// An id as Kafka writes it.
pub(crate) fn encode_id(id: Uuid) -> String {
    let bits = id.as_u128();
    // 22 digits of 6 bits: the last one has only 2 bits of the id, followed by 4 zeros
    (0..22)
        .map(|digit| {
            let six = if digit < 21 { bits >> (122 - 6 * digit) } else { bits << 4 };
            char::from(ALPHABET[(six & 63) as usize])
        })
        .collect()
}

/// Reads [`encode_id`]'s text.
pub(crate) fn decode_id(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0u128;
    for (digit, byte) in text.bytes().enumerate() {
        let six = ALPHABET.iter().position(|letter| *letter == byte)? as u128;
        bits = if digit < 21 { (bits << 6) | six } else { (bits << 2) | (six >> 4) };
    }
    Some(Uuid::from_u128(bits))
}
