use std::io::Write;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use wire::codec::Hole;

use super::*;

const STALL: Duration = Duration::from_secs(10);

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

fn file(content: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    Arc::new(file)
}

fn reply(bytes: &'static [u8], holes: Vec<Hole>, files: Vec<FileRange>) -> Reply {
    Reply { files, ..Reply::new(Encoded { bytes: Bytes::from_static(bytes), holes }) }
}

#[tokio::test]
async fn holes_are_filled_in_their_places() {
    let (mut client, server) = pair().await;
    let file = file(b"0123456789");
    let range = |position| FileRange { file: file.clone(), position };
    let holes =
        vec![Hole { at: 2, len: 3, tag: 1 }, Hole { at: 2, len: 1, tag: 0 }, Hole { at: 4, len: 4, tag: 2 }];
    let reply = reply(b"abcd", holes, vec![range(0), range(5), range(6)]);
    send(&server, &reply, STALL).await.unwrap();
    drop(server);
    let mut received = String::new();
    client.read_to_string(&mut received).await.unwrap();
    assert_eq!(received, "ab5670cd6789");
}

#[tokio::test]
async fn much_more_than_the_socket_holds_arrives() {
    let (mut client, server) = pair().await;
    let content: Vec<u8> = (0..20_000_000u32).map(|i| (i / 7) as u8).collect();
    let files = vec![FileRange { file: file(&content), position: 0 }];
    let reply = reply(b"<>", vec![Hole { at: 1, len: content.len() as u32, tag: 0 }], files);
    let sending = tokio::spawn(async move { send(&server, &reply, STALL).await });
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    sending.await.unwrap().unwrap();
    assert_eq!(
        (received.first(), received.last(), received.len()),
        (Some(&b'<'), Some(&b'>'), content.len() + 2)
    );
    assert!(received[1..=content.len()] == content);
}

/// The length is on the wire already: whatever came next would be taken for records.
#[tokio::test]
async fn a_file_that_is_too_short_ends_the_connection() {
    let (_client, server) = pair().await;
    let files = vec![FileRange { file: file(b"short"), position: 0 }];
    let reply = reply(b"ab", vec![Hole { at: 1, len: 9, tag: 0 }], files);
    assert!(matches!(send(&server, &reply, STALL).await, Err(SendError::Short)));
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let (_client, server) = pair().await;
    let bytes: &'static [u8] = vec![0; 32 << 20].leak();
    let stall = Duration::from_millis(20);
    let error = send(&server, &reply(bytes, Vec::new(), Vec::new()), stall).await.unwrap_err();
    assert!(matches!(error, SendError::Stalled(_)), "{error}");
}

#[tokio::test]
async fn a_client_that_is_gone_is_an_error_not_a_signal() {
    let (client, server) = pair().await;
    drop(client);
    let bytes: &'static [u8] = vec![0; 1 << 20].leak();
    let reply = reply(bytes, Vec::new(), Vec::new());
    while send(&server, &reply, STALL).await.is_ok() {}
}

#[tokio::test]
async fn small_responses_are_joined_and_others_are_not() {
    let (mut client, server) = pair().await;
    let plain = |bytes: &'static [u8]| reply(bytes, Vec::new(), Vec::new());
    let mut first = plain(b"one");
    assert!(first.join(plain(b" two")).is_none());
    assert!(first.join(plain(b" three")).is_none());
    let hole = Hole { at: 0, len: 1, tag: 0 };
    let with_file = || reply(b"", vec![hole], vec![FileRange { file: file(b"x"), position: 0 }]);
    assert!(first.join(with_file()).is_some());
    assert!(with_file().join(plain(b"four")).is_some());
    let large = Bytes::from(vec![b' '; JOINED_BYTES_MAX]);
    assert!(first.join(Reply::new(Encoded { bytes: large, holes: Vec::new() })).is_some());
    send(&server, &first, STALL).await.unwrap();
    drop(server);
    let mut received = String::new();
    client.read_to_string(&mut received).await.unwrap();
    assert_eq!(received, "one two three");
}
