use std::sync::Arc;

use daemon::config::{Live, Section, Source};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::alter::Operation;
use super::dynamic::Texts;
use super::table::{BROKER, TOPIC, broker_setting};
use super::values::{Values, with_overrides, with_possible_overrides};
use super::*;
use crate::config::Config;
use crate::log::{LogConfig, LogManager, ManagerOptions, RealDisk, SystemClock};

fn config() -> Config {
    Source::new(Config::DEFAULTS).load().unwrap()
}

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn changed(pairs: &[(&str, &str)]) -> Result<Config, SettingError> {
    with_overrides(&config(), &texts(pairs))
}

/// Dynamic settings beside logs in a temporary directory.
struct Fixture {
    dir: TempDir,
    logs: LogManager,
    settings: DynamicSettings,
}

impl Fixture {
    fn new() -> Self {
        Self::in_dir(TempDir::new().unwrap())
    }

    fn in_dir(dir: TempDir) -> Self {
        let options = ManagerOptions {
            data_dir: dir.path().to_owned(),
            node_id: 1,
            defaults: config().log(),
            partitions_max: 10,
            recovery_threads: 1,
            clock: Arc::new(SystemClock),
            disk: Arc::new(RealDisk),
        };
        let logs = LogManager::open(options).unwrap().0;
        let settings = DynamicSettings::open(Arc::new(RealDisk), dir.path(), Live::fixed(config())).unwrap();
        Fixture { dir, logs, settings }
    }

    fn restarted(self) -> Self {
        let Fixture { dir, logs, settings } = self;
        drop((logs, settings));
        Self::in_dir(dir)
    }

    fn set(&self, scope: Scope, pairs: &[(&str, &str)]) -> Result<(), crate::error::Failure> {
        self.settings.alter(&self.logs, scope, false, |_| Ok(texts(pairs)))
    }

    fn retention_ms(&self) -> i64 {
        self.settings.live().current().retention_ms
    }

    /// Value and places of a setting of the broker.
    fn described(&self, name: &str) -> (String, Vec<Place>) {
        let described = self.settings.describe().broker();
        let found = described.into_iter().find(|setting| setting.name == name).unwrap();
        let value = found.value().unwrap().to_owned();
        (value, found.origins.iter().map(|origin| origin.place).collect())
    }
}

#[test]
fn every_setting_of_the_table_has_a_value_and_names_are_in_order() {
    let values = Values::of(&config());
    for setting in BROKER {
        let is_unset = setting.name == "advertised.listeners";
        assert_eq!(values.text(setting).is_none(), is_unset, "{}", setting.name);
        assert!(setting.documentation.ends_with('.'), "{}", setting.name);
    }
    assert!(
        BROKER.is_sorted_by_key(|setting| setting.name) && TOPIC.is_sorted_by_key(|setting| setting.name)
    );
    assert_eq!(values.text(broker_setting("listeners").unwrap()).unwrap(), "PLAINTEXT://127.0.0.1:9092");
}

/// What is told can be set again, under the same name: a tool may copy settings.
#[test]
fn each_setting_takes_the_value_that_it_is_told_to_have() {
    let fixture = Fixture::new();
    let layers = fixture.settings.describe();
    for setting in layers.broker().iter().filter(|setting| !setting.read_only) {
        let same = changed(&[(setting.name, setting.value().unwrap())]);
        assert_eq!(same.unwrap(), config(), "{}", setting.name);
    }
    let topic = layers.topic(&Texts::new());
    assert_eq!(topic.len(), TOPIC.len());
    for setting in topic {
        let set = LogConfig::default().with_override(setting.name, setting.value().unwrap());
        assert!(set.is_ok(), "{}: {set:?}", setting.name);
    }
}

#[test]
fn each_refusal_names_the_setting() {
    for (name, value, code) in [
        ("log.retention.ms", "soon", ErrorCode::InvalidConfig),
        ("log.retention.ms", "-2", ErrorCode::InvalidConfig),
        ("message.max.bytes", "9999999999", ErrorCode::InvalidConfig),
        ("log.cleaner.min.cleanable.ratio", "NaN", ErrorCode::InvalidConfig),
        ("log.message.timestamp.type", "Yesterday", ErrorCode::InvalidConfig),
        ("min.insync.replicas", "2", ErrorCode::InvalidConfig),
        ("no.such.setting", "1", ErrorCode::InvalidConfig),
        ("num.partitions", "3", ErrorCode::InvalidRequest),
        ("log.dirs", "/tmp", ErrorCode::InvalidRequest),
        ("compression.type", "none", ErrorCode::InvalidConfig),
        ("compression.zstd.level", "3", ErrorCode::InvalidConfig),
        ("delete.topic.enable", "false", ErrorCode::InvalidRequest),
    ] {
        let error = changed(&[(name, value)]).unwrap_err();
        assert!(error.to_string().contains(name), "{name}={value}: {error}");
        assert_eq!(error.error_code(), code, "{name}={value}: {error}");
    }
}

/// Each alone would break the rule that a batch fits into a segment.
#[test]
fn settings_that_belong_together_change_together() {
    let small = changed(&[("log.segment.bytes", "2048"), ("message.max.bytes", "1024")]).unwrap();
    assert_eq!((small.segment_bytes, small.max_message_bytes), (2048, 1024));
    assert!(changed(&[("log.segment.bytes", "2048")]).is_err());
}

#[test]
fn what_does_not_fit_the_file_is_left_out_and_the_rest_kept() {
    let overrides =
        texts(&[("log.retention.ms", "5"), ("log.segment.bytes", "2048"), ("log.roll.ms", "7"), ("x", "1")]);
    let overrides: Vec<_> = overrides.iter().collect();
    let config = with_possible_overrides(&config(), &overrides);
    assert_eq!((config.retention_ms, config.segment_ms), (5, 7));
    assert_eq!(config.segment_bytes, self::config().segment_bytes);
}

#[test]
fn a_change_is_in_force_at_once_and_after_a_restart() {
    let fixture = Fixture::new();
    let topic = fixture.logs.create_topic("t", 1, Texts::new()).unwrap();
    fixture.set(Scope::Broker, &[("log.retention.ms", "1000")]).unwrap();
    assert_eq!((fixture.retention_ms(), topic.partitions()[0].config().retention_ms), (1000, 1000));
    drop(topic);
    let fixture = fixture.restarted();
    assert_eq!(fixture.retention_ms(), 1000);
    fixture.set(Scope::Broker, &[]).unwrap();
    assert_eq!(fixture.retention_ms(), config().retention_ms);
}

#[test]
fn this_broker_wins_over_all_brokers_and_both_over_the_default() {
    let fixture = Fixture::new();
    let name = "log.retention.ms";
    assert_eq!(fixture.described(name), ("604800000".to_owned(), vec![Place::Default]));
    fixture.set(Scope::Default, &[(name, "2000")]).unwrap();
    let places = vec![Place::DynamicDefault, Place::Default];
    assert_eq!(fixture.described(name), ("2000".to_owned(), places));
    fixture.set(Scope::Broker, &[(name, "1000")]).unwrap();
    let places = vec![Place::DynamicBroker, Place::DynamicDefault, Place::Default];
    assert_eq!(fixture.described(name), ("1000".to_owned(), places));
    assert_eq!(fixture.retention_ms(), 1000);
    let of_all = fixture.settings.describe().all_brokers();
    assert_eq!(
        of_all.iter().map(|setting| (setting.name, setting.value())).collect::<Vec<_>>(),
        [(name, Some("2000"))]
    );
    let of_topic = fixture.settings.describe().topic(&texts(&[("retention.ms", "5")]));
    let retention = of_topic.iter().find(|setting| setting.name == "retention.ms").unwrap();
    assert_eq!((retention.value(), retention.place(), retention.origins.len()), (Some("5"), Place::Topic, 4));
}

#[test]
fn a_dry_run_and_a_refusal_change_nothing() {
    let fixture = Fixture::new();
    let change = |_: &Texts| Ok(texts(&[("log.retention.ms", "1")]));
    fixture.settings.alter(&fixture.logs, Scope::Broker, true, change).unwrap();
    fixture.set(Scope::Broker, &[("log.retention.ms", "1"), ("log.roll.ms", "0")]).unwrap_err();
    assert_eq!(fixture.retention_ms(), config().retention_ms);
    assert!(!fixture.dir.path().join("dynamic-config.json").exists());
}

/// A topic's own settings and the broker's must go together, or the topic could not be opened again.
#[test]
fn a_change_that_contradicts_a_topic_is_refused() {
    let fixture = Fixture::new();
    fixture.logs.create_topic("t", 1, texts(&[("min.compaction.lag.ms", "1000")])).unwrap();
    let failure = fixture.set(Scope::Broker, &[("log.cleaner.max.compaction.lag.ms", "10")]).unwrap_err();
    assert_eq!(failure.code, ErrorCode::InvalidConfig);
    assert!(fixture.restarted().described("log.cleaner.max.compaction.lag.ms").1.len() == 1);
}

#[test]
fn a_file_that_cannot_be_understood_stops_the_start() {
    for content in ["{", "{}", r#"{"version": 2, "default": {}, "broker": {}}"#] {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("dynamic-config.json"), content).unwrap();
        let opened = DynamicSettings::open(Arc::new(RealDisk), dir.path(), Live::fixed(config()));
        assert!(opened.unwrap_err().to_string().contains("dynamic-config.json"), "{content}");
    }
}

#[tokio::test]
async fn a_reload_of_the_file_keeps_what_was_changed_by_request() {
    let fixture = Fixture::new();
    let (change, file) = Live::changing(config());
    let dir = fixture.dir.path();
    let settings = Arc::new(DynamicSettings::open(Arc::new(RealDisk), dir, file).unwrap());
    let altered = |_: &Texts| Ok(texts(&[("log.retention.ms", "1000")]));
    settings.alter(&fixture.logs, Scope::Broker, false, altered).unwrap();
    let mut live = settings.live();
    assert_eq!(live.changed().await.retention_ms, 1000);
    let stop = CancellationToken::new();
    let (following, until) = (settings.clone(), stop.clone());
    let follower = tokio::spawn(async move { following.follow(until).await });
    change.set(Config { retention_ms: 5, segment_ms: 7, ..config() });
    let now = live.changed().await;
    assert_eq!((now.retention_ms, now.segment_ms), (1000, 7));
    stop.cancel();
    follower.await.unwrap();
}

#[test]
fn operations_have_kafkas_numbers() {
    let all = [Operation::Set, Operation::Delete, Operation::Append, Operation::Subtract];
    assert_eq!((0..4).map(Operation::from_number).collect::<Vec<_>>(), all.map(Some));
    assert_eq!([Operation::from_number(4), Operation::from_number(-1)], [None, None]);
}
