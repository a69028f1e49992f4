//! Assignments are complete, balanced, and move little.

use proptest::prelude::*;

use super::*;
use crate::group::consumer::partitions::{NONE, contains, each};

/// A member before and after.
#[derive(Debug, Clone)]
struct Person {
    id: String,
    instance_id: Option<String>,
    topics: BTreeSet<Uuid>,
    previous: Partitions,
}

fn topic(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

fn person(id: &str, topics: &[usize]) -> Person {
    let topics = topics.iter().map(|number| topic(*number)).collect();
    Person { id: id.to_owned(), instance_id: None, topics, previous: Partitions::new() }
}

fn sizes(sizes: &[i32]) -> BTreeMap<Uuid, i32> {
    sizes.iter().enumerate().map(|(number, size)| (topic(number), *size)).collect()
}

fn assign(assignor: Assignor, people: &[Person], topics: &BTreeMap<Uuid, i32>) -> Vec<Partitions> {
    let members: Vec<Subscriber<'_>> = people
        .iter()
        .map(|person| Subscriber {
            id: &person.id,
            instance_id: person.instance_id.as_deref(),
            topics: person.topics.clone(),
            previous: if person.previous.is_empty() { &NONE } else { &person.previous },
        })
        .collect();
    assignor.assign(&members, topics)
}

fn count(share: &Partitions) -> usize {
    each(share).count()
}

fn indexes(share: &Partitions, number: usize) -> Vec<i32> {
    share.get(&topic(number)).map(|indexes| indexes.iter().copied().collect()).unwrap_or_default()
}

/// Every partition that someone subscribes to has one owner, who does; there is nothing else.
fn check_complete(people: &[Person], topics: &BTreeMap<Uuid, i32>, shares: &[Partitions]) {
    assert_eq!(shares.len(), people.len());
    let mut owned = BTreeSet::new();
    for (person, share) in people.iter().zip(shares) {
        for (topic, index) in each(share) {
            assert!(person.topics.contains(&topic) && (0..topics[&topic]).contains(&index));
            assert!(owned.insert((topic, index)), "{topic} {index} is assigned twice");
        }
        assert!(share.values().all(|indexes| !indexes.is_empty()));
    }
    let read = topics.iter().filter(|(topic, _)| people.iter().any(|person| person.topics.contains(*topic)));
    let all: i32 = read.map(|(_, size)| size).sum();
    assert_eq!(i32::try_from(owned.len()).unwrap(), all);
}

/// Some members with subscriptions of their own, and sizes of four topics.
fn different() -> impl Strategy<Value = (Vec<Person>, Vec<i32>)> {
    let subscriptions = prop::collection::vec(prop::collection::vec(0usize..4, 1..4), 1..7);
    (subscriptions, prop::collection::vec(0i32..9, 4)).prop_map(|(subscriptions, sizes)| {
        let numbered = subscriptions.iter().enumerate();
        let people: Vec<Person> =
            numbered.map(|(number, topics)| person(&format!("m{number}"), topics)).collect();
        (people, sizes)
    })
}

/// Some members with the same subscription.
fn alike() -> impl Strategy<Value = (Vec<Person>, Vec<i32>)> {
    (1usize..8, prop::collection::vec(0i32..9, 3)).prop_map(|(members, sizes)| {
        let people: Vec<Person> =
            (0..members).map(|number| person(&format!("m{number}"), &[0, 1, 2])).collect();
        (people, sizes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn equal_subscriptions_are_shared_evenly_and_nobody_both_gives_and_takes(
        (mut people, first) in alike(),
        leaving in 0usize..8,
        joining in 0usize..4,
        second in prop::collection::vec(0i32..9, 3),
    ) {
        let topics = sizes(&first);
        let shares = assign(Assignor::Uniform, &people, &topics);
        check_complete(&people, &topics, &shares);
        for (person, share) in people.iter_mut().zip(shares) {
            person.previous = share;
        }
        people.drain(..leaving.min(people.len() - 1));
        people.extend((0..joining).map(|number| person(&format!("n{number}"), &[0, 1, 2])));

        let topics = sizes(&second);
        let shares = assign(Assignor::Uniform, &people, &topics);
        check_complete(&people, &topics, &shares);
        let loads: Vec<usize> = shares.iter().map(count).collect();
        prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{loads:?}");
        for (person, share) in people.iter().zip(&shares) {
            let exists = |(topic, index): &(Uuid, i32)| (0..topics[topic]).contains(index);
            let gives = each(&person.previous)
                .filter(exists)
                .any(|(topic, index)| !contains(share, topic, index));
            let takes = each(share).any(|(topic, index)| !contains(&person.previous, topic, index));
            prop_assert!(!(gives && takes), "{person:?} {share:?}");
        }
    }

    #[test]
    fn different_subscriptions_are_shared_so_that_no_move_helps((mut people, first) in different()) {
        let topics = sizes(&first);
        let shares = assign(Assignor::Uniform, &people, &topics);
        check_complete(&people, &topics, &shares);
        let loads: Vec<usize> = shares.iter().map(count).collect();
        for (owner, share) in shares.iter().enumerate() {
            for (topic, index) in each(share) {
                for (reader, person) in people.iter().enumerate() {
                    let helps = person.topics.contains(&topic) && loads[owner] > loads[reader] + 1;
                    prop_assert!(!helps, "{topic} {index} should go from {owner} to {reader}: {loads:?}");
                }
            }
        }
        for (person, share) in people.iter_mut().zip(&shares) {
            person.previous = share.clone();
        }
        prop_assert_eq!(assign(Assignor::Uniform, &people, &topics), shares, "what is balanced stays");
    }

    #[test]
    fn ranges_are_complete_and_contiguous((people, first) in different()) {
        let topics = sizes(&first);
        let shares = assign(Assignor::Range, &people, &topics);
        check_complete(&people, &topics, &shares);
        for (topic, size) in &topics {
            let readers = people.iter().zip(&shares).filter(|(person, _)| person.topics.contains(topic));
            let ranges: Vec<Vec<i32>> = readers
                .map(|(_, share)| share.get(topic).into_iter().flatten().copied().collect())
                .collect();
            let in_order: Vec<i32> = ranges.iter().flatten().copied().collect();
            prop_assert!(ranges.is_empty() || in_order == (0..*size).collect::<Vec<_>>());
            let lens = || ranges.iter().map(Vec::len);
            prop_assert!(lens().max().unwrap_or(0) - lens().min().unwrap_or(0) <= 1);
        }
    }
}

#[test]
fn topics_of_the_same_size_are_cut_at_the_same_places() {
    let people = [person("a", &[0, 1]), person("b", &[0, 1])];
    let shares = assign(Assignor::Range, &people, &sizes(&[3, 3]));
    for number in [0, 1] {
        assert_eq!(indexes(&shares[0], number), [0, 1]);
        assert_eq!(indexes(&shares[1], number), [2]);
    }
}

#[test]
fn a_static_member_has_the_same_range_under_a_new_id() {
    let fixed =
        |id: &str, instance: &str| Person { instance_id: Some(instance.to_owned()), ..person(id, &[0]) };
    let topics = sizes(&[4]);
    let before = assign(Assignor::Range, &[fixed("a", "x"), fixed("b", "y")], &topics);
    let after = assign(Assignor::Range, &[fixed("b", "y"), fixed("z", "x")], &topics);
    assert_eq!((&after[1], &after[0]), (&before[0], &before[1]));
}

#[test]
fn who_was_there_first_keeps_the_beginning() {
    let mut people = vec![person("z", &[0])];
    people[0].previous = assign(Assignor::Uniform, &people, &sizes(&[4])).remove(0);
    people.push(person("a", &[0]));
    let shares = assign(Assignor::Uniform, &people, &sizes(&[4]));
    assert_eq!((indexes(&shares[0], 0), indexes(&shares[1], 0)), (vec![0, 1], vec![2, 3]));
}

#[test]
fn names_are_read_in_order_and_each_once() {
    use Assignor::{Range, Uniform};
    assert_eq!(Assignor::parse_list("uniform,range"), Some(vec![Uniform, Range]));
    assert_eq!(Assignor::parse_list(" range "), Some(vec![Range]));
    for wrong in ["", "uniform,", "uniform,uniform", "Range"] {
        assert_eq!(Assignor::parse_list(wrong), None, "{wrong:?}");
    }
}
