//! How far the lines have come, read from the process's own metrics.

use std::fmt;
use std::time::Duration;

/// Lines and bytes at each stage since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    read: u64,
    shipped: u64,
    stored: u64,
    indexed: u64,
    /// Bytes in files that no broker has acknowledged.
    lag_bytes: u64,
    /// Records in topics that no index has acknowledged.
    lag_records: u64,
}

impl Counts {
    /// Reads OpenMetrics text.
    pub(crate) fn parse(text: &str) -> Self {
        let sum = |name: &str| sum(text, name);
        Self {
            read: sum("logagent_agent_read_lines_total"),
            shipped: sum("logagent_agent_shipped_lines_total"),
            stored: sum("logagent_broker_appended_records_total"),
            indexed: sum("logagent_transfer_indexed_documents_total")
                .saturating_add(sum("logagent_transfer_duplicate_documents_total")),
            lag_bytes: sum("logagent_agent_lag_bytes"),
            lag_records: sum("logagent_transfer_lag_records"),
        }
    }

    /// One line, for a log; rates are since `earlier`.
    pub(crate) fn line(&self, earlier: &Self, elapsed: Duration) -> String {
        let mut line = String::new();
        for (name, now, before) in self.stages(earlier) {
            let rate = Grouped(rate(now, before, elapsed));
            line += &format!("{name} {} ({rate}/s)  ", Grouped(now));
        }
        line + &self.lag()
    }

    /// A line for each stage, for a terminal of any width; rates are since `earlier`.
    pub(crate) fn block(&self, earlier: &Self, elapsed: Duration) -> String {
        let mut block = String::new();
        for (name, now, before) in self.stages(earlier) {
            let rate = Grouped(rate(now, before, elapsed));
            block += &format!("{name:<7} {:>15} {rate:>9}/s\n", Grouped(now));
        }
        block + &self.lag()
    }

    fn stages(&self, earlier: &Self) -> [(&'static str, u64, u64); 4] {
        [
            ("read", self.read, earlier.read),
            ("shipped", self.shipped, earlier.shipped),
            ("stored", self.stored, earlier.stored),
            ("indexed", self.indexed, earlier.indexed),
        ]
    }

    fn lag(&self) -> String {
        format!("lag {} records, {} bytes", Grouped(self.lag_records), Grouped(self.lag_bytes))
    }
}

/// The sum of a metric over all its labels.
fn sum(text: &str, name: &str) -> u64 {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.as_bytes().first()? {
            b' ' => rest,
            b'{' => rest.rsplit_once('}')?.1,
            _ => return None,
        };
        value.split_ascii_whitespace().next()?.parse::<f64>().ok()
    });
    // Floats saturate when they become integers, and gauges may be below zero for a moment.
    values.map(|value| value as u64).fold(0, u64::saturating_add)
}

fn rate(now: u64, before: u64, elapsed: Duration) -> u64 {
    let difference = now.saturating_sub(before) as f64;
    (difference / elapsed.as_secs_f64().max(0.001)).round() as u64
}

/// 1,234,567.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() * 2);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests;
