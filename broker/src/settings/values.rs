//! The values of settings as text: out of a configuration, and into one.

use std::collections::BTreeMap;

use daemon::config::Section;
use serde_json::{Map, Number, Value};

use super::SettingError;
use super::table::{BROKER, BrokerSetting, Held, Kind, broker_setting};
use crate::config::Config;

/// The values of a configuration by the keys of `configs/broker.yaml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Values(Map<String, Value>);

impl Values {
    /// The values of `config`.
    pub(crate) fn of(config: &Config) -> Self {
        match serde_json::to_value(config) {
            Ok(Value::Object(values)) => Values(values),
            // a configuration is a map of numbers and texts
            _ => Values::default(),
        }
    }

    /// The value of a setting as Kafka writes it; `None` when it has none.
    pub(crate) fn text(&self, setting: &BrokerSetting) -> Option<String> {
        match setting.held {
            Held::Constant(value) => Some(value.to_owned()),
            Held::Key(key) => self.text_of(key),
            Held::Listener(key) => {
                let address = self.text_of(key).filter(|address| !address.is_empty())?;
                Some(format!("PLAINTEXT://{address}"))
            }
        }
    }

    fn text_of(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// `base` with the settings of `overrides`, given by Kafka's names, all at once.
pub(crate) fn with_overrides<'a>(
    base: &Config,
    overrides: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<Config, SettingError> {
    let mut values = Values::of(base);
    let mut config = base.clone();
    for (name, text) in overrides {
        let setting = broker_setting(name).ok_or_else(|| SettingError::Unknown(name.clone()))?;
        let (Held::Key(key), true) = (setting.held, setting.dynamic) else {
            return Err(SettingError::ReadOnly(setting.name));
        };
        let invalid =
            |reason: String| SettingError::Invalid { name: name.clone(), value: text.clone(), reason };
        let value = parse(setting.kind, text.trim()).map_err(|reason| invalid(reason.to_owned()))?;
        values.0.insert(key.to_owned(), value);
        config = serde_json::from_value(Value::Object(values.0.clone()))
            .map_err(|error| invalid(error.to_string()))?;
    }
    config.validate().map_err(|problem| SettingError::Unfit {
        name: name_of_key(&problem.key).to_owned(),
        reason: problem.rule,
    })?;
    Ok(config)
}

/// As [`with_overrides`], but what cannot be is left out and logged: a broker must start also when its file has changed.
pub(crate) fn with_possible_overrides(base: &Config, overrides: &[(&String, &String)]) -> Config {
    if let Ok(config) = with_overrides(base, overrides.iter().copied()) {
        return config;
    }
    let mut kept: BTreeMap<&String, &String> = BTreeMap::new();
    let mut config = base.clone();
    for &(name, text) in overrides {
        let before = kept.insert(name, text);
        match with_overrides(base, kept.iter().map(|(name, text)| (*name, *text))) {
            Ok(changed) => config = changed,
            Err(error) => {
                tracing::error!(%error, setting = name.as_str(), "a dynamic setting is not in force");
                match before {
                    Some(before) => kept.insert(name, before),
                    None => kept.remove(name),
                };
            }
        }
    }
    config
}

/// Kafka's name of a key, or the key.
fn name_of_key(key: &str) -> &str {
    let named = BROKER.iter().find(|setting| matches!(setting.held, Held::Key(held) if held == key));
    named.map_or(key, |setting| setting.name)
}

fn parse(kind: Kind, text: &str) -> Result<Value, &'static str> {
    let value = match kind {
        Kind::String | Kind::List => Some(Value::String(text.to_owned())),
        Kind::Boolean => text.to_ascii_lowercase().parse().ok().map(Value::Bool),
        Kind::Int => text.parse::<i32>().ok().map(|number| Value::Number(number.into())),
        Kind::Long => text.parse::<i64>().ok().map(|number| Value::Number(number.into())),
        Kind::Double => text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number),
    };
    value.ok_or(match kind {
        Kind::Boolean => "expected true or false",
        Kind::Double => "expected a number",
        _ => "expected a whole number",
    })
}
