//! The broker's settings that were changed by request. They lie above the broker's file, and survive a restart in
//! `dynamic-config.json` of the data directory:
//!
//! ```json
//! { "version": 1, "default": { "log.retention.ms": "86400000" }, "broker": {} }
//! ```
//!
//! `default` holds what was set for all brokers, `broker` what was set for this one, which wins; names are Kafka's. Write:
//! whole, atomically, before a change is in force. A setting that no longer fits the broker's file is logged and left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use daemon::config::{Change, Live, Section, Source};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::values::{Values, with_overrides, with_possible_overrides};
use crate::config::Config;
use crate::error::Failure;
use crate::log::{Disk, LogManager, StorageError, read_file, replace_file};

/// The file's name.
pub(crate) const FILE: &str = "dynamic-config.json";
const VERSION: u32 = 1;

/// Settings by Kafka's names.
pub(crate) type Texts = BTreeMap<String, String>;

/// For whom a setting is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All brokers of the cluster.
    Default,
    /// This one.
    Broker,
}

/// The settings that were changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Overrides {
    pub(super) default: Texts,
    pub(super) broker: Texts,
}

impl Overrides {
    pub(crate) fn of(&self, scope: Scope) -> &Texts {
        match scope {
            Scope::Default => &self.default,
            Scope::Broker => &self.broker,
        }
    }

    /// All of them, the ones that win last.
    fn in_order(&self) -> Vec<(&String, &String)> {
        self.default.iter().chain(&self.broker).collect()
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    #[serde(flatten)]
    overrides: Overrides,
}

/// The broker's file with the dynamic settings above it.
#[derive(Debug)]
pub(crate) struct DynamicSettings {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Live<Config>,
    shipped: Values,
    overrides: Mutex<Overrides>,
    change: Change<Config>,
    in_force: Live<Config>,
}

impl DynamicSettings {
    /// Reads the settings of a data directory, which need not exist.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        data_dir: &Path,
        file: Live<Config>,
    ) -> Result<Self, StorageError> {
        let path = data_dir.join(FILE);
        let overrides = load(&path)?;
        let config = with_possible_overrides(&file.current(), &overrides.in_order());
        let (change, in_force) = Live::changing(config);
        let shipped = Source::new(Config::DEFAULTS).load::<Config>();
        let shipped = shipped.map_or_else(|_| Values::of(&file.current()), |shipped| Values::of(&shipped));
        Ok(DynamicSettings { disk, path, file, shipped, overrides: Mutex::new(overrides), change, in_force })
    }

    /// The settings in force.
    pub(crate) fn live(&self) -> Live<Config> {
        self.in_force.clone()
    }

    /// Keeps what is in force true to the broker's file, which may be loaded again, until `stop`.
    pub(crate) async fn follow(&self, stop: CancellationToken) {
        let mut file = self.file.clone();
        loop {
            let config = tokio::select! {
                () = stop.cancelled() => return,
                config = file.changed() => config,
            };
            let overrides = self.overrides.lock();
            self.change.set(with_possible_overrides(&config, &overrides.in_order()));
        }
    }

    /// Replaces the settings of `scope` by what `change` makes of them; checks only with `validate_only`. They are in
    /// force and durable when it returns. Nothing else changes them meanwhile.
    pub(crate) fn alter(
        &self,
        logs: &LogManager,
        scope: Scope,
        validate_only: bool,
        change: impl FnOnce(&Texts) -> Result<Texts, Failure>,
    ) -> Result<(), Failure> {
        let mut overrides = self.overrides.lock();
        let texts = change(overrides.of(scope))?;
        let changed = match scope {
            Scope::Default => Overrides { default: texts, ..overrides.clone() },
            Scope::Broker => Overrides { broker: texts, ..overrides.clone() },
        };
        let config = with_overrides(&self.file.current(), changed.in_order())?;
        logs.check_defaults(&config.log())?;
        if validate_only {
            return Ok(());
        }
        self.store(&changed)?;
        logs.set_defaults(config.log())?;
        *overrides = changed;
        self.change.set(config);
        tracing::info!(?scope, "settings of the broker are in force");
        Ok(())
    }

    /// The settings that were changed, the values of the broker's file, and those of the shipped one.
    pub(super) fn layers(&self) -> (Overrides, Values, Values) {
        (self.overrides.lock().clone(), Values::of(&self.file.current()), self.shipped.clone())
    }

    fn store(&self, overrides: &Overrides) -> Result<(), StorageError> {
        let content = Content { version: VERSION, overrides: overrides.clone() };
        let json = serde_json::to_vec_pretty(&content)
            .map_err(|error| StorageError::io("encode", &self.path, error.into()))?;
        replace_file(self.disk.as_ref(), &self.path, &json)
    }
}

fn load(path: &Path) -> Result<Overrides, StorageError> {
    let Some(bytes) = read_file(path)? else { return Ok(Overrides::default()) };
    let failed = |source| StorageError::io("understand", path, source);
    let content: Content = serde_json::from_slice(&bytes).map_err(|error| failed(error.into()))?;
    if content.version != VERSION {
        let newer = format!("its version is {}, not {VERSION}", content.version);
        return Err(failed(std::io::Error::other(newer)));
    }
    Ok(content.overrides)
}
