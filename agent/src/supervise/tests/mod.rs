//! Tests of the tails with real files, over rotation, truncation, crashes and outages.

mod crash;
mod identity;
mod limits;
mod lines;
mod list;
mod rotate;
mod storm;
mod truncate;
mod world;

use world::{Death, World};

/// Lines that no other call makes.
fn lines(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{name} line {n} {}", "x".repeat(n % 50))).collect()
}

fn strs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}
