//! Rates: what was counted lately, by the second. Every few seconds a sample of all counters is taken; a rate goes from the
//! oldest sample that is kept to now. Memory is bounded by the number of topics.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use uuid::Uuid;

use crate::log::{LogManager, Topic};
use crate::metrics::BrokerMetrics;

/// Samples that are kept: rates are of the last half minute.
const SAMPLES_MAX: usize = 7;
/// What is younger says nothing about a second.
const LEAST: Duration = Duration::from_secs(1);

/// What was counted since the start, or for ever: only differences count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) records_in: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

/// What goes in and out; none where too little was seen of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Traffic {
    pub(super) records_in_per_second: Option<f64>,
    pub(super) bytes_in_per_second: Option<f64>,
    pub(super) bytes_out_per_second: Option<f64>,
}

/// The samples.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    samples: Mutex<VecDeque<Sample>>,
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    broker: Totals,
    topics: HashMap<Uuid, Totals>,
}

impl Rates {
    /// How often a sample is to be taken.
    pub(crate) const EVERY: Duration = Duration::from_secs(5);

    /// Takes a sample.
    pub(crate) fn sample(&self, metrics: &BrokerMetrics, logs: &LogManager) {
        let topics = logs.topics();
        self.keep(Sample {
            at: Instant::now(),
            broker: metrics.totals(),
            topics: topics.iter().map(|topic| (topic.id(), totals(topic))).collect(),
        });
    }

    fn keep(&self, sample: Sample) {
        let mut samples = self.samples.lock();
        samples.push_back(sample);
        while samples.len() > SAMPLES_MAX {
            samples.pop_front();
        }
    }

    /// What goes in and out of a topic that has counted so much now.
    pub(super) fn of_topic(&self, id: Uuid, counted: Totals, now: Instant) -> Traffic {
        let samples = self.samples.lock();
        // it may be younger than the oldest sample
        let before = samples.iter().find_map(|sample| Some((*sample.topics.get(&id)?, sample.at)));
        before.map_or_else(Traffic::default, |(before, at)| traffic(before, counted, since(at, now)))
    }

    /// What goes in and out of a broker that has counted so much now, and the requests to it.
    pub(super) fn of_broker(&self, counted: Totals, now: Instant) -> (Traffic, Option<f64>) {
        let before = self.samples.lock().front().map(|sample| (sample.broker, sample.at));
        let Some((before, at)) = before else { return (Traffic::default(), None) };
        let passed = since(at, now);
        (traffic(before, counted, passed), per_second(before.requests, counted.requests, passed))
    }
}

/// What a topic has counted. Records are those that its partitions have ever been given.
pub(super) fn totals(topic: &Topic) -> Totals {
    let mut totals = Totals::default();
    for partition in topic.partitions() {
        totals.records_in += u64::try_from(partition.log_end_offset()).unwrap_or(0);
        totals.bytes_in = totals.bytes_in.wrapping_add(partition.bytes_appended());
        totals.bytes_out = totals.bytes_out.wrapping_add(partition.bytes_sent());
    }
    totals
}

fn since(at: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(at)
}

fn traffic(before: Totals, now: Totals, passed: Duration) -> Traffic {
    Traffic {
        records_in_per_second: per_second(before.records_in, now.records_in, passed),
        bytes_in_per_second: per_second(before.bytes_in, now.bytes_in, passed),
        bytes_out_per_second: per_second(before.bytes_out, now.bytes_out, passed),
    }
}

/// To three decimal places.
fn per_second(before: u64, now: u64, passed: Duration) -> Option<f64> {
    let rate = now.saturating_sub(before) as f64 / passed.as_secs_f64();
    (passed >= LEAST).then_some((rate * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: Uuid = Uuid::from_u128(1);

    fn counted(count: u64) -> Totals {
        Totals { requests: count, records_in: 2 * count, bytes_in: 3 * count, bytes_out: 4 * count }
    }

    fn keep(rates: &Rates, at: Instant, count: u64, topics: &[Uuid]) {
        let topics = topics.iter().map(|id| (*id, counted(count))).collect();
        rates.keep(Sample { at, broker: counted(count), topics });
    }

    fn rates_of(a: f64, b: f64, c: f64) -> Traffic {
        Traffic {
            records_in_per_second: Some(a),
            bytes_in_per_second: Some(b),
            bytes_out_per_second: Some(c),
        }
    }

    #[test]
    fn nothing_is_said_before_enough_was_seen() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert_eq!(rates.of_broker(counted(9), start), (Traffic::default(), None));
        keep(&rates, start, 0, &[TOPIC]);
        let soon = start + Duration::from_millis(999);
        assert_eq!(rates.of_broker(counted(9), soon), (Traffic::default(), None));
        assert_eq!(rates.of_topic(TOPIC, counted(9), soon), Traffic::default());
        assert_eq!(rates.of_topic(Uuid::from_u128(2), counted(9), start + LEAST), Traffic::default());
    }

    #[test]
    fn a_rate_goes_from_the_oldest_sample_to_now() {
        let (rates, start) = (Rates::default(), Instant::now());
        keep(&rates, start, 100, &[]);
        keep(&rates, start + Rates::EVERY, 110, &[TOPIC]);
        let now = start + 2 * Rates::EVERY;
        assert_eq!(rates.of_broker(counted(150), now), (rates_of(10.0, 15.0, 20.0), Some(5.0)));
        assert_eq!(rates.of_topic(TOPIC, counted(111), now), rates_of(0.4, 0.6, 0.8), "since it is known");
        let third = rates.of_broker(counted(101), start + Duration::from_secs(3)).1;
        assert_eq!(third, Some(0.333));
        assert_eq!(rates.of_broker(counted(7), now).1, Some(0.0), "what is counted does not shrink");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let (rates, start) = (Rates::default(), Instant::now());
        let mut at = start;
        for count in 0..100 {
            at = start + Rates::EVERY * count;
            keep(&rates, at, if count < 50 { 0 } else { 1000 }, &[TOPIC]);
        }
        assert_eq!(rates.samples.lock().len(), SAMPLES_MAX);
        assert_eq!(rates.of_broker(counted(1000), at).1, Some(0.0));
    }
}
