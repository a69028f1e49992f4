//! Tests of the checkpoint.

mod damage;
mod life;
mod model;

use std::sync::Arc;

use super::{Head, Place};
use crate::model::{FileRef, GenerationId, Intent, LaneId, Producer, Proof, Shape};

fn file(generation: u64) -> Arc<FileRef> {
    Arc::new(FileRef {
        host: "web-1".into(),
        path: format!("/var/log/{generation}.log").into(),
        topic: "logs".into(),
        generation: GenerationId(generation),
    })
}

fn place(inode: u64) -> Place {
    Place { location: format!("/var/log/{inode}.log").into(), device: 8, inode, birth_ns: 7 }
}

fn head(len: u32) -> Head {
    Head { len, hash: u64::from(len) * 3 }
}

fn lane(partition: i32) -> LaneId {
    LaneId { topic: "logs".into(), partition }
}

fn producer(id: i64) -> Producer {
    Producer { id, epoch: 0, boot_id: "boot".to_owned() }
}

fn intent(file: &Arc<FileRef>, base_sequence: i32, start: u64, end: u64) -> Intent {
    Intent {
        lane: lane(0),
        base_sequence,
        count: 10,
        file: file.clone(),
        start,
        end,
        shape: Shape::Lines,
        timestamp_ms: 1_700_000_000_000,
        proof: Proof::of(start, &vec![b'x'; (end - start) as usize]),
    }
}
