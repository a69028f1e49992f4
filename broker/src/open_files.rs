//! How many files the process may have open: as many as the kernel lets it, and a word if the settings promise more.
//!
//! A partition takes one, another with each further segment, and two more while its indexes are written to; a connection takes
//! one. A service manager usually gives a low limit that a process may raise by itself, for the sake of programs that cannot count
//! beyond 1,024, and a high one beyond which it may not.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Files that are neither a partition's nor a connection's: the listener, checkpoints, what is being written anew.
const OTHERS: u64 = 256;

/// Raises the limit, and warns when it is lower than what the settings allow.
pub(crate) fn prepare(settings: &Config) {
    let limit = raise();
    let wanted = wanted(settings);
    if limit < wanted {
        tracing::warn!(
            limit,
            wanted,
            "max_partitions and max_connections allow more open files than the process may have: raise LimitNOFILE"
        );
    }
}

/// What the settings allow, with one segment for each partition.
fn wanted(settings: &Config) -> u64 {
    let counted = settings.max_partitions.saturating_add(settings.max_connections);
    u64::try_from(counted).unwrap_or(u64::MAX).saturating_add(OTHERS)
}

/// Raises the limit as far as it goes, and returns it.
fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if soft >= hard {
        return soft;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => hard,
        Err(error) => {
            tracing::debug!(%error, soft, hard, "cannot raise the limit of open files");
            soft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::raise;

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes_and_stays_there() {
        let limit = raise();
        assert_eq!(raise(), limit);
        let now = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        assert_eq!(now.current.unwrap_or(u64::MAX), limit);
    }
}
