//! Disks that lie. Each lie does to the log what a bug of its own would do: a sync that is skipped, a file that is not
//! cut at recovery, a producer's state that is kept though its batches are gone. The simulation must find each.

use super::disk::Lie;
use super::run;

/// Seeds in which a bug must show.
const SEEDS: std::ops::Range<u64> = 0..300;

/// The first violation that a lie leads to.
fn violation(lie: Lie) -> String {
    let found = SEEDS.into_iter().find_map(|seed| run(seed, Some(lie)).err());
    let found = found.unwrap_or_else(|| panic!("nobody notices {lie:?}"));
    let first = found.lines().next().unwrap_or_default().to_owned();
    println!("{lie:?}: {first}");
    first
}

fn assert_found(lie: Lie, signs: &[&str]) {
    let violation = violation(lie);
    assert!(signs.iter().any(|sign| violation.contains(sign)), "{lie:?}: {violation}");
}

#[test]
fn a_file_that_is_not_synced_is_noticed() {
    assert_found(Lie::SyncFile, &["was durable", "is missing", "identity", "gone", "sound disk"]);
}

#[test]
fn a_directory_that_is_not_synced_is_noticed() {
    assert_found(Lie::SyncDir, &["was durable", "is missing", "identity", "gone", "sound disk"]);
}

#[test]
fn a_log_that_is_not_cut_at_recovery_is_noticed() {
    assert_found(
        Lie::Truncate,
        &["damaged", "after recovery", "nobody has written", "was durable", "cannot read"],
    );
}

#[test]
fn a_producers_stale_state_is_noticed() {
    assert_found(Lie::RemoveSnapshot, &["is taken for one", "was sent again", "refused", "after recovery"]);
}
