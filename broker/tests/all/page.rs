//! The broker's page at the admin address: the same data for people and for programs.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::frame;
use wire::message::add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnTopic};
use wire::message::api_versions::ApiVersionsRequest;
use wire::message::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use wire::message::init_producer_id::InitProducerIdRequest;
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};

use super::support::{Client, TestBroker, batch_of};

const HOSTILE: &str = "</td><script>alert(1)</script><img src=x onerror=\"a()\">&'";

/// Serves the pages of a broker.
async fn serve(broker: &TestBroker) -> SocketAddr {
    let admin = daemon::admin::bind("127.0.0.1:0").await.unwrap();
    let address = admin.local_addr();
    tokio::spawn(admin.run(broker.ctx.clone()));
    address
}

/// The status and the body of what is answered.
async fn get(admin: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn shown(admin: SocketAddr, path: &str) -> String {
    let (status, body) = get(admin, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn data(admin: SocketAddr, path: &str) -> Value {
    serde_json::from_str(&shown(admin, path).await).unwrap()
}

/// A text as it stands in a link.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The item of a list that has this name.
fn named<'a>(listing: &'a Value, name: &str) -> &'a Value {
    let items = listing["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name} in {listing:#}"))
}

/// The names of a list's items.
fn names(listing: &Value) -> Vec<&str> {
    listing["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

/// Commits for a group, as a member or from outside.
async fn commit(client: &mut Client, group: &str, member: Option<(&str, i32)>, topic: &str, offset: i64) {
    let (member_id, epoch) = member.unwrap_or(("", -1));
    let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
    let topic = OffsetCommitRequestTopic { name: topic.to_owned(), partitions: vec![partition] };
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: epoch,
        member_id: member_id.to_owned(),
        topics: vec![topic],
        ..Default::default()
    };
    let response = client.call(9, &request).await;
    assert_eq!(response.topics[0].partitions[0].error_code, 0);
}

/// Joins the group `readers`, which reads the topic `web`; returns the member's id and epoch.
async fn join(client: &mut Client) -> (String, i32) {
    let request = ConsumerGroupHeartbeatRequest {
        group_id: "readers".to_owned(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["web".to_owned()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    let response = client.call(0, &request).await;
    assert_eq!(response.error_code, 0, "{:?}", response.error_message);
    (response.member_id.unwrap(), response.member_epoch)
}

/// A broker whose topic `web` has three records, of which the group `readers` has read one.
async fn with_reader() -> (TestBroker, SocketAddr, Client, String) {
    let broker = TestBroker::start().await;
    let admin = serve(&broker).await;
    let mut client = broker.client().await;
    let introduction = ApiVersionsRequest {
        client_software_name: "our-client".to_owned(),
        client_software_version: "1.2".to_owned(),
    };
    client.call(3, &introduction).await;
    client.create("web", 2).await;
    client.produce("web", batch_of(&["a", "b", "c"])).await;
    let (member, epoch) = join(&mut client).await;
    client.fetch("web", 0).await;
    commit(&mut client, "readers", Some((&member, epoch)), "web", 1).await;
    (broker, admin, client, member)
}

#[tokio::test]
async fn what_is_produced_and_read_is_shown() {
    let (broker, admin, _client, _) = with_reader().await;
    let all = data(admin, "/broker.json").await;
    assert_eq!((&all["broker"]["node_id"], &all["broker"]["connection_count"]), (&json!(1), &json!(1)));
    assert_eq!(all["broker"]["address"], broker.addr.to_string());
    assert_eq!(all["broker"]["data_dir"], broker.dir.path().to_str().unwrap());
    assert!(all["broker"]["disk_free_bytes"].as_u64().unwrap() > 0, "{all:#}");
    assert_eq!(all["broker"]["refuses_producers"], false);

    let topic = named(&all["topics"], "web");
    assert!(topic["size_bytes"].as_u64().unwrap() > 0, "{topic:#}");
    assert_eq!((&topic["record_count"], &topic["partition_count"]), (&json!(3), &json!(2)));
    assert!(topic.as_object().unwrap().contains_key("bytes_out_per_second"), "{topic:#}");
    assert_eq!(named(&all["topics"], "__consumer_offsets")["internal"], true);

    let group = named(&all["groups"], "readers");
    assert_eq!((&group["lag_records"], &group["member_count"]), (&json!(2), &json!(1)));
    assert_eq!((&group["protocol"], &group["state"]), (&json!("consumer"), &json!("Stable")));

    let client = &all["clients"]["items"][0];
    assert_eq!((&client["client_id"], &client["software_name"]), (&json!("test"), &json!("our-client")));
    assert_eq!((&client["software_version"], &client["requests"]), (&json!("1.2"), &json!(6)));
    assert!(client["bytes_in"].as_u64().unwrap() > 0 && client["bytes_out"].as_u64().unwrap() > 0);

    let html = shown(admin, "/broker").await;
    assert!(html.starts_with("<!doctype html>"), "{html}");
    for text in [">web</a>", ">readers</a>", "<td>test</td>", "<td>our-client</td>"] {
        assert!(html.contains(text), "{text} is not in\n{html}");
    }
    assert!(shown(admin, "/").await.contains("<a href=\"broker\">"));
}

#[tokio::test]
async fn a_topic_and_a_group_are_shown_with_their_partitions() {
    let (_broker, admin, _client, member) = with_reader().await;
    let topic = data(admin, "/broker/topic.json?name=web").await;
    assert_eq!((&topic["topic"]["name"], &topic["partitions"]["total"]), (&json!("web"), &json!(2)));
    let first = &topic["partitions"]["items"][0];
    assert_eq!((&first["partition"], &first["log_start_offset"]), (&json!(0), &json!(0)));
    assert_eq!((&first["high_watermark"], &first["last_stable_offset"]), (&json!(3), &json!(3)));
    assert_eq!((&first["segment_count"], &first["offline"]), (&json!(1), &json!(false)));
    assert_eq!(first["size_bytes"], topic["topic"]["size_bytes"]);

    let group = data(admin, "/broker/group.json?name=readers").await;
    let expected = json!([
        {
            "topic": "web", "partition": 0, "committed_offset": 1, "end_offset": 3, "lag_records": 2,
            "member_id": member,
        },
        {
            "topic": "web", "partition": 1, "committed_offset": null, "end_offset": 0, "lag_records": null,
            "member_id": member,
        },
    ]);
    assert_eq!(group["partitions"]["items"], expected);
    let expected = json!([{
        "member_id": member, "instance_id": null, "client_id": "test", "host": "127.0.0.1",
        "assigned_partition_count": 2,
    }]);
    assert_eq!(group["members"]["items"], expected);

    let html = shown(admin, "/broker/topic?name=web").await;
    assert!(html.contains("<h1>Topic web</h1>"), "{html}");
    let html = shown(admin, "/broker/group?name=readers").await;
    assert!(html.contains("<h1>Group readers</h1>") && html.contains(&member), "{html}");
}

#[tokio::test]
async fn names_from_the_network_are_no_markup() {
    let broker = TestBroker::start().await;
    let admin = serve(&broker).await;
    let mut client = broker.client().await;
    client.create("web", 1).await;
    commit(&mut client, HOSTILE, None, "web", 0).await;
    let mut other = broker.client().await;
    let introduction = ApiVersionsRequest {
        client_software_name: HOSTILE.to_owned(),
        client_software_version: HOSTILE.to_owned(),
    };
    let request = frame::encode_request(Some(HOSTILE), 1, 3, &introduction).unwrap();
    other.stream.write_all(&request.bytes).await.unwrap();
    other.frame().await.unwrap();

    let name = encoded(HOSTILE);
    let escaped =
        "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;a()&quot;&gt;&amp;&#39;";
    for (path, status) in [
        ("/broker".to_owned(), 200),
        ("/broker/groups".to_owned(), 200),
        ("/broker/clients".to_owned(), 200),
        (format!("/broker/clients?q={name}"), 200),
        (format!("/broker/group?name={name}"), 200),
        (format!("/broker/topic?name={name}"), 404),
    ] {
        let (answered, body) = get(admin, &path).await;
        assert_eq!(answered, status, "{path}: {body}");
        assert!(body.contains(escaped), "{path}: {body}");
        assert!(!body.contains("<script") && !body.contains("<img"), "{body}");
    }
    let group = data(admin, &format!("/broker/group.json?name={name}")).await;
    assert_eq!(group["group"]["name"], HOSTILE);
    let clients = data(admin, &format!("/broker/clients.json?q={name}")).await;
    let client = &clients["clients"]["items"][0];
    assert_eq!((&client["client_id"], &client["software_name"]), (&json!(HOSTILE), &json!(HOSTILE)));
    assert_eq!((&clients["clients"]["total"], &clients["clients"]["matching"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let broker = TestBroker::start().await;
    let admin = serve(&broker).await;
    for path in [
        "/broker/topic?name=none",
        "/broker/topic.json?name=none",
        "/broker/group?name=none",
        "/broker/group.json?name=none",
        "/broker/topic",
        "/broker/none",
        "/broker/",
        "/none.json",
    ] {
        assert_eq!(get(admin, path).await.0, 404, "{path}");
    }
    let (_, body) = get(admin, "/broker/topic.json?name=none").await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({ "error": "there is no topic none" }));
}

#[tokio::test]
async fn lists_come_page_by_page_the_largest_and_the_slowest_first() {
    let broker = TestBroker::start().await;
    let admin = serve(&broker).await;
    let mut client = broker.client().await;
    for topic in ["web-1", "web-2", "other"] {
        client.create(topic, 5).await;
    }
    client.produce("web-2", batch_of(&["text"; 3])).await;
    let page = data(admin, "/broker/topics.json?rows=2").await;
    assert_eq!(names(&page["topics"]), ["web-2", "__consumer_offsets"]);
    assert_eq!((&page["topics"]["total"], &page["topics"]["pages"]), (&json!(4), &json!(2)));
    let page = data(admin, "/broker/topics.json?rows=2&page=2").await;
    assert_eq!((names(&page["topics"]), &page["topics"]["page"]), (vec!["other", "web-1"], &json!(2)));
    let page = data(admin, "/broker/topics.json?rows=3&page=9&sort=name").await;
    assert_eq!((names(&page["topics"]), &page["topics"]["page"]), (vec!["web-2"], &json!(2)));
    let page = data(admin, "/broker/topics.json?q=web&sort=name").await;
    assert_eq!(names(&page["topics"]), ["web-1", "web-2"]);
    let html = shown(admin, "/broker/topics?rows=2&q=web-").await;
    assert!(html.contains(">web-1</a>") && !html.contains(">other</a>"), "{html}");

    let topic = data(admin, "/broker/topic.json?name=web-1&rows=2&page=3").await;
    let items = topic["partitions"]["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["partition"]), (1, &json!(4)));

    commit(&mut client, "a", None, "web-2", 2).await;
    commit(&mut client, "b", None, "web-2", 0).await;
    let all = data(admin, "/broker.json?rows=1").await;
    assert_eq!((names(&all["groups"]), &all["groups"]["total"]), (vec!["b"], &json!(2)));
    assert_eq!(all["topics"]["items"].as_array().unwrap().len(), 1);
    let groups = data(admin, "/broker/groups.json?sort=name").await;
    assert_eq!(names(&groups["groups"]), ["a", "b"]);
}

#[tokio::test]
async fn an_open_transaction_is_shown() {
    let broker = TestBroker::start().await;
    let admin = serve(&broker).await;
    let mut client = broker.client().await;
    client.create("web", 2).await;
    let request = InitProducerIdRequest {
        transactional_id: Some("tx".to_owned()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    let producer = client.call(4, &request).await;
    assert_eq!(producer.error_code, 0);
    let none = data(admin, "/broker/transactions.json").await;
    assert_eq!(none["transactions"]["items"], json!([]));
    let topic = AddPartitionsToTxnTopic { name: "web".to_owned(), partitions: vec![0, 1] };
    let request = AddPartitionsToTxnRequest {
        v3_and_below_transactional_id: "tx".to_owned(),
        v3_and_below_producer_id: producer.producer_id,
        v3_and_below_producer_epoch: producer.producer_epoch,
        v3_and_below_topics: vec![topic],
        ..Default::default()
    };
    client.call(3, &request).await;
    let open = data(admin, "/broker.json").await["transactions"]["items"][0].clone();
    assert_eq!((&open["transactional_id"], &open["state"]), (&json!("tx"), &json!("Ongoing")));
    assert_eq!((&open["partition_count"], &open["producer_id"]), (&json!(2), &json!(producer.producer_id)));
    assert!(shown(admin, "/broker/transactions").await.contains(">tx</th>"));
}

#[tokio::test]
async fn a_client_is_shown_until_it_goes_and_a_broker_until_it_stops() {
    let broker = TestBroker::start().await;
    let admin = serve(&broker).await;
    let mut client = broker.client().await;
    client.call(3, &ApiVersionsRequest::default()).await;
    assert_eq!(data(admin, "/broker/clients.json").await["clients"]["total"], 1);
    drop(client);
    while data(admin, "/broker/clients.json").await["clients"]["total"] != 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    broker.stop().await;
    assert_eq!(get(admin, "/broker").await.0, 503);
}
