//! What producers are told: where their records are, or why they are not there.

use wire::ErrorCode;
use wire::message::produce::{BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceResponse};
use wire::record::RecordError;

use crate::log::{AppendError, Appended, RefusedRecord};
use crate::state::Broker;

/// The first version whose clients know error 56.
const KNOWS_STORAGE_ERROR: i16 = 4;

/// Why records were not appended, or not made durable.
#[derive(Debug)]
pub(super) struct Failure {
    code: ErrorCode,
    message: Option<String>,
    /// The records that are to blame, where it is single ones.
    records: Vec<RefusedRecord>,
}

impl Failure {
    pub(super) fn new(code: ErrorCode, message: String) -> Self {
        Failure { code, message: Some(message), records: Vec::new() }
    }

    /// Names no more records than may be named in the rest of the answer. What is not named is refused all the same.
    pub(super) fn name_at_most(&mut self, nameable: &mut usize) {
        self.records.truncate(*nameable);
        *nameable = nameable.saturating_sub(self.records.len());
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Failure { code, message: None, records: Vec::new() }
    }
}

/// Why a message set cannot be converted.
impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        tracing::debug!(%error, "messages refused");
        Failure::new(error.code(), error.to_string())
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        tracing::debug!(%error, "records refused");
        let failure = Failure::new(error.error_code(), error.to_string());
        match error {
            AppendError::InvalidRecords(refused) => Failure { records: refused.first, ..failure },
            _ => failure,
        }
    }
}

pub(super) fn answer(
    version: i16,
    index: i32,
    appended: Result<Appended, Failure>,
) -> PartitionProduceResponse {
    match appended {
        Ok(appended) => PartitionProduceResponse {
            index,
            base_offset: appended.base_offset,
            log_append_time_ms: appended.log_append_time,
            log_start_offset: appended.log_start_offset,
            ..Default::default()
        },
        Err(Failure { code, message, records }) => PartitionProduceResponse {
            index,
            error_code: told(version, code).code(),
            base_offset: -1,
            record_errors: records.iter().map(record_error).collect(),
            error_message: message.or_else(|| Some(code.message().to_owned())),
            ..Default::default()
        },
    }
}

fn record_error(refused: &RefusedRecord) -> BatchIndexAndErrorMessage {
    BatchIndexAndErrorMessage {
        batch_index: refused.batch_index,
        batch_index_error_message: Some(refused.rule.to_string()),
    }
}

/// The error as the client knows it.
fn told(version: i16, error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::KafkaStorageError if version < KNOWS_STORAGE_ERROR => ErrorCode::NotLeaderOrFollower,
        error => error,
    }
}

fn errors(response: &ProduceResponse) -> impl Iterator<Item = ErrorCode> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    partitions
        .filter(|partition| partition.error_code != 0)
        .map(|partition| ErrorCode::from_code(partition.error_code))
}

pub(super) fn first_error(response: &ProduceResponse) -> Option<ErrorCode> {
    errors(response).next()
}

pub(super) fn count_errors(broker: &Broker, response: &ProduceResponse) {
    for error in errors(response) {
        broker.metrics.produce_error(error);
    }
}
