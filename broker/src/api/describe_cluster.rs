//! DescribeCluster (60): the brokers of the cluster, which is this one.
//!
//! | version | |
//! |---|---|
//! | 0 | cluster id, controller (this broker), brokers |
//! | 1 | controllers may be asked for: refused with 114, as they have no address of their own |
//!
//! Left out: authorized operations, there is no authorization.

use wire::ErrorCode;
use wire::message::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};

use super::RequestContext;
use crate::state::Broker;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let refuse = |error: ErrorCode, message: &str| DescribeClusterResponse {
        error_code: error.code(),
        error_message: Some(message.to_owned()),
        ..Default::default()
    };
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            let message = "this is the address of a broker, not of a controller";
            return refuse(ErrorCode::MismatchedEndpointType, message);
        }
        _ => return refuse(ErrorCode::UnsupportedEndpointType, "there are brokers (1) and controllers (2)"),
    }
    let (host, port) = broker.advertised(context.local);
    let node = DescribeClusterBroker { broker_id: broker.node_id, host, port: i32::from(port), rack: None };
    DescribeClusterResponse {
        cluster_id: broker.logs.cluster_id().to_owned(),
        controller_id: broker.node_id,
        brokers: vec![node],
        ..Default::default()
    }
}
