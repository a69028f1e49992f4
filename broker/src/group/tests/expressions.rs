//! Version 1 of the heartbeat: members with ids of their own making, and topics by regular expression.

use wire::message::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;

use super::consumer::{error, join_consumer, plain, told, with_topic};
use super::*;

/// Joins for the topics that an expression matches.
fn join_matching(member: &str, expression: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some(expression.into()),
        ..join_consumer(member)
    }
}

impl Fixture {
    fn create(&self, topic: &str) {
        self.logs.create_topic(topic, 1, Default::default()).unwrap();
    }

    /// The topics that the first member shall read.
    fn targets(&self) -> Vec<String> {
        let target = self.described().members.remove(0).target_assignment;
        let mut names: Vec<String> =
            target.topic_partitions.into_iter().map(|topic| topic.topic_name).collect();
        names.sort();
        names
    }
}

/// Kafka, too, does not leave its own topics out.
#[tokio::test]
async fn an_expression_is_matched_against_the_whole_names_of_all_topics() {
    let fixture = with_topic();
    fixture.create("tt");
    fixture.create("a.t");
    for (expression, wanted) in [
        ("t", &["t"][..]),
        ("^t$", &["t"]),
        ("t+", &["t", "tt"]),
        ("a|t", &["t"]),
        ("tt|t", &["t", "tt"]),
        ("(?i)TT", &["tt"]),
        (r"\w\.t", &["a.t"]),
        ("[^_].*", &["a.t", "t", "tt"]),
        ("x", &[]),
        ("__.*", &[OFFSETS_TOPIC]),
    ] {
        let joined = fixture.send(join_matching("a", expression)).await;
        assert_eq!(joined.error_code, 0, "{expression}: {:?}", joined.error_message);
        assert_eq!(fixture.targets(), wanted, "{expression}");
    }
}

#[tokio::test]
async fn names_and_an_expression_add_up_and_each_changes_alone() {
    let fixture = with_topic();
    fixture.create("u");
    fixture.create("v");
    let both =
        ConsumerGroupHeartbeatRequest { subscribed_topic_regex: Some("u|v".into()), ..join_consumer("a") };
    assert_eq!(told(&fixture.send(both).await).0, 1);
    assert_eq!(fixture.targets(), ["t", "u", "v"]);
    let member = fixture.described().members.remove(0);
    assert_eq!((member.subscribed_topic_regex.as_deref(), member.member_type), (Some("u|v"), 1));
    assert_eq!(member.subscribed_topic_names, ["t"]);

    let others =
        ConsumerGroupHeartbeatRequest { subscribed_topic_names: Some(vec!["v".into()]), ..plain("a", 1) };
    fixture.send(others).await;
    assert_eq!(fixture.targets(), ["u", "v"], "the expression has not changed");
    let none = ConsumerGroupHeartbeatRequest { subscribed_topic_regex: Some(String::new()), ..plain("a", 1) };
    fixture.send(none).await;
    assert_eq!(fixture.targets(), ["v"]);
    assert_eq!(fixture.described().members[0].subscribed_topic_regex, None);
    assert_eq!(fixture.described().group_epoch, 3);
}

#[tokio::test]
async fn topics_come_when_they_match_and_go_when_they_vanish_also_after_a_restart() {
    let fixture = Fixture::new();
    assert_eq!(told(&fixture.send(join_matching("a", "t.+")).await), (1, Some(vec![])));
    fixture.create("other");
    assert_eq!(told(&fixture.send(plain("a", 1)).await), (1, None));
    fixture.create("t1");
    assert_eq!(told(&fixture.send(plain("a", 1)).await), (2, Some(vec![0])));
    let fixture = fixture.restarted();
    assert_eq!(told(&fixture.send(plain("a", 2)).await), (2, None), "nothing has changed");
    fixture.create("t2");
    assert_eq!(told(&fixture.send(plain("a", 2)).await), (3, Some(vec![0, 0])));
    fixture.logs.delete_topic("t1").unwrap();
    assert_eq!(told(&fixture.send(plain("a", 3)).await), (3, Some(vec![0])), "it has to give t1 up");
    assert_eq!(fixture.targets(), ["t2"]);
}

#[tokio::test]
async fn members_with_different_expressions_share_what_both_match() {
    let fixture = with_topic();
    fixture.create("u");
    fixture.send(join_matching("a", "t|u")).await;
    fixture.send(join_matching("b", "t")).await;
    let group = fixture.described();
    let share = |member: usize| -> usize {
        let topics = &group.members[member].target_assignment.topic_partitions;
        topics.iter().map(|topic| topic.partitions.len()).sum()
    };
    assert_eq!(share(0) + share(1), 5);
    assert!(share(1) >= 2, "{group:?}");
    // who is left reads all that it matches
    fixture.send(plain("a", -1)).await;
    fixture.send(plain("b", 2)).await;
    assert_eq!(fixture.targets(), ["t"]);
}

#[tokio::test]
async fn an_expression_that_is_none_is_refused_and_changes_nothing() {
    let fixture = with_topic();
    let long = "a".repeat(5000);
    let refused = ["(", "a)|(b", "[", "*", "(?=a)", r"(\w{200}){200}", long.as_str()];
    for expression in refused {
        let response = fixture.send(join_matching("a", expression)).await;
        assert_eq!(error(&response), ErrorCode::InvalidRegularExpression, "{expression}");
    }
    assert_eq!(fixture.described().error_code, ErrorCode::GroupIdNotFound.code());

    fixture.send(join_matching("a", "t")).await;
    let before = fixture.described();
    let broken = ConsumerGroupHeartbeatRequest { subscribed_topic_regex: Some("(".into()), ..plain("a", 1) };
    let response = fixture.send(broken).await;
    let words = "SubscribedTopicRegex `(` is not a valid regular expression: unclosed group.";
    assert_eq!(response.error_message.as_deref(), Some(words));
    assert_eq!(fixture.described(), before);
    assert_eq!(told(&fixture.send(plain("a", 1)).await), (1, None));
}

#[tokio::test]
async fn what_makes_no_sense_in_version_1_is_refused() {
    let fixture = with_topic();
    let nameless = fixture.send(join_consumer("")).await;
    assert_eq!(error(&nameless), ErrorCode::InvalidRequest);
    assert_eq!(nameless.error_message.as_deref(), Some("MemberId can't be empty."));
    let silent = ConsumerGroupHeartbeatRequest { subscribed_topic_names: None, ..join_consumer("a") };
    assert_eq!(error(&fixture.send(silent).await), ErrorCode::InvalidRequest);
    let idle =
        ConsumerGroupHeartbeatRequest { subscribed_topic_names: Some(Vec::new()), ..join_consumer("a") };
    assert_eq!(told(&fixture.send(idle).await), (1, Some(vec![])), "a member of no topic yet");
}

#[tokio::test]
async fn a_member_that_joins_again_goes_on_from_where_it_was() {
    let fixture = with_topic();
    let all = (1, Some(vec![0, 1, 2, 3]));
    assert_eq!(told(&fixture.send(join_consumer("a")).await), all);
    assert_eq!(told(&fixture.send(join_consumer("a")).await), all, "the answer was lost");
    assert_eq!(told(&fixture.send_as(0, join_consumer("a")).await), all);

    let fixture = Fixture::shared().await;
    assert_eq!(told(&fixture.send(join_consumer("b")).await), (2, Some(vec![2, 3])));
    assert_eq!(fixture.described().group_epoch, 2, "nothing was assigned anew");
    let older = fixture.send_as(0, join_consumer("b")).await;
    assert_eq!(error(&older), ErrorCode::FencedMemberEpoch);
}

/// A consumer that has to give something up and joins again instead has given it up.
#[tokio::test]
async fn a_member_that_joins_again_owns_nothing_that_it_had_to_give_up() {
    let fixture = with_topic();
    fixture.send(join_consumer("a")).await;
    fixture.send(join_consumer("b")).await;
    assert_eq!(told(&fixture.send(plain("a", 1)).await), (1, Some(vec![0, 1])));
    assert_eq!(told(&fixture.send(join_consumer("a")).await), (2, Some(vec![0, 1])));
    assert_eq!(told(&fixture.send(plain("b", 2)).await), (2, Some(vec![2, 3])));
}

#[tokio::test]
async fn old_offsets_of_a_topic_that_matches_are_kept() {
    let fixture = with_topic();
    fixture.send(join_matching("a", "t.*")).await;
    assert_eq!(fixture.commit_as(9, "a", 1, 5).await, ErrorCode::None);
    fixture.clock.advance(60_001);
    fixture.coordinator.expire_offsets();
    assert_eq!(fixture.offset(), 5);
}
