//! The files of producers: their form, and whether the newest one agrees with the log.

use std::collections::HashMap;
use std::path::Path;

use wire::record::BatchHeader;

use super::{Severity, Verifier, VerifyError};
use crate::log::disk::read_file;
use crate::log::producer::entries::{self, Entry};
use crate::log::producer::snapshot;

const REMADE: &str =
    "delete it while the broker is stopped: producers are found again in an older snapshot and the log";

/// What the newest snapshot says of batches, by their last offsets.
#[derive(Debug, Default)]
pub(super) struct Claims {
    entries: HashMap<i64, Entry>,
    /// The first claim that a batch contradicts.
    wrong: Option<String>,
}

impl Claims {
    pub(super) fn meet(&mut self, header: &BatchHeader) {
        let Some(claim) = self.entries.remove(&header.last_offset()) else { return };
        let says = (claim.producer_id, claim.producer_epoch, claim.last_sequence);
        let is = (header.producer_id, header.producer_epoch, header.last_sequence());
        if says != is {
            self.wrong.get_or_insert(format!(
                "it says that the batch that ends with offset {} is of producer {}, epoch {}, sequence {}, and there \
                 producer {}, epoch {}, sequence {} has written",
                claim.last_offset, says.0, says.1, says.2, is.0, is.1, is.2
            ));
        }
    }
}

impl Verifier<'_> {
    /// Checks the snapshots' form; what the newest says is to be compared with the log.
    pub(super) fn snapshots(&mut self, dir: &Path) -> Result<Claims, VerifyError> {
        let mut claims = Claims::default();
        for (number, offset) in snapshot::list(dir)?.into_iter().enumerate() {
            let path = snapshot::path(dir, offset);
            let bytes = read_file(&path)?.unwrap_or_default();
            match entries::parse(&bytes) {
                Ok(entries) if number == 0 => {
                    let entries: Vec<_> = entries.collect();
                    if let Some(late) = entries.iter().find(|entry| entry.last_offset >= offset) {
                        let problem =
                            format!("it describes the log before {offset} and names {}", late.last_offset);
                        self.damage(&path, problem, REMADE);
                    }
                    claims.entries = entries.into_iter().map(|entry| (entry.last_offset, entry)).collect();
                }
                Ok(_) => {}
                Err(error) => {
                    // one that is not the newest is not needed
                    let severity = if number == 0 { Severity::Damage } else { Severity::Leftover };
                    self.find(severity, &path, None, error.to_string(), REMADE);
                }
            }
        }
        Ok(claims)
    }

    /// What is left of the claims after the log was read from `start` to `end`.
    pub(super) fn settle(
        &mut self,
        dir: &Path,
        claims: Claims,
        (start, end): (i64, i64),
        gapless: bool,
    ) -> Result<(), VerifyError> {
        let Some(newest) = snapshot::list(dir)?.first().copied() else { return Ok(()) };
        let path = snapshot::path(dir, newest);
        if newest > end {
            let problem = format!("it describes the log before {newest}, which ends at {end}");
            self.damage(
                &path,
                problem,
                "records are lost, or the file is of another log: the broker removes it",
            );
            return Ok(());
        }
        let missing = claims.entries.keys().filter(|last| gapless && (start..end).contains(*last)).min();
        let missing =
            missing.map(|last| format!("it says that a batch ends with offset {last}, and none does"));
        if let Some(problem) = claims.wrong.or(missing) {
            self.damage(&path, problem, REMADE);
        }
        Ok(())
    }
}
