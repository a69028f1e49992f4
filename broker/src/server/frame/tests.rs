use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;

struct Pair {
    client: TcpStream,
    server: TcpStream,
    reader: FrameReader,
}

async fn pair(budget_bytes: usize) -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let limits = FrameLimits { request_max_bytes: 1 << 20, idle: Duration::from_secs(600) };
    let reader = FrameReader::new(Arc::new(Budget::new(budget_bytes)), limits);
    Pair { client, server, reader }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as i32).to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test]
async fn frames_come_one_by_one_whatever_the_packets_were() {
    let Pair { mut client, server, mut reader } = pair(1 << 22).await;
    let bodies: Vec<Vec<u8>> =
        [0, 1, 3, 5000, 20_000, 300_000, 7].iter().map(|len| vec![*len as u8; *len]).collect();
    let all: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
    let writer = tokio::spawn(async move {
        for packet in all.chunks(4_097) {
            client.write_all(packet).await.unwrap();
        }
        client
    });
    for body in &bodies {
        let frame = reader.next(&server).await.unwrap();
        assert_eq!(frame, body);
        reader.recycle(Some(frame));
    }
    drop(writer.await.unwrap());
    assert!(matches!(reader.next(&server).await, Err(FrameError::Closed)));
}

/// Being cancelled is what a select does to it all the time.
#[tokio::test]
async fn nothing_is_lost_when_the_wait_is_cancelled() {
    let Pair { mut client, server, mut reader } = pair(1 << 22).await;
    let bytes = [framed(b"first"), framed(&[9; 40_000])].concat();
    let writer = tokio::spawn(async move {
        for packet in bytes.chunks(1_000) {
            client.write_all(packet).await.unwrap();
            tokio::task::yield_now().await;
        }
        client
    });
    let mut frames = Vec::new();
    while frames.len() < 2 {
        tokio::select! {
            biased;
            frame = reader.next(&server) => frames.push(frame.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(frames[0], b"first".as_slice());
    assert_eq!(frames[1], [9; 40_000].as_slice());
    drop(writer.await.unwrap());
}

#[tokio::test]
async fn the_buffer_is_used_again() {
    let Pair { mut client, server, mut reader } = pair(1 << 22).await;
    let mut place = None;
    for i in 0..3 {
        client.write_all(&framed(&[i; 100_000])).await.unwrap();
        let frame = reader.next(&server).await.unwrap();
        assert_eq!(*place.get_or_insert(frame.as_ptr().addr()), frame.as_ptr().addr());
        // as Produce does: shared while it is decoded, then one owner again
        let shared = frame.freeze();
        let other = shared.slice(5..10);
        drop(other);
        reader.recycle(Some(shared.try_into_mut().unwrap()));
    }
}

#[tokio::test]
async fn a_size_says_nothing_about_memory() {
    let Pair { mut client, server, mut reader } = pair(1 << 22).await;
    client.write_all(&(1i32 << 20).to_be_bytes()).await.unwrap();
    client.write_all(&[0; 100]).await.unwrap();
    tokio::select! {
        biased;
        _ = reader.next(&server) => panic!("there is no frame"),
        () = tokio::time::sleep(Duration::from_millis(20)) => {}
    }
    assert!(reader.frame.capacity() <= FREE_BYTES);
    assert!(reader.reservation.is_empty());
}

#[tokio::test]
async fn sizes_out_of_range_end_it() {
    for size in [-1, i32::MIN, (1 << 20) + 1, i32::MAX] {
        let Pair { mut client, server, mut reader } = pair(1 << 22).await;
        client.write_i32(size).await.unwrap();
        assert!(matches!(reader.next(&server).await, Err(FrameError::Size(found)) if found == size));
    }
}

#[tokio::test]
async fn an_end_within_a_frame_is_told_from_one_between_frames() {
    for (bytes, have, size) in [(vec![0, 0], 2, 4), (framed(b"12345")[..6].to_vec(), 2, 5)] {
        let Pair { mut client, server, mut reader } = pair(1 << 22).await;
        client.write_all(&bytes).await.unwrap();
        drop(client);
        let error = reader.next(&server).await.unwrap_err();
        assert!(
            matches!(error, FrameError::Truncated { have: h, size: s } if (h, s) == (have, size)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_resting_connection_gives_its_buffer_up() {
    let Pair { mut client, server, mut reader } = pair(1 << 22).await;
    client.write_all(&framed(&[1; 500_000])).await.unwrap();
    let frame = reader.next(&server).await.unwrap();
    reader.recycle(Some(frame));
    assert!(reader.frame.capacity() >= 500_000 && !reader.reservation.is_empty());
    tokio::time::pause();
    tokio::select! {
        biased;
        _ = reader.next(&server) => panic!("there is no frame"),
        () = tokio::time::sleep(REST * 2) => {}
    }
    assert!(reader.frame.capacity() == 0 && reader.reservation.is_empty());
}

#[tokio::test]
async fn a_slow_frame_is_given_up_only_when_its_memory_is_wanted() {
    let Pair { mut client, server, mut reader } = pair(1 << 20).await;
    client.write_all(&framed(&[1; 200_000])[..150_000]).await.unwrap();
    while reader.reservation.is_empty() {
        tokio::select! {
            biased;
            _ = reader.next(&server) => panic!("there is no frame"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
    tokio::time::pause();
    tokio::select! {
        biased;
        _ = reader.next(&server) => panic!("nobody wants its memory"),
        () = tokio::time::sleep(CONTENDED_GRACE * 2) => {}
    }
    // the others: one holds a large frame's turn, one waits for it
    let budget = reader.budget.clone();
    let (mut holder, mut waiter) = (Reservation::default(), Reservation::default());
    budget.reserve(&mut holder, 1 << 20, 1 << 20).await;
    tokio::select! {
        error = reader.next(&server) => assert!(matches!(error, Err(FrameError::Starved))),
        () = budget.reserve(&mut waiter, 1 << 20, 1 << 20) => panic!("there is only one turn"),
    }
}

#[tokio::test]
async fn silence_ends_a_connection_in_time() {
    for sent in [b"".as_slice(), &[0, 0], &[0, 0, 0, 9, 1, 2]] {
        let Pair { mut client, server, mut reader } = pair(1 << 20).await;
        client.write_all(sent).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        tokio::time::pause();
        assert!(matches!(reader.next(&server).await, Err(FrameError::Idle)), "after {sent:?}");
        tokio::time::resume();
    }
}
