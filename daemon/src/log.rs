//! Where log lines go: journald when systemd reads stderr, else stderr as text or JSON, with UTC times.
//!
//! The voice of all rooms: lower case, no full stop, the variable parts as structured fields.

mod repeats;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write, stderr};
use std::str::FromStr;
use std::sync::OnceLock;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use repeats::Repeats;

/// The environment variable that sets the level.
pub const LEVEL_VARIABLE: &str = "LOGAGENT_LOG";

/// What is shown unless asked otherwise.
const DEFAULT_LEVEL: &str = "info";

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// To journald if it reads stderr, else as text.
    #[default]
    Auto,
    /// One line of text for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("{other:?} is none of auto, text, json")),
        }
    }
}

/// What to show, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A level, or directives such as `info,broker=debug`; else [`LEVEL_VARIABLE`]'s, else `info`.
    pub level: Option<String>,
    /// How lines are written.
    pub format: Format,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directives are not understood.
    #[error("cannot understand the log level {level:?}: {reason}")]
    Level {
        /// As it was given.
        level: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It was set up before.
    #[error("logging is set up already")]
    Twice,
}

/// Sets logging up for the process: once, before anything is logged.
///
/// # Errors
/// A level that is not understood, or a second call.
pub fn init(options: &Options) -> Result<(), LogError> {
    let filter = filter(options.level.as_deref(), std::env::var(LEVEL_VARIABLE).ok().as_deref())?;
    let registry = tracing_subscriber::registry().with(filter);
    registry.with(output(options.format)).try_init().map_err(|_| LogError::Twice)
}

fn filter(given: Option<&str>, variable: Option<&str>) -> Result<EnvFilter, LogError> {
    let level = given.or(variable.filter(|level| !level.is_empty())).unwrap_or(DEFAULT_LEVEL);
    let wrong =
        |reason: &dyn Display| LogError::Level { level: level.to_owned(), reason: reason.to_string() };
    EnvFilter::try_new(level).map_err(|error| wrong(&error))
}

type Output = Box<dyn Layer<tracing_subscriber::layer::Layered<EnvFilter, Registry>> + Send + Sync>;

fn output(format: Format) -> Output {
    // When stderr is gone there is nobody to tell: a failed write must not become a panic.
    let text = || tracing_subscriber::fmt::layer().with_writer(|| Stderr).log_internal_errors(false);
    match format {
        Format::Json => text().json().flatten_event(true).with_ansi(false).boxed(),
        Format::Auto if journald_reads_stderr() => match tracing_journald::layer() {
            Ok(layer) => layer.with_syslog_identifier("logagent".to_owned()).with_field_prefix(None).boxed(),
            Err(_) => text().compact().with_ansi(false).boxed(),
        },
        Format::Auto | Format::Text => text().compact().with_ansi(stderr().is_terminal()).boxed(),
    }
}

/// Calls the function it is given, which writes one log line to stderr.
type Wrapper = Box<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

static WRAPPER: OnceLock<Wrapper> = OnceLock::new();

/// Lets `wrapper` do something before and after each line that is written to stderr: take a live status line away and
/// put it back. Only the first call counts.
pub fn wrap_writes(wrapper: impl Fn(&mut dyn FnMut()) + Send + Sync + 'static) {
    let _ = WRAPPER.set(Box::new(wrapper));
}

/// Stderr, through the wrapper.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = Ok(0);
        let mut write = || written = stderr().write(bytes);
        match WRAPPER.get() {
            Some(wrapper) => wrapper(&mut write),
            None => write(),
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// systemd says in `JOURNAL_STREAM` which socket it gave as stderr; a redirected stderr is another one.
fn journald_reads_stderr() -> bool {
    let Some(stream) = std::env::var("JOURNAL_STREAM").ok() else { return false };
    rustix::fs::fstat(stderr()).is_ok_and(|stat| is_stream(&stream, stat.st_dev, stat.st_ino))
}

fn is_stream(stream: &str, device: u64, inode: u64) -> bool {
    stream.split_once(':').is_some_and(|(stream_device, stream_inode)| {
        stream_device.parse() == Ok(device) && stream_inode.parse() == Ok(inode)
    })
}

#[cfg(test)]
mod tests;
