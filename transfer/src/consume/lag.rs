//! How far the group is behind: for the partitions of this member, the end of the log less the committed offset, as Kafka's
//! tools show it. Asked of the brokers, so it is right while the partitions are paused as well.

use std::sync::Weak;
use std::time::Duration;

use daemon::health::Component;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Events;
use crate::metrics::Metrics;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Measures every so often until `shutdown`, or until the consumer is gone.
pub(crate) async fn watch(
    consumer: Weak<BaseConsumer<Events>>,
    interval: Duration,
    metrics: Metrics,
    health: Component,
    shutdown: CancellationToken,
) {
    let mut interval = tokio::time::interval(interval);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = interval.tick() => {}
        }
        let consumer = consumer.clone();
        // the handle is held no longer than the question takes: the last one to go closes the client
        let measured =
            tokio::task::spawn_blocking(move || consumer.upgrade().map(|consumer| measure(&consumer))).await;
        match measured {
            Ok(Some(Ok(Some(lag)))) => {
                metrics.lag_records.set(lag);
                health.ready();
            }
            Ok(Some(Ok(None))) => {}
            Ok(Some(Err(error))) => debug!(%error, "cannot measure the lag"),
            Ok(None) | Err(_) => return,
        }
    }
}

/// `None` before the group has assigned anything.
fn measure(consumer: &BaseConsumer<Events>) -> KafkaResult<Option<i64>> {
    let assigned = consumer.assignment()?;
    if assigned.count() == 0 {
        return Ok(None);
    }
    let committed = consumer.committed_offsets(assigned, TIMEOUT)?;
    let mut lag = 0i64;
    for element in committed.elements() {
        let (low, high) = consumer.fetch_watermarks(element.topic(), element.partition(), TIMEOUT)?;
        let next = match element.offset() {
            Offset::Offset(next) => next.max(low),
            _ => low,
        };
        lag = lag.saturating_add(high.saturating_sub(next).max(0));
    }
    Ok(Some(lag))
}
