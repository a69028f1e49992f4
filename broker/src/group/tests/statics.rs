//! Static members (KIP-345): known to their operator, they come back to the same share.

use super::*;

fn fixed(member: &str, instance: &str) -> JoinGroupRequest {
    JoinGroupRequest { group_instance_id: Some(instance.into()), ..join("g", member) }
}

#[tokio::test]
async fn a_static_member_comes_back_without_a_rebalance_and_its_former_self_is_fenced() {
    let fixture = Fixture::new();
    let first = fixture.joining(fixed("", "one")).await.unwrap();
    assert_eq!(first.error_code, 0, "a static member needs no second step");
    let synced = fixture.coordinator.sync(lead(&first, "g", &[(&first.member_id, b"all")])).await;
    assert_eq!(share(&synced), b"all");

    let again = fixture.joining(fixed("", "one")).await.unwrap();
    assert_eq!((again.error_code, again.generation_id), (0, first.generation_id));
    assert!(again.skip_assignment && again.member_id != first.member_id);
    let synced = fixture.coordinator.sync(follow(&again, "g")).await;
    assert_eq!(share(&synced), b"all", "the share is still there");

    let former = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: first.generation_id,
        member_id: first.member_id,
        group_instance_id: Some("one".into()),
    };
    assert_eq!(fixture.coordinator.heartbeat(&former).error_code, ErrorCode::FencedInstanceId.code());
}

#[tokio::test]
async fn a_static_member_that_offers_something_else_causes_a_rebalance() {
    let fixture = Fixture::new();
    let first = fixture.joining(fixed("", "one")).await.unwrap();
    fixture.coordinator.sync(lead(&first, "g", &[(&first.member_id, b"all")])).await;
    let mut changed = fixed("", "one");
    changed.protocols[0].metadata = Bytes::from_static(b"other topics");
    let again = fixture.joining(changed).await.unwrap();
    assert_eq!(again.generation_id, first.generation_id + 1);
}

/// Consumers tell what they own with what they want; one that has started anew owns nothing, and wants the same.
#[tokio::test]
async fn a_static_member_that_has_forgotten_what_it_owned_causes_no_rebalance() {
    let fixture = Fixture::new();
    let subscribed = |metadata: &'static [u8]| {
        let mut request = fixed("", "one");
        request.protocols[0].metadata = Bytes::from_static(metadata);
        request
    };
    // version 1, the topic "t", no user data; then what is owned: partition 3 of "t", or nothing
    let owning = b"\0\x01\0\0\0\x01\0\x01t\xff\xff\xff\xff\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x03";
    let first = fixture.joining(subscribed(owning)).await.unwrap();
    fixture.coordinator.sync(lead(&first, "g", &[(&first.member_id, b"all")])).await;
    let forgetful = b"\0\x01\0\0\0\x01\0\x01t\xff\xff\xff\xff\0\0\0\0";
    let again = fixture.joining(subscribed(forgetful)).await.unwrap();
    assert_eq!((again.error_code, again.generation_id), (0, first.generation_id));
    let elsewhere = b"\0\x01\0\0\0\x01\0\x01u\xff\xff\xff\xff\0\0\0\0";
    let moved = fixture.joining(subscribed(elsewhere)).await.unwrap();
    assert_eq!(moved.generation_id, first.generation_id + 1);
}
