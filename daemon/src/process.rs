//! The process's own metrics, under the names that Prometheus clients of every language use.
//!
//! All are read from `/proc/self` when scraped; what cannot be read is left out.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Adds `process_*` and `logagent_build_info`.
pub(crate) fn register(registry: &mut Registry) {
    let labels = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("logagent_build", "What this binary is", Info::new(labels));
    registry.register_collector(Box::new(Process));
}

#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: Option<f64>| match value {
            Some(value) => encode(&mut encoder, name, help, &ConstGauge::new(value), MetricType::Gauge),
            None => Ok(()),
        };
        let stat = fs::read_to_string("/proc/self/stat").ok();
        let stat = stat.as_deref().and_then(Stat::parse);
        gauge(
            "process_resident_memory_bytes",
            "Resident memory",
            stat.map(|stat| stat.resident_pages as f64 * rustix::param::page_size() as f64),
        )?;
        gauge("process_open_fds", "Open file descriptors", open_fds())?;
        gauge("process_max_fds", "The limit of open file descriptors", max_fds())?;
        gauge("process_threads", "Threads", stat.map(|stat| stat.threads as f64))?;
        gauge("process_start_time_seconds", "When it started, since 1970", stat.and_then(start_time))?;
        let cpu = stat.map(|stat| stat.cpu_ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
        match cpu {
            Some(cpu) => encode(
                &mut encoder,
                "process_cpu_seconds",
                "Processor time used",
                &ConstCounter::new(cpu),
                MetricType::Counter,
            ),
            None => Ok(()),
        }
    }
}

fn encode(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    metric: &dyn EncodeMetric,
    kind: MetricType,
) -> Result<(), std::fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, kind)?)
}

/// The fields of `/proc/self/stat` that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    resident_pages: u64,
}

impl Stat {
    /// Fields are counted after the command's name, which stands in parentheses and may hold anything.
    fn parse(text: &str) -> Option<Self> {
        let (_, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)?.saturating_add(field(15)?),
            threads: field(20)?,
            start_ticks: field(22)?,
            resident_pages: field(24)?,
        })
    }
}

fn open_fds() -> Option<f64> {
    // The directory's own descriptor is among those listed.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

fn max_fds() -> Option<f64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.map(|limit| limit as f64)
}

/// Boot time plus the start's distance from it.
fn start_time(stat: Stat) -> Option<f64> {
    let kernel = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = kernel.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + stat.start_ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests;
