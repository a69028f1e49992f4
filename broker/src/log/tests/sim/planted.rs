//! Disks that lie. Each lie does to the log what a bug of its own would do: a sync that is skipped, a file that is not
//! cut at recovery, a producer's state that is kept though its batches are gone, open transactions that recovery knows
//! nothing of, so that all of the log is taken for stable. The simulation must find each, in a history in which an
//! honest disk leads to no violation.

use super::disk::Lie;
use super::run;

/// Seeds in which a bug must show.
const SEEDS: std::ops::Range<u64> = 0..300;

/// A producer snapshot in which no transaction is open; see [`snapshot`](crate::log::producer::snapshot) for the bytes.
pub(super) fn without_transactions(snapshot: &[u8]) -> Vec<u8> {
    let mut snapshot = snapshot.to_vec();
    for entry in snapshot[10..].chunks_exact_mut(46) {
        entry[38..].fill(0xff);
    }
    let crc = wire::crc32c(&snapshot[6..]);
    snapshot[2..6].copy_from_slice(&crc.to_be_bytes());
    snapshot
}

fn assert_found(lie: Lie) {
    let found = SEEDS.into_iter().find_map(|seed| Some((seed, run(seed, Some(lie)).err()?)));
    let (seed, violation) = found.unwrap_or_else(|| panic!("nobody notices {lie:?}"));
    println!("{lie:?}: {}", violation.lines().next().unwrap_or_default());
    assert!(run(seed, None).is_ok(), "seed {seed} is violated without {lie:?} too");
}

#[test]
fn a_file_that_is_not_synced_is_noticed() {
    assert_found(Lie::SyncFile);
}

#[test]
fn a_directory_that_is_not_synced_is_noticed() {
    assert_found(Lie::SyncDir);
}

#[test]
fn a_log_that_is_not_cut_at_recovery_is_noticed() {
    assert_found(Lie::Truncate);
}

#[test]
fn a_producers_stale_state_is_noticed() {
    assert_found(Lie::RemoveSnapshot);
}

#[test]
fn an_index_of_aborted_transactions_that_is_not_synced_is_noticed() {
    assert_found(Lie::SyncTxnIndex);
}

#[test]
fn open_transactions_that_recovery_forgets_are_noticed() {
    assert_found(Lie::OpenTransactions);
}
