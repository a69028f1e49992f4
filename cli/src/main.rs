//! The logagent binary.
fn main() {}
