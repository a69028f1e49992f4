//! Hostile bytes on the broker's port: each connection is answered or closed, and a normal client works throughout.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use logagent_tests::kafka::consume_all;
use logagent_tests::logagent::Broker;
use logagent_tests::process::run;
use logagent_tests::seeded;
use rand::{Rng, RngCore};

use crate::world::scratch;

const IDLE: usize = 1_000;

/// Sends bytes; returns true when the broker has closed the connection without an answer.
fn is_closed_after(broker: &Broker, bytes: &[u8]) -> bool {
    let mut stream = TcpStream::connect(broker.bootstrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The broker may close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = [0; 1];
    match stream.read(&mut answer) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// A request frame: size, header of version 1, body.
fn frame(api: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    content.extend(api.to_be_bytes());
    content.extend(version.to_be_bytes());
    content.extend(7i32.to_be_bytes());
    content.extend((-1i16).to_be_bytes());
    content.extend(body);
    let mut frame = i32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(content);
    frame
}

fn a_normal_client_works(broker: &Broker, written: &mut usize) {
    run("kcat", &["-b", broker.bootstrap(), "-P", "-t", "normal", "-X", "acks=all"], b"line\n");
    *written += 1;
    assert_eq!(consume_all(broker.bootstrap(), "normal").len(), *written);
}

#[test]
fn hostile_bytes_are_answered_or_closed_and_a_normal_client_works_throughout() {
    let dir = scratch();
    let mut broker = Broker::start(dir.path(), &[]);
    let mut random = seeded("hostile");
    let mut written = 0;
    a_normal_client_works(&broker, &mut written);

    for size in [i32::MAX, i32::MIN, -1, 0, 3, 1 << 30] {
        assert!(is_closed_after(&broker, &[&size.to_be_bytes()[..], b"rest"].concat()), "size {size}");
    }
    for (api, version) in [(999, 0), (-1, 0), (0, 99), (1, -1), (3, 100), (26, 0)] {
        assert!(is_closed_after(&broker, &frame(api, version, b"")), "api {api} version {version}");
    }
    // An array of 2^31-1 topics in a frame of a few bytes.
    assert!(is_closed_after(&broker, &frame(3, 1, &i32::MAX.to_be_bytes())));
    // ApiVersions alone is answered in any version; the header of new ones ends with (no) tagged fields.
    assert!(!is_closed_after(&broker, &frame(18, 99, &[0])));
    a_normal_client_works(&broker, &mut written);

    for _ in 0..200 {
        let mut bytes = vec![0; random.random_range(4..200)];
        random.fill_bytes(&mut bytes);
        let size = i32::try_from(bytes.len() - 4).unwrap();
        bytes[..4].copy_from_slice(&size.to_be_bytes());
        // Whatever it was taken for, the broker still stands.
        is_closed_after(&broker, &bytes);
    }
    broker.daemon.process.must_run();
    a_normal_client_works(&broker, &mut written);

    // Halves of frames, and many that announce much and send nothing.
    let half: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(broker.bootstrap()).unwrap();
            stream.write_all(&100_000_000i32.to_be_bytes()).unwrap();
            stream.write_all(&[0; 100]).unwrap();
            stream
        })
        .collect();
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| TcpStream::connect(broker.bootstrap()).unwrap()).collect();
    a_normal_client_works(&broker, &mut written);
    let memory = broker.daemon.process.peak_memory_bytes() >> 20;
    eprintln!(
        "hostile: {} idle and {} half-sent connections, peak memory {memory} MiB",
        idle.len(),
        half.len()
    );
    assert!(memory < 200, "{memory} MiB");
    drop((half, idle));
    a_normal_client_works(&broker, &mut written);
}

#[test]
fn a_batch_with_a_bad_checksum_is_refused() {
    use bytes::Bytes;
    use wire::codec::Blob;
    use wire::message::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
    use wire::record::{BatchBuilder, Compression};

    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let mut written = 0;
    a_normal_client_works(&broker, &mut written);

    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(0, None, Some(b"value"), &[]).unwrap();
    let mut batch = builder.finish().unwrap().to_vec();
    *batch.last_mut().unwrap() ^= 1;
    let partition = PartitionProduceData { index: 0, records: Some(Blob::from(Bytes::from(batch))) };
    let topic = TopicProduceData { name: "normal".into(), partition_data: vec![partition] };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 1000, topic_data: vec![topic], ..Default::default() };
    let encoded = wire::frame::encode_request(None, 1, 7, &request).unwrap();

    let mut stream = TcpStream::connect(broker.bootstrap()).unwrap();
    stream.write_all(&encoded.bytes).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(size)).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    let (_, response) = wire::frame::decode_response::<ProduceRequest>(Bytes::from(answer), 7).unwrap();
    let code = response.responses[0].partition_responses[0].error_code;
    assert_eq!(code, wire::ErrorCode::CorruptMessage.code());
    assert!(broker.daemon.metric("logagent_broker_crc_failures_total", "") >= 1.0);
    a_normal_client_works(&broker, &mut written);
}
