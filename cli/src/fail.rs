//! How a command fails: one sentence, its cause, and what to do about it.

use std::error::Error;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It went wrong.
    Failed { message: String, remedy: Option<String> },
    /// It was asked for something that makes no sense.
    Usage(String),
    /// Nobody reads the output any more (`| head`): no reason to complain.
    OutputClosed,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), remedy: None }
    }

    /// With what the operator can do.
    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Self {
        match self {
            Self::Failed { message, .. } => Self::Failed { message, remedy: Some(remedy.into()) },
            other => other,
        }
    }

    /// Says so on stderr.
    pub(crate) fn report(&self) -> ExitCode {
        let (code, text) = match self {
            Self::OutputClosed => return ExitCode::SUCCESS,
            Self::Usage(message) => (2, format!("error: {message}\n\nFor more information, try '--help'.\n")),
            Self::Failed { message, remedy: None } => (1, format!("error: {message}\n")),
            Self::Failed { message, remedy: Some(remedy) } => {
                (1, format!("error: {message}\nhint: {remedy}\n"))
            }
        };
        // If stderr is gone too, the exit code still tells.
        let _ = std::io::stderr().write_all(text.as_bytes());
        ExitCode::from(code)
    }
}

/// Turns errors into failures.
pub(crate) trait OrFail<T> {
    /// `what` is the sentence's beginning: `cannot read the collect list`.
    fn or_fail(self, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Error> OrFail<T> for Result<T, E> {
    fn or_fail(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{what}: {}", chain(&error))))
    }
}

/// An error and its causes, without those that its own text repeats.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
