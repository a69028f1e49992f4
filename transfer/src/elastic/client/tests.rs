use std::io::Write;

use super::*;
use crate::fake_index::FakeIndex;
use crate::tests::settings;

fn elastic(changes: &[(&str, &str)]) -> Elasticsearch {
    settings(changes).elasticsearch
}

async fn authorization(index: &FakeIndex, changes: &[(&str, &str)]) -> String {
    let client = Client::new(&elastic(changes)).unwrap();
    client.bulk(Bytes::new()).await.unwrap();
    index.seen().pop().unwrap().0
}

#[tokio::test]
async fn credentials_come_from_the_settings_or_from_the_address() {
    let index = FakeIndex::start(vec![]).await;
    let url = index.url();
    assert_eq!(authorization(&index, &[("elasticsearch.url", &url)]).await, "");
    let with_user = url.replace("http://", "http://ann:s3cret@");
    assert_eq!(authorization(&index, &[("elasticsearch.url", &with_user)]).await, "Basic YW5uOnMzY3JldA==");
    let escaped = url.replace("http://", "http://ann:s3%63ret@");
    assert_eq!(authorization(&index, &[("elasticsearch.url", &escaped)]).await, "Basic YW5uOnMzY3JldA==");
    let settings = [
        ("elasticsearch.url", url.as_str()),
        ("elasticsearch.username", "ann"),
        ("elasticsearch.password", "s3cret"),
    ];
    assert_eq!(authorization(&index, &settings).await, "Basic YW5uOnMzY3JldA==");
    let key = [("elasticsearch.url", url.as_str()), ("elasticsearch.api_key", "a2V5")];
    assert_eq!(authorization(&index, &key).await, "ApiKey a2V5");
}

#[tokio::test]
async fn no_more_of_the_answer_is_asked_for_than_is_looked_at() {
    let index = FakeIndex::start(vec![]).await;
    let client = Client::new(&elastic(&[("elasticsearch.url", &index.url())])).unwrap();
    client.bulk(Bytes::new()).await.unwrap();
    let query = index.seen().pop().unwrap().1;
    assert!(query.starts_with("filter_path=") && query.contains("items.*.status"), "{query}");
}

#[tokio::test]
async fn nodes_take_turns_and_addresses_may_have_a_path() {
    let (first, second) = (FakeIndex::start(vec![]).await, FakeIndex::start(vec![]).await);
    let urls = format!("{},{}/prefix", first.url(), second.url());
    let client = Client::new(&elastic(&[("elasticsearch.url", &urls)])).unwrap();
    for _ in 0..4 {
        assert_eq!(client.bulk(Bytes::new()).await.unwrap().status, 200);
    }
    assert_eq!((first.requests(), second.requests()), (2, 2));
}

/// The address is part of the HTTP client's error texts; those are logged.
#[tokio::test]
async fn errors_do_not_show_the_password_of_the_address() {
    let config = elastic(&[("elasticsearch.url", "http://ann:s3cret@127.0.0.1:1")]);
    let client = Client::new(&config).unwrap();
    let error = client.bulk(Bytes::new()).await.unwrap_err();
    let shown = format!("{client:?} {error} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_certificate_file_that_is_none_is_named() {
    let with = |path: &str| {
        let url = ("elasticsearch.url", "https://127.0.0.1:1");
        Client::new(&elastic(&[url, ("elasticsearch.ca_file", path)])).unwrap_err().to_string()
    };
    assert!(with("/no/such/ca.pem").contains("/no/such/ca.pem"));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"not a certificate").unwrap();
    let text = with(file.path().to_str().unwrap());
    assert!(text.contains("holds no PEM certificate"), "{text}");
}

#[test]
fn without_an_address_there_is_no_client() {
    assert!(matches!(Client::new(&elastic(&[])), Err(ClientError::Address)));
    assert!(matches!(Client::new(&elastic(&[("elasticsearch.url", ",")])), Err(ClientError::Address)));
}
