//! Bytes written by hand from the specification, each read into the message that it stands for and written again.

mod admin;
mod consumer_groups;
mod groups;
mod manage;
mod records;
mod replicas;

use super::{decode, encode};
use crate::message::Message;
use crate::testing::hex;

/// `bytes` and `message` must stand for each other in `version`.
fn golden<M: Message>(version: i16, bytes: &str, message: &M) {
    let bytes = hex(bytes);
    assert_eq!(decode::<M>(&bytes, version), *message);
    assert_eq!(encode(message, version), bytes, "{message:?}");
}
