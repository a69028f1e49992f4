use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn parse(line: &str) -> Option<Arguments> {
    let words = ["reset-offsets", "audit"].into_iter().chain(line.split_ascii_whitespace());
    Some(Line::try_parse_from(words).ok()?.arguments)
}

#[test]
fn each_flag_is_a_target() {
    for (flag, target) in [
        ("--to-earliest", Target::Earliest),
        ("--to-latest", Target::Latest),
        ("--to-offset 7", Target::Offset(7)),
        ("--to-datetime 1970-01-01T00:00:01Z", Target::Time(1000)),
        ("--shift-by 5", Target::Shift(5)),
        ("--shift-by -5", Target::Shift(-5)),
        ("--shift-by=-5", Target::Shift(-5)),
    ] {
        let arguments = parse(&format!("--topic web {flag}")).unwrap();
        assert_eq!(arguments.to.target(), Some(target), "{flag}");
        assert!(!arguments.execute);
    }
}

#[test]
fn it_takes_one_target_and_a_topic() {
    for line in [
        "--topic web",
        "--to-latest",
        "--topic web --to-latest --to-earliest",
        "--topic web --to-offset 1 --shift-by 1",
        "--topic web --to-offset -1",
        "--topic web: --to-latest",
        "--topic web --to-latest --execute --dry-run",
    ] {
        assert!(parse(line).is_none(), "{line}");
    }
    let arguments = parse("--topic web:0,2 --topic app --to-latest --execute").unwrap();
    assert_eq!((arguments.topics.len(), arguments.execute), (2, true));
}

#[test]
fn one_request_commits_all_moves_from_outside_the_group() {
    let to = |topic: &str, partition, new_offset| Move {
        group: "audit".to_owned(),
        topic: topic.to_owned(),
        partition,
        old_offset: None,
        new_offset,
        note: None,
    };
    let request = request("audit", &[to("app", 0, 5), to("web", 0, 6), to("web", 2, 7)]);
    assert_eq!((request.generation_id_or_member_epoch, request.member_id.as_str()), (-1, ""));
    let offsets = |at: usize| {
        let partitions = request.topics[at].partitions.iter();
        partitions.map(|one| (one.partition_index, one.committed_offset)).collect::<Vec<_>>()
    };
    assert_eq!((request.topics[0].name.as_str(), offsets(0)), ("app", vec![(0, 5)]));
    assert_eq!((request.topics[1].name.as_str(), offsets(1)), ("web", vec![(0, 6), (2, 7)]));
}
