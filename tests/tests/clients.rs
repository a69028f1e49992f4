//! Real Kafka clients against our broker: what one writes the others read; and Kafka's tools on our files.

use std::path::PathBuf;
use std::time::Duration;

use logagent_tests::kafka::{consume_all, tally, tool};
use logagent_tests::logagent::Broker;
use logagent_tests::process::{Process, run, try_run};
use logagent_tests::{cache, logagent, wait_for};

use crate::world::scratch;

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

fn sarama(version: &str) -> PathBuf {
    cache().join("bin").join(format!("sarama-{version}"))
}

/// Five hundred lines that tell who wrote them.
fn lines(writer: &str) -> String {
    (0..500).map(|number| format!("{writer} {number} {}\n", "x".repeat(number % 97))).collect()
}

#[test]
fn kcat_lists_produces_with_every_codec_and_consumes() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let mut expected = String::new();
    for codec in CODECS {
        let written = lines(codec);
        run(
            "kcat",
            &["-b", broker.bootstrap(), "-P", "-t", "codecs", "-z", codec, "-X", "acks=all"],
            written.as_bytes(),
        );
        expected += &written;
    }
    let records = consume_all(broker.bootstrap(), "codecs");
    assert_eq!(tally(records.iter().map(|record| record.value.as_str())), tally(expected.lines()));
    let listed = String::from_utf8(run("kcat", &["-b", broker.bootstrap(), "-L"], b"")).unwrap();
    assert!(listed.contains("topic \"codecs\" with 1 partitions"), "{listed}");
    assert!(listed.contains(broker.bootstrap()), "{listed}");
}

#[test]
fn what_one_client_writes_the_others_read() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let bootstrap = broker.bootstrap();
    run(
        logagent::binary(),
        &["topics", "create", "web_log", "--partitions", "3", "--bootstrap", bootstrap],
        b"",
    );
    let mut expected = String::new();
    for version in ["v1.19", "newest"] {
        for codec in CODECS.iter().filter(|codec| version == "newest" || **codec != "zstd") {
            let written = lines(&format!("sarama {version} {codec}"));
            // zstd needs the protocol of Kafka 2.1
            let spoken = if *codec == "zstd" { "2.1.0" } else { "1.0.0" };
            let args = [
                "produce",
                "-brokers",
                bootstrap,
                "-topic",
                "web_log",
                "-compression",
                codec,
                "-version",
                spoken,
            ];
            run(sarama(version), &args, written.as_bytes());
            expected += &written;
        }
    }
    let written = lines("kcat");
    run("kcat", &["-b", bootstrap, "-P", "-t", "web_log", "-z", "lz4"], written.as_bytes());
    expected += &written;
    let written = lines("logagent");
    run(logagent::binary(), &["produce", "--topic", "web_log", "--bootstrap", bootstrap], written.as_bytes());
    expected += &written;

    let expected = tally(expected.lines());
    let by_kcat = consume_all(bootstrap, "web_log");
    assert_eq!(tally(by_kcat.iter().map(|record| record.value.as_str())), expected, "read by kcat");
    let count = by_kcat.len().to_string();
    // sarama 1.19 does not know zstd.
    let newest =
        ["consume", "-brokers", bootstrap, "-topic", "web_log", "-count", &count, "-version", "2.1.0"];
    let read = String::from_utf8(run(sarama("newest"), &newest, b"")).unwrap();
    assert_eq!(tally(read.lines()), expected, "read by the newest sarama");
    let ours = ["consume", "--topic", "web_log", "--from-beginning", "--max-messages", &count];
    let ours = [&ours[..], &["--bootstrap", bootstrap]].concat();
    let read = String::from_utf8(run(logagent::binary(), &ours, b"")).unwrap();
    assert_eq!(tally(read.lines()), expected, "read by logagent consume");
}

#[test]
fn sarama_1_19_reads_what_the_newest_clients_write() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let bootstrap = broker.bootstrap();
    let mut expected = String::new();
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let written = lines(&format!("kcat {codec}"));
        run("kcat", &["-b", bootstrap, "-P", "-t", "web_log", "-z", codec], written.as_bytes());
        expected += &written;
    }
    let count = expected.lines().count().to_string();
    let args = ["consume", "-brokers", bootstrap, "-topic", "web_log", "-count", &count];
    let read = String::from_utf8(run(sarama("v1.19"), &args, b"")).unwrap();
    assert_eq!(tally(read.lines()), tally(expected.lines()));
}

/// sarama 1.19 as it is without a word on versions speaks the protocol of Kafka 0.8.2: message sets without timestamps,
/// both ways. It knows gzip and snappy.
#[test]
fn sarama_1_19_in_its_default_configuration_produces_and_consumes() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let bootstrap = broker.bootstrap();
    run(
        logagent::binary(),
        &["topics", "create", "web_log", "--partitions", "3", "--bootstrap", bootstrap],
        b"",
    );
    let mut written = lines("before");
    run("kcat", &["-b", bootstrap, "-P", "-t", "web_log"], written.as_bytes());
    let old = ["-brokers", bootstrap, "-topic", "web_log", "-version", "default"];
    // three partitions from their ends on: of what is there already it sees nothing
    let codecs = ["none", "gzip", "snappy"];
    let count = (codecs.len() * 2 * lines("").lines().count()).to_string();
    let args = [&["consume", "-from", "newest", "-count", &count][..], &old].concat();
    let mut newest = Process::start("newest", dir.path(), sarama("v1.19"), &args);
    wait_for("the consumer", Duration::from_secs(60), || newest.output().contains("consuming 3 partitions"));
    let mut expected = String::new();
    for codec in codecs {
        let by_old = lines(&format!("sarama 1.19 {codec}"));
        run(sarama("v1.19"), &[&["produce", "-compression", codec][..], &old].concat(), by_old.as_bytes());
        let by_new = lines(&format!("kcat {codec}"));
        run("kcat", &["-b", bootstrap, "-P", "-t", "web_log", "-z", codec], by_new.as_bytes());
        expected += &(by_old + &by_new);
    }
    assert!(newest.wait(Duration::from_secs(60)).success(), "{}", newest.output());
    let printed = newest.output();
    let read = printed.lines().filter(|line| !line.starts_with("consuming "));
    assert_eq!(tally(read), tally(expected.lines()), "from the newest on");

    written += &expected;
    let count = written.lines().count().to_string();
    let args = [&["consume", "-count", &count][..], &old].concat();
    let read = String::from_utf8(run(sarama("v1.19"), &args, b"")).unwrap();
    assert_eq!(tally(read.lines()), tally(written.lines()), "from the oldest on");
    let by_kcat = consume_all(bootstrap, "web_log");
    assert_eq!(tally(by_kcat.iter().map(|record| record.value.as_str())), tally(written.lines()));
}

/// kcat told not to ask for versions speaks the protocol of Kafka 0.9 or 0.10: message sets of magic 0 or 1, in which it
/// knows lz4 too, with the wrong and with the right header checksum.
#[test]
fn kcat_speaks_the_protocols_of_old_brokers() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let bootstrap = broker.bootstrap();
    for version in ["0.8.2.2", "0.9.0.1", "0.10.0.1", "0.10.1.1"] {
        let topic = format!("kcat-{version}");
        let fallback = format!("broker.version.fallback={version}");
        let old = ["-b", bootstrap, "-t", &topic, "-X", "api.version.request=false", "-X", &fallback];
        let mut expected = String::new();
        for codec in ["none", "gzip", "snappy", "lz4"] {
            for client in ["old", "new"] {
                let written = lines(&format!("{client} {codec}"));
                let as_new = ["-b", bootstrap, "-t", &topic];
                let by = if client == "old" { &old[..] } else { &as_new };
                run("kcat", &[&["-P", "-z", codec][..], by].concat(), written.as_bytes());
                expected += &written;
            }
        }
        let read = run("kcat", &[&["-C", "-o", "beginning", "-e", "-q"][..], &old].concat(), b"");
        let read = String::from_utf8(read).unwrap();
        assert_eq!(tally(read.lines()), tally(expected.lines()), "{version}");
    }
}

#[test]
fn kafka_s_own_tool_finds_nothing_wrong_with_our_files() {
    let dir = scratch();
    // Small segments, so that there are several with indexes of some size.
    let config = dir.path().join("broker.yaml");
    std::fs::write(&config, "segment_bytes: 65536\nmax_message_bytes: 65536\nindex_interval_bytes: 512\n")
        .unwrap();
    let broker = Broker::start(dir.path(), &["--config", config.to_str().unwrap()]);
    for codec in CODECS {
        let written = lines(codec).repeat(4);
        let args = ["-b", broker.bootstrap(), "-P", "-t", "dump", "-z", codec, "-X", "batch.num.messages=50"];
        run("kcat", &args, written.as_bytes());
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(broker.data_dir().join("dump-0"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let named = |extension: &str| -> Vec<&str> {
        files
            .iter()
            .filter(|file| file.extension().is_some_and(|e| e == extension))
            .map(|f| f.to_str().unwrap())
            .collect()
    };
    let (logs, indexes) = (named("log"), named("index"));
    assert!(logs.len() > 2, "{files:?}");

    let (printed, ok) = tool(
        "kafka.tools.DumpLogSegments",
        &["--deep-iteration", "--print-data-log", "--files", &logs.join(",")],
    );
    assert!(ok && !printed.contains("Found") && !printed.contains("isvalid: false"), "{printed}");
    let records = printed.lines().filter(|line| line.contains("payload: ")).count();
    assert_eq!(records, 10_000, "{}", &printed[..printed.len().min(2000)]);
    let (printed, ok) =
        tool("kafka.tools.DumpLogSegments", &["--index-sanity-check", "--files", &indexes.join(",")]);
    assert!(
        ok && !printed.contains("Found") && printed.matches("passed sanity check").count() == indexes.len(),
        "{printed}"
    );
}

#[test]
fn topics_and_groups_are_listed_described_and_deleted() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let ours = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--bootstrap", broker.bootstrap()]);
        let ((stdout, stderr), ok) = try_run(&logagent::binary(), &all, b"a\nb\nc\n");
        (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), ok)
    };
    assert!(ours(&["topics", "create", "t", "--partitions", "2"]).2);
    let (_, stderr, ok) = ours(&["topics", "create", "t"]);
    assert!(!ok && stderr.contains("exists"), "{stderr}");
    assert!(ours(&["produce", "--topic", "t"]).2);
    let (read, stderr, ok) =
        ours(&["consume", "--topic", "t", "--from-beginning", "--group", "g", "--max-messages", "3"]);
    assert!(ok, "{stderr}");
    assert_eq!(tally(read.lines()), tally(["a", "b", "c"]));
    let (described, ..) = ours(&["topics", "describe", "t", "-o", "json"]);
    let described: serde_json::Value = serde_json::from_str(&described).expect(&described);
    assert!(described.to_string().contains("\"t\""), "{described}");
    let (groups, ..) = ours(&["groups", "list", "-o", "json"]);
    assert!(groups.contains("\"g\""), "{groups}");
    let (group, ..) = ours(&["groups", "describe", "g"]);
    assert!(group.contains('t'), "{group}");
    assert!(ours(&["topics", "delete", "t"]).2);
    assert!(!ours(&["topics", "list"]).0.lines().any(|line| line.split_whitespace().any(|word| word == "t")));
}
