//! Changing settings, for the APIs that do: what a list of changes comes to, and whose settings may be changed.

use wire::ErrorCode;

use super::dynamic::{Scope, Texts};
use super::resource;
use super::table::{BrokerSetting, Kind, behind_topic_setting, broker_setting};
use crate::error::Failure;
use crate::log::{LogConfigError, TopicError, check_topic_name};
use crate::settings::SettingError;
use crate::state::{Broker, is_internal};

/// What to do with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Give it a value.
    Set,
    /// Take its value away.
    Delete,
    /// Add words to a list.
    Append,
    /// Take words out of a list.
    Subtract,
}

impl Operation {
    /// The operation of Kafka's number.
    pub(crate) fn from_number(number: i8) -> Option<Self> {
        [Self::Set, Self::Delete, Self::Append, Self::Subtract].get(usize::try_from(number).ok()?).copied()
    }
}

/// The change of one setting.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) operation: Operation,
    /// Needed by all operations but one.
    pub(crate) value: Option<String>,
}

/// Changes the settings of a resource, given by Kafka's number and name. With `replace` the changes are all that it has
/// afterwards, else what they do not name stays.
pub(crate) fn alter(
    broker: &Broker,
    (kind, name): (i8, &str),
    replace: bool,
    validate_only: bool,
    changes: &[Change],
) -> Result<(), Failure> {
    check(changes)?;
    let base = |current: &Texts| if replace { Texts::new() } else { current.clone() };
    match kind {
        resource::TOPIC => {
            check_topic_name(name).map_err(|reason| TopicError::InvalidName(name.to_owned(), reason))?;
            let setting = |name: &str| behind_topic_setting(name).ok_or_else(|| unknown_of_topic(name));
            // not inside: whoever changes the broker's settings holds them while the topics are checked
            let defaults = broker.settings.describe().topic(&Texts::new());
            let default = |name: &str| {
                defaults.iter().find(|described| described.name == name)?.value().map(str::to_owned)
            };
            broker.logs.alter_topic(name, validate_only, |current| {
                let changed = applied(base(current), changes, setting, default)?;
                if is_internal(name) && changed.get("cleanup.policy") != current.get("cleanup.policy") {
                    let message = "cleanup.policy of the broker's own topics cannot be changed";
                    return Err(Failure::new(ErrorCode::InvalidConfig, message));
                }
                Ok(changed)
            })
        }
        resource::BROKER => {
            let scope = scope(broker, name)?;
            broker.settings.alter(&broker.logs, scope, validate_only, |current| {
                let setting = |name: &str| changeable(name).map_err(Failure::from);
                // no setting that can be changed is a list
                applied(base(current), changes, setting, |_| None)
            })
        }
        other => Err(resource::refused(other)),
    }
}

/// Which settings a broker's name stands for.
pub(crate) fn scope(broker: &Broker, name: &str) -> Result<Scope, Failure> {
    match name {
        "" => Ok(Scope::Default),
        name if name.parse::<i32>() == Ok(broker.node_id) => Ok(Scope::Broker),
        other => Err(Failure::new(
            ErrorCode::InvalidRequest,
            format!("this is broker {}, or the empty name for all brokers, not {other:?}", broker.node_id),
        )),
    }
}

fn changeable(name: &str) -> Result<&'static BrokerSetting, SettingError> {
    let setting = broker_setting(name).ok_or_else(|| SettingError::Unknown(name.to_owned()))?;
    if setting.dynamic { Ok(setting) } else { Err(SettingError::ReadOnly(setting.name)) }
}

fn unknown_of_topic(name: &str) -> Failure {
    TopicError::from(LogConfigError::Unknown(name.to_owned())).into()
}

/// Refuses changes that contradict each other or lack a value.
fn check(changes: &[Change]) -> Result<(), Failure> {
    let mut names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) =
        names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first())
    {
        let message = format!("{twice} comes more than once");
        return Err(Failure::new(ErrorCode::InvalidRequest, message));
    }
    match changes.iter().find(|change| change.value.is_none() && change.operation != Operation::Delete) {
        Some(change) => {
            let message = format!("{} needs a value, it cannot be null", change.name);
            Err(Failure::new(ErrorCode::InvalidRequest, message))
        }
        None => Ok(()),
    }
}

/// What the changes make of `texts`. `setting` finds what a name stands for, `default` the value of a list that has
/// none yet.
fn applied(
    mut texts: Texts,
    changes: &[Change],
    setting: impl Fn(&str) -> Result<&'static BrokerSetting, Failure>,
    default: impl Fn(&str) -> Option<String>,
) -> Result<Texts, Failure> {
    for Change { name, operation, value } in changes {
        let kind = setting(name)?.kind;
        let value = value.as_deref().unwrap_or_default().trim();
        match operation {
            Operation::Set => {
                texts.insert(name.clone(), value.to_owned());
            }
            Operation::Delete => {
                texts.remove(name);
            }
            Operation::Append | Operation::Subtract if kind != Kind::List => {
                let message = format!("{name} is not a list: it can only be set or deleted");
                return Err(Failure::new(ErrorCode::InvalidConfig, message));
            }
            Operation::Append | Operation::Subtract => {
                let current = texts.get(name).cloned().or_else(|| default(name)).unwrap_or_default();
                texts.insert(name.clone(), relisted(&current, *operation, value));
            }
        }
    }
    Ok(texts)
}

/// A list with words added or taken out.
fn relisted(current: &str, operation: Operation, value: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    let mut list = split(current);
    for word in split(value) {
        let known = list.contains(&word);
        match operation {
            Operation::Append if !known => list.push(word),
            Operation::Subtract => list.retain(|kept| *kept != word),
            _ => {}
        }
    }
    list.join(",")
}
