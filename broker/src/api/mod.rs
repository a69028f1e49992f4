//! The APIs: one file for each, named as Kafka names it, beginning with a table of what is served.
//!
//! A request is begun as soon as it has been read, and [`begin`] gives its memory back before anything waits: what a
//! handler keeps of a request it has copied. The futures may be dropped at any await when the client goes away.
//!
//! What is not served (an unknown API or version, a frame that cannot be decoded) closes the connection, as Kafka does
//! it: there is no telling how the client would read an answer. ApiVersions alone is answered in any version.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use thiserror::Error;
use wire::codec::{DecodeError, EncodeError, Reader};
use wire::frame;
use wire::message::Request;
use wire::{ApiKey, ErrorCode};

use crate::group::Caller;
use crate::server::clients::Connected;
use crate::server::send::Reply;
use crate::state::Broker;

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod alter_partition_reassignments;
mod api_versions;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod describe_transactions;
mod elect_leaders;
mod end_txn;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sync_group;
mod txn_offset_commit;
mod write_txn_markers;

pub(crate) use fetch::Conversions;

/// Who sent a request, and how it reached us.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The client's address.
    pub(crate) address: SocketAddr,
    /// Our address, as this client used it.
    pub(crate) local: SocketAddr,
    /// What is shown of the connection.
    pub(crate) connected: Arc<Connected>,
}

/// What surrounds a request's body.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    /// The name the client gives itself.
    pub(crate) client_id: Option<String>,
    /// Where it comes from.
    pub(crate) client_host: IpAddr,
    /// Our address, as this client used it.
    pub(crate) local: SocketAddr,
    /// The version in which the request was sent and will be answered.
    pub(crate) version: i16,
    correlation_id: i32,
}

/// A request that has been begun.
pub(crate) enum Work {
    /// It is done; `None` when nothing is answered.
    Done(Option<Reply>),
    /// Its response will come.
    Pending(BoxFuture<'static, Result<Reply, Refusal>>),
}

/// Why a connection is closed instead of a request answered.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// Not a request.
    #[error("the request's header cannot be read: {0}")]
    Header(#[source] DecodeError),
    /// Nothing we serve.
    #[error("version {version} of API {api} is not served")]
    Unsupported {
        /// The API's number.
        api: i16,
        /// The version asked for.
        version: i16,
    },
    /// The request is broken.
    #[error("{api:?} version {version} cannot be read: {source}")]
    Body {
        /// The API.
        api: ApiKey,
        /// Its version.
        version: i16,
        /// What is wrong.
        source: DecodeError,
    },
    /// The request asks for more than may be asked.
    #[error("{api:?} names more than max_request_partitions partitions")]
    TooManyPartitions {
        /// The API.
        api: ApiKey,
    },
    /// The response has a value that the version cannot express: a mistake of ours.
    #[error("the response to {api:?} version {version} cannot be written: {source}")]
    Response {
        /// The API.
        api: ApiKey,
        /// Its version.
        version: i16,
        /// What is wrong.
        source: EncodeError,
    },
    /// Records sent with acks=0 were not appended. Closing is the only way to let the client know.
    #[error("records sent with acks=0 were refused: {0}")]
    Unacknowledged(ErrorCode),
    /// The handler died: a mistake of ours.
    #[error("the request's handler failed: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

/// What is served: the API, its lowest and its highest version. The order is that of the announcement.
pub(crate) const SERVED: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 0, 11),
    (ApiKey::Fetch, 0, 17),
    (ApiKey::ListOffsets, 0, 9),
    (ApiKey::Metadata, 0, 12),
    (ApiKey::OffsetCommit, 0, 9),
    (ApiKey::OffsetFetch, 0, 9),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 5),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 0, 7),
    (ApiKey::DeleteTopics, 0, 6),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::OffsetForLeaderEpoch, 0, 4),
    (ApiKey::AddPartitionsToTxn, 0, 5),
    (ApiKey::AddOffsetsToTxn, 0, 4),
    (ApiKey::EndTxn, 0, 4),
    (ApiKey::WriteTxnMarkers, 0, 1),
    (ApiKey::TxnOffsetCommit, 0, 4),
    (ApiKey::DescribeConfigs, 0, 4),
    (ApiKey::AlterConfigs, 0, 2),
    (ApiKey::DescribeLogDirs, 0, 4),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::ElectLeaders, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::AlterPartitionReassignments, 0, 0),
    (ApiKey::ListPartitionReassignments, 0, 0),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeCluster, 0, 1),
    (ApiKey::DescribeProducers, 0, 0),
    (ApiKey::DescribeTransactions, 0, 0),
    (ApiKey::ListTransactions, 0, 1),
    (ApiKey::ConsumerGroupHeartbeat, 0, 1),
    (ApiKey::ConsumerGroupDescribe, 0, 1),
    (ApiKey::DescribeTopicPartitions, 0, 0),
];

/// Whether this request may be begun while others of the connection are in progress: Produce only.
pub(crate) fn overlaps(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&ApiKey::Produce.code().to_be_bytes())
}

/// Begins to serve a request. Returns its buffer too, unless something still uses it.
pub(crate) fn begin(
    broker: &Arc<Broker>,
    client: &Client,
    frame: Bytes,
) -> Result<(Work, Option<BytesMut>), Refusal> {
    let (header, body) = frame::decode_request_header(frame.clone()).map_err(Refusal::Header)?;
    let unsupported = Refusal::Unsupported { api: header.api_key, version: header.api_version };
    let Ok(key) = ApiKey::try_from(header.api_key) else { return Err(unsupported) };
    client.connected.name(header.client_id.as_deref());
    let context = RequestContext {
        client_id: header.client_id,
        client_host: client.address.ip().to_canonical(),
        local: client.local,
        version: header.api_version,
        correlation_id: header.correlation_id,
    };
    broker.metrics.request(key);
    let incoming = Incoming { broker, client, key, context, body };
    if !is_served(key, header.api_version) {
        return match key {
            ApiKey::ApiVersions => {
                Ok((api_versions::unsupported(&incoming.context)?, frame.try_into_mut().ok()))
            }
            _ => Err(unsupported),
        };
    }
    if key == ApiKey::Produce {
        return produce::begin(incoming, frame);
    }
    let work = incoming.dispatch()?;
    Ok((work, frame.try_into_mut().ok()))
}

fn is_served(key: ApiKey, version: i16) -> bool {
    SERVED.iter().any(|(served, min, max)| *served == key && (*min..=*max).contains(&version))
}

/// A request whose body is still to be decoded.
struct Incoming<'a> {
    broker: &'a Arc<Broker>,
    client: &'a Client,
    key: ApiKey,
    context: RequestContext,
    body: Reader,
}

impl Incoming<'_> {
    fn dispatch(self) -> Result<Work, Refusal> {
        match self.key {
            ApiKey::ApiVersions => api_versions::begin(self),
            ApiKey::Metadata => metadata::begin(self),
            ApiKey::Fetch => fetch::begin(self),
            ApiKey::ListOffsets => self.blocking(list_offsets::serve),
            ApiKey::FindCoordinator => find_coordinator::begin(self),
            ApiKey::CreateTopics => self.blocking(create_topics::serve),
            ApiKey::DeleteTopics => self.blocking(delete_topics::serve),
            ApiKey::InitProducerId => self.blocking(init_producer_id::serve),
            ApiKey::AddPartitionsToTxn => self.blocking(add_partitions_to_txn::serve),
            ApiKey::AddOffsetsToTxn => self.blocking(add_offsets_to_txn::serve),
            ApiKey::EndTxn => self.blocking(end_txn::serve),
            ApiKey::WriteTxnMarkers => self.blocking(write_txn_markers::serve),
            ApiKey::TxnOffsetCommit => self.waiting(txn_offset_commit::serve),
            ApiKey::DescribeTransactions => self.now(describe_transactions::serve),
            ApiKey::ListTransactions => self.now(list_transactions::serve),
            ApiKey::OffsetCommit => self.waiting(offset_commit::serve),
            ApiKey::OffsetFetch => self.now(offset_fetch::serve),
            ApiKey::JoinGroup => self.waiting(join_group::serve),
            ApiKey::Heartbeat => self.now(heartbeat::serve),
            ApiKey::LeaveGroup => self.blocking(leave_group::serve),
            ApiKey::SyncGroup => self.waiting(sync_group::serve),
            ApiKey::DescribeGroups => self.now(describe_groups::serve),
            ApiKey::ListGroups => self.now(list_groups::serve),
            ApiKey::ConsumerGroupHeartbeat => {
                self.bounded_waiting(consumer_group_heartbeat::named, consumer_group_heartbeat::serve)
            }
            _ => self.dispatch_admin(),
        }
    }

    /// The APIs of administrators. What a request may name is bounded by `max_request_partitions`.
    fn dispatch_admin(self) -> Result<Work, Refusal> {
        match self.key {
            ApiKey::DeleteRecords => self.bounded(delete_records::named, delete_records::serve),
            ApiKey::OffsetForLeaderEpoch => {
                self.bounded(offset_for_leader_epoch::named, offset_for_leader_epoch::serve)
            }
            ApiKey::DescribeConfigs => self.bounded(describe_configs::named, describe_configs::serve),
            ApiKey::AlterConfigs => self.bounded(alter_configs::named, alter_configs::serve),
            ApiKey::DescribeLogDirs => self.bounded(describe_log_dirs::named, describe_log_dirs::serve),
            ApiKey::CreatePartitions => self.bounded(create_partitions::named, create_partitions::serve),
            ApiKey::DeleteGroups => self.bounded_waiting(delete_groups::named, delete_groups::serve),
            ApiKey::ElectLeaders => self.bounded(elect_leaders::named, elect_leaders::serve),
            ApiKey::IncrementalAlterConfigs => {
                self.bounded(incremental_alter_configs::named, incremental_alter_configs::serve)
            }
            ApiKey::AlterPartitionReassignments => {
                self.bounded(alter_partition_reassignments::named, alter_partition_reassignments::serve)
            }
            ApiKey::ListPartitionReassignments => self.now(list_partition_reassignments::serve),
            ApiKey::OffsetDelete => self.bounded_waiting(offset_delete::named, offset_delete::serve),
            ApiKey::ConsumerGroupDescribe => {
                self.bounded(consumer_group_describe::named, consumer_group_describe::serve)
            }
            ApiKey::DescribeCluster => self.now(describe_cluster::serve),
            ApiKey::DescribeProducers => self.bounded(describe_producers::named, describe_producers::serve),
            ApiKey::DescribeTopicPartitions => {
                self.bounded(describe_topic_partitions::named, describe_topic_partitions::serve)
            }
            _ => Err(Refusal::Unsupported { api: self.key.code(), version: self.context.version }),
        }
    }

    /// Decodes the body, and gives the memory of the frame up.
    fn decode<R: Request>(&mut self) -> Result<R, Refusal> {
        let mut body = std::mem::replace(&mut self.body, Reader::new(Bytes::new()));
        let (api, version) = (self.key, self.context.version);
        R::decode(&mut body, version).map_err(|source| Refusal::Body { api, version, source })
    }

    /// Decodes a request that may name only so many things, as each costs more to answer than to name.
    fn decode_bounded<R: Request>(&mut self, named: impl Fn(&R) -> usize) -> Result<R, Refusal> {
        let request = self.decode::<R>()?;
        if named(&request) > self.broker.config.current().max_request_partitions {
            return Err(Refusal::TooManyPartitions { api: self.key });
        }
        Ok(request)
    }

    /// As [`blocking`](Self::blocking), for what is bounded.
    fn bounded<R: Request + Send + 'static>(
        mut self,
        named: impl Fn(&R) -> usize,
        serve: impl FnOnce(&Broker, &RequestContext, R) -> R::Response + Send + 'static,
    ) -> Result<Work, Refusal> {
        let request = self.decode_bounded(named)?;
        Ok(self.answer_blocking(request, serve))
    }

    /// As [`waiting`](Self::waiting), for what is bounded.
    fn bounded_waiting<R, F>(
        mut self,
        named: impl Fn(&R) -> usize,
        serve: impl FnOnce(Arc<Broker>, RequestContext, R) -> F,
    ) -> Result<Work, Refusal>
    where
        R: Request,
        F: Future<Output = R::Response> + Send + 'static,
    {
        let request = self.decode_bounded(named)?;
        Ok(self.answer_later(request, serve))
    }

    /// Serves a request that needs nothing but memory.
    fn now<R: Request>(
        mut self,
        serve: impl FnOnce(&Broker, &RequestContext, R) -> R::Response,
    ) -> Result<Work, Refusal> {
        let request = self.decode::<R>()?;
        self.answer(request, serve)
    }

    /// Serves a request that reads or writes files, on a thread that may block.
    fn blocking<R: Request + Send + 'static>(
        mut self,
        serve: impl FnOnce(&Broker, &RequestContext, R) -> R::Response + Send + 'static,
    ) -> Result<Work, Refusal> {
        let request = self.decode::<R>()?;
        Ok(self.answer_blocking(request, serve))
    }

    /// Serves a request whose response waits for other clients or for the disk.
    fn waiting<R, F>(
        mut self,
        serve: impl FnOnce(Arc<Broker>, RequestContext, R) -> F,
    ) -> Result<Work, Refusal>
    where
        R: Request,
        F: Future<Output = R::Response> + Send + 'static,
    {
        let request = self.decode::<R>()?;
        Ok(self.answer_later(request, serve))
    }

    fn answer<R: Request>(
        self,
        request: R,
        serve: impl FnOnce(&Broker, &RequestContext, R) -> R::Response,
    ) -> Result<Work, Refusal> {
        let response = serve(self.broker, &self.context, request);
        self.context.reply::<R>(&response).map(|reply| Work::Done(Some(reply)))
    }

    fn answer_later<R, F>(self, request: R, serve: impl FnOnce(Arc<Broker>, RequestContext, R) -> F) -> Work
    where
        R: Request,
        F: Future<Output = R::Response> + Send + 'static,
    {
        let context = self.context.clone();
        let served = serve(self.broker.clone(), self.context, request);
        Work::Pending(Box::pin(async move { context.reply::<R>(&served.await) }))
    }

    fn answer_blocking<R: Request + Send + 'static>(
        self,
        request: R,
        serve: impl FnOnce(&Broker, &RequestContext, R) -> R::Response + Send + 'static,
    ) -> Work {
        let (broker, context) = (self.broker.clone(), self.context);
        Work::Pending(Box::pin(async move {
            let served = tokio::task::spawn_blocking(move || {
                let response = serve(&broker, &context, request);
                context.reply::<R>(&response)
            });
            served.await?
        }))
    }
}

impl RequestContext {
    /// The sender, as a group remembers its members.
    fn caller(&self) -> Caller {
        Caller {
            client_id: self.client_id.clone().unwrap_or_default(),
            client_host: format!("/{}", self.client_host),
            version: self.version,
        }
    }

    /// The response as it goes onto the wire.
    fn reply<R: Request>(&self, response: &R::Response) -> Result<Reply, Refusal> {
        let (api, version) = (R::KEY, self.version);
        let encoded = frame::encode_response(api, version, self.correlation_id, response)
            .map_err(|source| Refusal::Response { api, version, source })?;
        Ok(Reply::new(encoded))
    }
}
