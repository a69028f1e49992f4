use std::fs::File;
use std::io;

use super::*;
use crate::log::RealDisk;

fn open(dir: &Path) -> ProducerIds {
    ProducerIds::open(Arc::new(RealDisk), dir).unwrap()
}

#[test]
fn ids_count_up_and_never_repeat_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = -1;
    for _ in 0..3 {
        let ids = open(dir.path());
        for _ in 0..BLOCK + 10 {
            let id = ids.next().unwrap();
            assert!(id > last, "{id} after {last}");
            last = id;
        }
    }
}

#[test]
fn an_id_is_given_out_only_after_its_block_is_durable() {
    #[derive(Debug)]
    struct FullDisk;
    impl Disk for FullDisk {
        fn write_at(&self, _: &File, _: &[u8], _: u64) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let ids = ProducerIds::open(Arc::new(FullDisk), dir.path()).unwrap();
    assert!(ids.next().is_err());
    assert!(ids.next().is_err(), "the failure is not forgotten");
    assert_eq!(open(dir.path()).next().unwrap(), 0);
}

#[test]
fn a_damaged_file_stops_the_start_instead_of_repeating_ids() {
    let dir = tempfile::tempdir().unwrap();
    for damaged in ["", "next=5\n", "version=1\nnext=-5\n", "version=1\nnext=5", "version=1\nnext=\0\0\n"] {
        std::fs::write(dir.path().join(FILE), damaged).unwrap();
        let error = ProducerIds::open(Arc::new(RealDisk), dir.path()).unwrap_err();
        assert!(matches!(error, ProducerIdError::Malformed(_)), "{damaged:?}: {error}");
    }
}

#[test]
fn the_last_block_ends_in_an_error_not_in_a_repeat() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), format!("version=1\nnext={}\n", i64::MAX - 3)).unwrap();
    assert!(matches!(open(dir.path()).next(), Err(ProducerIdError::Exhausted)));
}
