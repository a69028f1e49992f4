//! Describing settings: the value, and all places that it may come from.

use super::dynamic::{DynamicSettings, Overrides, Texts};
use super::table::{BROKER, BrokerSetting, Kind, TOPIC, broker_setting};
use super::values::Values;

/// Where a value comes from, by Kafka's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum Place {
    /// The topic's own.
    Topic = 1,
    /// Changed by request, for this broker.
    DynamicBroker = 2,
    /// Changed by request, for all brokers.
    DynamicDefault = 3,
    /// The broker's file, where it differs from the shipped one.
    Static = 4,
    /// The shipped file.
    Default = 5,
}

/// A place that has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) name: &'static str,
    pub(crate) value: Option<String>,
    pub(crate) place: Place,
}

/// A setting with its value.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) read_only: bool,
    pub(crate) documentation: &'static str,
    /// All places that have a value, the one in force first.
    pub(crate) origins: Vec<Origin>,
}

impl Described {
    /// The value in force.
    pub(crate) fn value(&self) -> Option<&str> {
        self.origins.first()?.value.as_deref()
    }

    /// Where the value in force comes from.
    pub(crate) fn place(&self) -> Place {
        self.origins.first().map_or(Place::Default, |origin| origin.place)
    }
}

/// All layers of settings at one moment.
#[derive(Debug)]
pub(crate) struct Layers {
    overrides: Overrides,
    file: Values,
    shipped: Values,
}

impl DynamicSettings {
    /// All layers as they are now.
    pub(crate) fn describe(&self) -> Layers {
        let (overrides, file, shipped) = self.layers();
        Layers { overrides, file, shipped }
    }
}

impl Layers {
    /// The broker's settings.
    pub(crate) fn broker(&self) -> Vec<Described> {
        BROKER.iter().map(|setting| described(setting, self.origins(setting))).collect()
    }

    /// What was set for all brokers.
    pub(crate) fn all_brokers(&self) -> Vec<Described> {
        let set = BROKER.iter().filter(|setting| self.overrides.default.contains_key(setting.name));
        set.map(|setting| {
            let mut origins = self.origins(setting);
            origins.retain(|origin| origin.place == Place::DynamicDefault);
            described(setting, origins)
        })
        .collect()
    }

    /// The settings of a topic that has these of its own.
    pub(crate) fn topic(&self, own: &Texts) -> Vec<Described> {
        let with_own = |setting: &super::table::TopicSetting| {
            let broker = broker_setting(setting.broker)?;
            let value = own.get(setting.name).cloned();
            let first =
                value.map(|value| Origin { name: setting.name, value: Some(value), place: Place::Topic });
            let origins = first.into_iter().chain(self.origins(broker)).collect();
            Some(Described { name: setting.name, read_only: false, ..described(broker, origins) })
        };
        TOPIC.iter().filter_map(with_own).collect()
    }

    fn origins(&self, setting: &BrokerSetting) -> Vec<Origin> {
        let (file, shipped) = (self.file.text(setting), self.shipped.text(setting));
        let origin = |value, place| Origin { name: setting.name, value, place };
        let changed = |texts: &Texts, place| {
            texts.get(setting.name).map(|value| origin(Some(value.trim().to_owned()), place))
        };
        let mut origins: Vec<Origin> = [
            changed(&self.overrides.broker, Place::DynamicBroker),
            changed(&self.overrides.default, Place::DynamicDefault),
            (file != shipped).then(|| origin(file, Place::Static)),
        ]
        .into_iter()
        .flatten()
        .collect();
        origins.push(origin(shipped, Place::Default));
        origins
    }
}

fn described(setting: &BrokerSetting, origins: Vec<Origin>) -> Described {
    Described {
        name: setting.name,
        kind: setting.kind,
        read_only: !setting.dynamic,
        documentation: setting.documentation,
        origins,
    }
}
