//! The configuration in force, and how it changes while the process runs.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{ConfigError, Section};

/// The configuration in force. Clones see the same one, and each sees every change once.
#[derive(Clone, Debug)]
pub struct Live<T> {
    current: watch::Receiver<Arc<T>>,
}

impl<T> Live<T> {
    /// One that never changes.
    pub fn fixed(value: T) -> Self {
        Self::changing(value).1
    }

    /// One that is changed by hand.
    pub fn changing(value: T) -> (Change<T>, Self) {
        let (sender, current) = watch::channel(Arc::new(value));
        (Change { sender }, Self { current })
    }

    /// What is in force now.
    pub fn current(&self) -> Arc<T> {
        self.current.borrow().clone()
    }

    /// Returns when there is another than this handle saw last; never, if it cannot change.
    pub async fn changed(&mut self) -> Arc<T> {
        if self.current.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.current.borrow_and_update().clone()
    }
}

/// Puts another configuration in force.
#[derive(Debug)]
pub struct Change<T> {
    sender: watch::Sender<Arc<T>>,
}

impl<T: PartialEq> Change<T> {
    /// Whether it differs from the one in force, which only then is replaced.
    pub fn set(&self, value: T) -> bool {
        self.sender.send_if_modified(|current| {
            let differs = **current != value;
            if differs {
                *current = Arc::new(value);
            }
            differs
        })
    }
}

/// Puts a loaded configuration in force; says whether it differs.
type Commit = Box<dyn FnOnce() -> bool + Send>;
type Prepare = Box<dyn Fn() -> Result<Commit, ConfigError> + Send + Sync>;

/// Everything that a SIGHUP loads again. Either all of it takes effect or, if anything is wrong, none.
#[derive(Clone, Default)]
pub struct Reloads {
    prepares: Arc<Mutex<Vec<Prepare>>>,
}

impl std::fmt::Debug for Reloads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloads").field("count", &self.prepares.lock().len()).finish()
    }
}

impl Reloads {
    /// Loads a configuration now, and again at each reload.
    ///
    /// # Errors
    /// What `load` says now.
    pub fn live<T: Section>(
        &self,
        load: impl Fn() -> Result<T, ConfigError> + Send + Sync + 'static,
    ) -> Result<Live<T>, ConfigError> {
        let (change, live) = Live::changing(load()?);
        let change = Arc::new(change);
        self.prepares.lock().push(Box::new(move || {
            let (value, change) = (load()?, change.clone());
            Ok(Box::new(move || change.set(value)))
        }));
        Ok(live)
    }

    /// Loads everything again.
    ///
    /// # Errors
    /// The first problem; then everything stays as it was.
    pub fn reload(&self) -> Result<bool, ConfigError> {
        let commits = self.prepares.lock().iter().map(|prepare| prepare()).collect::<Result<Vec<_>, _>>()?;
        Ok(commits.into_iter().map(|commit| commit()).filter(|changed| *changed).count() > 0)
    }
}
