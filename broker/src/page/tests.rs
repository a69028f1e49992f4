use daemon::pages::Form;
use serde_json::json;

use super::groups::GroupRow;
use super::rates::Traffic;
use super::topics::TopicRow;
use super::*;
use crate::group::GroupSummary;

const HOSTILE: &str = "\"><img src=x onerror='a()'>&amp;";

fn group(id: &str) -> GroupRow {
    let (state, protocol) = ("Stable", "classic");
    GroupRow::from(GroupSummary {
        id: id.to_owned(),
        state,
        protocol,
        members: 1,
        partitions: 2,
        lag: 12_345,
    })
}

fn topic(name: &str) -> TopicRow {
    TopicRow {
        name: name.to_owned(),
        id: "5q7QGYWjQ9y3bEwBemqaQA".to_owned(),
        internal: false,
        partition_count: 4,
        offline_partition_count: 1,
        size_bytes: 3 << 20,
        record_count: 1_000_000,
        traffic: Traffic { bytes_in_per_second: Some(1536.0), ..Traffic::default() },
    }
}

#[test]
fn a_group_may_call_itself_what_it_likes() {
    let mut out = String::new();
    let request = Request::new("/broker/groups", "");
    assert_eq!(request.form(), Form::Html);
    groups::rows(&[group(HOSTILE), group(&"x".repeat(100_000))], &request, &mut out).unwrap();
    assert!(!out.contains("<img") && !out.contains("onerror='"), "{out}");
    assert!(out.contains("&quot;&gt;&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;amp;</a>"), "{out}");
    let link = "href=\"../broker/group?name=%22%3E%3Cimg%20src%3Dx%20onerror%3D%27a%28%29%27%3E%26amp%3B\"";
    assert!(out.contains(link), "{out}");
    assert!(out.contains("<td class=\"n\">12,345</td>"), "{out}");
    assert!(out.len() < 4000, "a name takes bounded room: {} bytes", out.len());
}

#[test]
fn a_topic_is_shown_with_sizes_that_can_be_read_and_exact_ones_beside_them() {
    let mut out = String::new();
    topics::rows(&[topic("web")], &Request::new("/broker", "refresh=0"), &mut out).unwrap();
    for part in [
        "<a href=\"broker/topic?name=web&amp;refresh=0\">web</a>",
        "<td class=\"n\" title=\"3,145,728 bytes\">3.0 MiB</td>",
        "<td class=\"n\">1,000,000</td>",
        "<td class=\"alarm\">1</td>",
        "<td class=\"n\" title=\"1,536 bytes per second\">1.5 KiB/s</td>",
        "<td class=\"n\">–</td>",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
}

/// Programs rely on it.
#[test]
fn the_names_of_fields_stay() {
    let topic = serde_json::to_value(topic("web")).unwrap();
    let expected = json!({
        "name": "web",
        "id": "5q7QGYWjQ9y3bEwBemqaQA",
        "internal": false,
        "partition_count": 4,
        "offline_partition_count": 1,
        "size_bytes": 3_145_728,
        "record_count": 1_000_000,
        "records_in_per_second": null,
        "bytes_in_per_second": 1536.0,
        "bytes_out_per_second": null,
    });
    assert_eq!(topic, expected);
    let group = serde_json::to_value(group("g")).unwrap();
    let expected = json!({
        "name": "g",
        "state": "Stable",
        "protocol": "classic",
        "member_count": 1,
        "committed_partition_count": 2,
        "lag_records": 12_345,
    });
    assert_eq!(group, expected);
}
