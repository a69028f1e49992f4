//! The settings by Kafka's names, as administrators see and change them: those of topics, and those of the broker.
//!
//! | module | owns |
//! |---|---|
//! | `table` | which settings there are, under which key of `configs/broker.yaml`, and whether they can change live |
//! | `values` | their values as text, out of a [`Config`](crate::Config) and into one |
//! | `dynamic` | the broker's settings that were changed by request, in `dynamic-config.json` |
//! | `describe` | a value with all places that it may come from |
//! | `alter` | changes: which are allowed, and what they come to |
//!
//! A value comes from the first place that has one: the topic, this broker's dynamic settings, the dynamic settings of all
//! brokers, the broker's file, the default.

mod alter;
mod describe;
mod dynamic;
mod table;
#[cfg(test)]
mod tests;
mod values;

use thiserror::Error;
use wire::ErrorCode;

pub(crate) use alter::{Change, Operation, alter, scope};
pub(crate) use describe::{Described, Layers, Origin, Place};
pub(crate) use dynamic::{DynamicSettings, FILE, Scope};

/// Kafka's numbers for what has settings.
pub(crate) mod resource {
    use wire::ErrorCode;

    use crate::error::Failure;

    pub(crate) const TOPIC: i8 = 2;
    pub(crate) const BROKER: i8 = 4;
    const BROKER_LOGGER: i8 = 8;

    /// Why a resource of this kind has no settings here.
    pub(crate) fn refused(kind: i8) -> Failure {
        let message = match kind {
            BROKER_LOGGER => "what the broker logs is set by $LOGAGENT_LOG, not by request".to_owned(),
            kind => {
                format!("resources of type {kind} have no settings here, only topics (2) and brokers (4)")
            }
        };
        Failure::new(ErrorCode::InvalidRequest, message)
    }
}

/// Why a setting of the broker was not changed.
#[derive(Debug, Error)]
pub(crate) enum SettingError {
    /// No such setting.
    #[error("unknown broker setting {0}")]
    Unknown(String),
    /// It takes a restart.
    #[error("{0} cannot be changed while the broker runs")]
    ReadOnly(&'static str),
    /// The text is not a value of the setting.
    #[error("{name} cannot be {value:?}: {reason}")]
    Invalid {
        /// The setting, as Kafka names it.
        name: String,
        /// The text that came.
        value: String,
        /// What it should have been.
        reason: String,
    },
    /// The settings contradict each other.
    #[error("{name} does not fit the other settings: {reason}")]
    Unfit {
        /// The setting, as Kafka names it.
        name: String,
        /// What it should be.
        reason: String,
    },
}

impl SettingError {
    /// The code a client is answered with.
    pub(crate) fn error_code(&self) -> ErrorCode {
        match self {
            SettingError::ReadOnly(_) => ErrorCode::InvalidRequest,
            SettingError::Unknown(_) | SettingError::Invalid { .. } | SettingError::Unfit { .. } => {
                ErrorCode::InvalidConfig
            }
        }
    }
}
