//! Names and expressions of several members.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use wire::ErrorCode;

use crate::group::consumer::member::Profile;
use crate::group::consumer::subscription::Subscriptions;
use crate::group::consumer::topics::{TopicSize, TopicSizes};

fn profile(names: &[&str], expression: Option<&str>) -> Profile {
    Profile {
        topics: names.iter().map(|name| (*name).to_owned()).collect(),
        expression: expression.map(str::to_owned),
        ..Default::default()
    }
}

#[test]
fn names_and_expressions_of_all_members_add_up() {
    let profiles = [profile(&["n"], None), profile(&[], Some("a.*")), profile(&["m"], Some("a.*"))];
    let subscriptions = Subscriptions::of(profiles.iter());
    let known = ["n", "m", "a", "ab"];
    assert!(known.iter().all(|name| subscriptions.contains(name)));
    assert!(!["na", "ba", "x", ""].iter().any(|name| subscriptions.contains(name)));
    let size = |number: u128| TopicSize { id: Uuid::from_u128(number), partitions: 1 };
    let topics: TopicSizes = (1..).zip(known).map(|(number, name)| (name.to_owned(), size(number))).collect();
    let ids: BTreeSet<Uuid> = [3, 4].map(Uuid::from_u128).into();
    let wanted = BTreeMap::from([("a.*", ids)]);
    assert_eq!(subscriptions.matched(&topics), wanted);
}

/// Kafka's expressions know some things that ours do not, and records of another broker are read too.
#[test]
fn an_expression_that_is_none_is_an_error_when_it_is_new_and_matches_nothing_when_it_is_kept() {
    let profiles = [profile(&["n"], Some(r"\Qa\E")), profile(&[], Some("b"))];
    let mut subscriptions = Subscriptions::of(profiles.iter());
    assert!(subscriptions.contains("n") && subscriptions.contains("b"));
    assert!(!subscriptions.contains("a"));
    let failure = subscriptions.add(&profiles[0]).unwrap_err();
    assert_eq!(failure.code, ErrorCode::InvalidRegularExpression);
    assert!(failure.message.starts_with(r"SubscribedTopicRegex `\Qa\E` is not a valid regular expression: "));
}
