//! What is announced is served, in every version; what is not closes the connection.

use tokio::io::AsyncWriteExt;
use wire::message::api_versions::{ApiVersion, ApiVersionsRequest};
use wire::message::metadata::MetadataRequest;
use wire::message::{ApiVisitor, Request};
use wire::{ApiKey, ErrorCode, frame};

use super::support::{Client, TestBroker};

async fn announced(client: &mut Client) -> Vec<ApiVersion> {
    let response = client.call(0, &ApiVersionsRequest::default()).await;
    assert_eq!(response.error_code, 0);
    response.api_keys
}

#[tokio::test]
async fn api_versions_answers_every_version_with_the_same_list() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let list = announced(&mut client).await;
    for version in 0..=4 {
        let response = client.call(version, &ApiVersionsRequest::default()).await;
        assert_eq!(response.api_keys, list, "version {version}");
    }
}

/// franz-go asks version 5 first, kafka-python version 4: they need the old form to find out what there is.
#[tokio::test]
async fn a_version_from_the_future_is_answered_in_the_oldest_form_with_error_35() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    // header of version 2: key 18, version 99, correlation id 7, null client id, no tags
    let request = [0, 0, 0, 11, 0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff, 0];
    client.stream.write_all(&request).await.unwrap();
    let frame = client.frame().await.unwrap();
    let (correlation_id, response) = frame::decode_response::<ApiVersionsRequest>(frame, 0).unwrap();
    assert_eq!(correlation_id, 7);
    assert_eq!(response.error_code, ErrorCode::UnsupportedVersion.code());
    assert_eq!(response.api_keys, announced(&mut client).await, "and the connection goes on");
}

/// Says what a request with nothing in it encodes to, for an API known only at run time.
struct EmptyRequest(i16);

impl ApiVisitor for EmptyRequest {
    type Output = Vec<u8>;
    fn visit<R: Request>(self) -> Vec<u8> {
        frame::encode_request(Some("test"), 1, self.0, &R::default()).unwrap().bytes.to_vec()
    }
}

struct Decodes(i16, bytes::Bytes);

impl ApiVisitor for Decodes {
    type Output = Result<i32, wire::codec::DecodeError>;
    fn visit<R: Request>(self) -> Self::Output {
        frame::decode_response::<R>(self.1, self.0).map(|(correlation_id, _)| correlation_id)
    }
}

#[tokio::test]
async fn every_announced_version_of_every_api_is_answered() {
    let broker = TestBroker::start().await;
    let list = announced(&mut broker.client().await).await;
    assert!(list.len() >= 9, "{list:?}");
    for api in list {
        let key = ApiKey::try_from(api.api_key).unwrap();
        for version in api.min_version..=api.max_version {
            let mut client = broker.client().await;
            let mut request = key.visit(EmptyRequest(version));
            if key == ApiKey::Produce {
                // the default acks is 0, which is not answered: ask for 1, behind the transactional id
                let acks = request.len() - if version >= 9 { 8 } else { 10 };
                request[acks + 1] = 1;
            }
            client.stream.write_all(&request).await.unwrap();
            let response =
                client.frame().await.unwrap_or_else(|| panic!("{key:?} version {version} was not answered"));
            assert_eq!(key.visit(Decodes(version, response)), Ok(1), "{key:?} version {version}");
        }
    }
}

#[tokio::test]
async fn what_is_not_announced_closes_the_connection_and_no_other() {
    let broker = TestBroker::start().await;
    let mut bystander = broker.client().await;
    let list: Vec<ApiVersion> = announced(&mut bystander).await;
    let served = |key: i16, version: i16| {
        list.iter().any(|api| api.api_key == key && (api.min_version..=api.max_version).contains(&version))
    };
    for (key, version) in
        [(0, 12), (1, -1), (1, 18), (2, 10), (3, 13), (3, -1), (4, 0), (7, 0), (36, 0), (99, 0), (-1, 0)]
    {
        assert!(!served(key, version));
        let mut client = broker.client().await;
        let mut request = vec![0, 0, 0, 11];
        request.extend_from_slice(&i16::to_be_bytes(key));
        request.extend_from_slice(&i16::to_be_bytes(version));
        request.extend_from_slice(&[0, 0, 0, 7, 0xff, 0xff, 0]);
        client.stream.write_all(&request).await.unwrap();
        client.expect_closed().await;
    }
    bystander.call(1, &MetadataRequest::default()).await;
}

/// librdkafka compresses only when Produce version 0 is announced.
#[tokio::test]
async fn produce_is_announced_from_version_0() {
    let broker = TestBroker::start().await;
    let list = announced(&mut broker.client().await).await;
    let produce = list.iter().find(|api| api.api_key == ApiKey::Produce.code()).unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 11));
}
