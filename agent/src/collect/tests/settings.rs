//! The shipped settings are valid, and each rule names its key.

use super::super::Config;

const SHIPPED: &str = include_str!("../../../../configs/agent.yaml");

#[derive(serde::Deserialize)]
struct Document {
    collect: Config,
}

/// The `collect` section of the shipped file.
pub(super) fn shipped() -> Config {
    serde_yaml::from_str::<Document>(SHIPPED).unwrap().collect
}

#[test]
fn the_shipped_settings_are_valid_and_mean_etcd() {
    let config = shipped();
    assert_eq!(config.validate(), Ok(()));
    assert_eq!(config.file(), None);
    assert_eq!(config.etcd.key("web-1"), "/logagent/web-1/collect_config");
}

/// A key and what makes its value wrong.
type Broken = (&'static str, fn(&mut Config));

#[test]
fn each_rule_names_its_key() {
    let broken: [Broken; 10] = [
        ("file_poll_ms", |config| config.file_poll_ms = 0),
        ("etcd.endpoints", |config| config.etcd.endpoints = " ,".to_owned()),
        ("etcd.endpoints", |config| config.etcd.endpoints = "https://etcd:2379".to_owned()),
        ("etcd.key_prefix", |config| config.etcd.key_prefix = "logagent".to_owned()),
        ("etcd.key_prefix", |config| config.etcd.key_prefix = "/logagent/".to_owned()),
        ("etcd.user", |config| config.etcd.user = "agent".to_owned()),
        ("etcd.timeout_ms", |config| config.etcd.timeout_ms = 0),
        ("etcd.recheck_ms", |config| config.etcd.recheck_ms = 0),
        ("etcd.keep_alive_ms", |config| config.etcd.keep_alive_ms = 0),
        ("etcd.backoff_max_ms", |config| config.etcd.backoff_max_ms = 1),
    ];
    for (key, breaking) in broken {
        let mut config = shipped();
        breaking(&mut config);
        assert_eq!(config.validate().unwrap_err().key, key);
    }
}

#[test]
fn etcd_is_not_looked_at_when_there_is_a_file() {
    let mut config = Config { file: "/etc/logagent/collect.yaml".to_owned(), ..shipped() };
    config.etcd.endpoints.clear();
    assert_eq!(config.validate(), Ok(()));
}
