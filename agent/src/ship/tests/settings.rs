//! The shipped settings are valid, and each rule names its key.

use super::super::Config;

const SHIPPED: &str = include_str!("../../../../configs/agent.yaml");

#[derive(serde::Deserialize)]
struct Document {
    ship: Config,
}

/// The `ship` section of the shipped file.
pub(super) fn shipped() -> Config {
    serde_yaml::from_str::<Document>(SHIPPED).unwrap().ship
}

#[test]
fn the_shipped_settings_are_valid() {
    assert_eq!(shipped().validate(), Ok(()));
}

/// A key and what makes its value wrong.
type Broken = (&'static str, fn(&mut Config));

#[test]
fn each_rule_names_its_key() {
    let broken: [Broken; 12] = [
        ("bootstrap_servers", |config| config.bootstrap_servers = " , ".to_owned()),
        ("bootstrap_servers", |config| config.bootstrap_servers = "localhost".to_owned()),
        ("bootstrap_servers", |config| config.bootstrap_servers = "localhost:99999".to_owned()),
        ("compression", |config| config.compression = "brotli".to_owned()),
        ("partition", |config| config.partition = -2),
        ("max_batch_bytes", |config| config.max_batch_bytes = 10),
        ("max_in_flight", |config| config.max_in_flight = 6),
        ("max_in_flight", |config| config.max_in_flight = 0),
        ("buffer_bytes", |config| config.buffer_bytes = config.max_batch_bytes - 1),
        ("max_response_bytes", |config| config.max_response_bytes = 1),
        ("retry_backoff_max_ms", |config| config.retry_backoff_max_ms = 1),
        ("request_timeout_ms", |config| config.request_timeout_ms = 0),
    ];
    for (key, breaking) in broken {
        let mut config = shipped();
        breaking(&mut config);
        let invalid = config.validate().unwrap_err();
        assert_eq!(invalid.key, key);
    }
}

#[test]
fn bootstrap_servers_are_a_comma_list() {
    let config = Config { bootstrap_servers: "a:1, [::1]:2,".to_owned(), ..shipped() };
    assert_eq!(config.validate(), Ok(()));
    assert_eq!(config.bootstrap_servers(), ["a:1", "[::1]:2"]);
}
