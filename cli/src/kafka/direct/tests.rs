use super::*;

fn served(api: ApiKey, min_version: i16, max_version: i16) -> [ApiVersion; 1] {
    [ApiVersion { api_key: api.code(), min_version, max_version }]
}

#[test]
fn the_newest_version_that_both_know_is_spoken() {
    let api = ApiKey::OffsetCommit;
    assert_eq!(common_version(&served(api, 0, 3), api, i16::MAX), Some(3));
    assert_eq!(common_version(&served(api, 2, 99), api, i16::MAX), Some(*api.versions().end()));
    assert_eq!(common_version(&served(api, 0, 9), api, 2), Some(2));
    assert_eq!(common_version(&served(api, 4, 9), api, 3), None);
    assert_eq!(common_version(&served(api, 90, 99), api, i16::MAX), None);
    assert_eq!(common_version(&served(ApiKey::Fetch, 0, 3), api, i16::MAX), None);
}

#[test]
fn a_broker_s_own_words_are_preferred_to_what_its_code_means() {
    assert_eq!(refusal(0, Some("ignored")), None);
    assert_eq!(refusal(40, Some("retention.ms must be a number")).unwrap(), "retention.ms must be a number");
    let meaning = ErrorCode::InvalidConfig.to_string();
    assert_eq!(refusal(40, None).unwrap(), meaning);
    assert_eq!(refusal(40, Some("")).unwrap(), meaning);
}

#[test]
fn an_address_without_a_port_has_kafka_s() {
    for (given, resolved) in [
        ("kafka", "kafka:9092"),
        ("kafka:19092", "kafka:19092"),
        ("PLAINTEXT://kafka:19092", "kafka:19092"),
        ("[::1]", "[::1]:9092"),
        ("[::1]:19092", "[::1]:19092"),
    ] {
        assert_eq!(with_port(given), resolved);
    }
}

#[test]
fn what_does_not_speak_kafka_is_told_from_a_broker_that_is_away() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut size = [0; 4];
        stream.read_exact(&mut size).unwrap();
        let mut request = vec![0; u32::from_be_bytes(size) as usize];
        stream.read_exact(&mut request).unwrap();
        // The first four bytes are taken for a size of over a gigabyte.
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let connection = Connection { bootstrap: address.clone(), timeout_ms: 10_000 };
    let Err(Failure::Failed { message, .. }) = connection.open("cannot x", &address) else { panic!() };
    other.join().unwrap();
    let expected =
        format!("cannot x: the broker at {address} did not answer ApiVersions: it speaks another protocol");
    assert_eq!(message, expected);
}

#[test]
fn nobody_at_any_address_is_said_as_by_every_command() {
    let connection = Connection { bootstrap: "127.0.0.1:1, 127.0.0.1:2".to_owned(), timeout_ms: 100 };
    let Err(Failure::Failed { message, remedy: Some(remedy) }) = connection.controller("cannot x") else {
        panic!()
    };
    assert_eq!(message, "cannot x: no broker answers at 127.0.0.1:1, 127.0.0.1:2");
    assert!(remedy.contains("--bootstrap"), "{remedy}");
}
