//! Disks that lie. Each lie does to the log what a bug of its own would do: a sync that is skipped, a file that is not
//! cut at recovery, a producer's state that is kept though its batches are gone. The simulation must find each, in
//! a history in which an honest disk leads to no violation.

use super::disk::Lie;
use super::run;

/// Seeds in which a bug must show.
const SEEDS: std::ops::Range<u64> = 0..300;

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
