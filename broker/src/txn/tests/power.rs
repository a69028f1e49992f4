//! The power fails at every operation of the disk in a transaction, from InitProducerId to the answer of EndTxn: what was
//! answered holds, and whatever becomes of a transaction becomes of it everywhere.

use super::crash::{ALL, commit_offset, stable_offset};
use super::*;
use crate::log::tests::SimDisk;

/// A transaction as a client runs it, each request after the answer to the one before; `Ok` when EndTxn was answered.
fn run(fixture: &Fixture, is_commit: bool) -> Result<(), ErrorCode> {
    let producer = fixture.coordinator.init_producer_id("tx", TIMEOUT_MS, None)?;
    for (number, (topic, index)) in PLACES.into_iter().enumerate() {
        fixture.add(producer, &[(topic, index)])?;
        let partition = fixture.partition(topic, index);
        let sent = send(&partition, (producer.0, producer.1, 0), "k", &number.to_string());
        let end = sent.map_err(|error| error.error_code())?.last_offset + 1;
        partition.flush_to(end).map_err(|error| error.error_code())?;
    }
    fixture.add(producer, &[(OFFSETS_TOPIC, fixture.groups.partition_index("g"))])?;
    commit_offset(fixture, producer)?;
    fixture.end(producer, is_commit)
}

/// The broker after the machine went down and came back.
fn after_power_loss(fixture: Fixture, disk: &Arc<SimDisk>) -> Fixture {
    let Fixture { coordinator, groups, logs, clock, dir, .. } = fixture;
    drop((coordinator, groups, logs));
    disk.crash();
    Fixture::open_on(disk.clone(), dir, clock, config())
}

/// Ends what is open still, as time does or the producer's next instance.
fn end_open(fixture: &Fixture, by_time: bool) {
    let state = fixture.coordinator.state_of("tx").map(|state| state.name());
    if state != Some("Ongoing") {
        return;
    }
    if by_time {
        fixture.clock.advance(i64::from(TIMEOUT_MS) + 1);
        fixture.coordinator.abort_overdue();
    } else {
        let asked = fixture.coordinator.init_producer_id("tx", TIMEOUT_MS, None);
        assert_eq!(asked, Err(ErrorCode::ConcurrentTransactions), "it is aborted first");
    }
}

/// Whether the transaction was committed, in all places; if not, it was aborted in all places.
fn is_committed(fixture: &Fixture, what: &str) -> bool {
    assert!(fixture.is_settled(), "a transaction is open, {what}");
    let found = (fixture.seen(), stable_offset(fixture));
    let all = (ALL.map(str::to_owned).to_vec(), Some(42));
    assert!(found == all || found == (Vec::new(), Some(-1)), "half of it, {what}: {found:?}");
    found == all
}

/// Lets the power fail after so many operations; `false` when all was done before.
fn fails_after(operations: u32, is_commit: bool) -> bool {
    let clock = Arc::new(ManualClock::at(START_MS));
    let dir = Arc::new(TempDir::new().unwrap());
    let disk = Arc::new(SimDisk::new(dir.path(), u64::from(operations), clock.clone()));
    let fixture = Fixture::open_on(disk.clone(), dir, clock, config());
    fixture.coordinator.ensure().unwrap();
    disk.set_fuse(Some(operations));
    let answer = run(&fixture, is_commit);
    let failed = disk.is_dead();
    let what = format!("commit {is_commit}, answered {answer:?}, power for {operations} operations");
    assert!(failed || answer.is_ok(), "{what}");

    let fixture = after_power_loss(fixture, &disk);
    end_open(&fixture, operations.is_multiple_of(2));
    let committed = is_committed(&fixture, &what);
    match answer {
        Ok(()) => assert_eq!(committed, is_commit, "{what}"),
        // the decision may have been durable before the power failed
        Err(_) => assert!(is_commit || !committed, "{what}"),
    }

    let fixture = after_power_loss(fixture, &disk);
    assert_eq!(is_committed(&fixture, &what), committed, "once more without power, {what}");
    let seen = fixture.seen().len();
    let next = fixture.init();
    fixture.send(next, ("a", 0), 0, "next");
    fixture.end(next, true).unwrap();
    assert_eq!(fixture.seen().len(), seen + 1, "{what}");
    failed
}

#[test]
fn a_transaction_is_never_half_done_whenever_the_power_fails() {
    for is_commit in [true, false] {
        let operations = (0..).find(|operations| !fails_after(*operations, is_commit)).unwrap();
        // fewer than one for each record, marker and state, and the test has seen nothing
        assert!(operations > 30, "{operations}");
    }
}
