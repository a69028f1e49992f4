use super::*;

const TEXT: &str = "\
# HELP logagent_agent_read_lines Lines
# TYPE logagent_agent_read_lines counter
logagent_agent_read_lines_total 1200
logagent_agent_read_lines_total_more 9
logagent_agent_shipped_lines_total{topic=\"a} 5\"} 700
logagent_agent_shipped_lines_total{topic=\"b\"} 300
logagent_broker_appended_records_total 1000
logagent_transfer_indexed_documents_total 800
logagent_transfer_duplicate_documents_total 1
logagent_transfer_lag_records -3
logagent_agent_lag_bytes 1.5e3
# EOF
";

#[test]
fn counts_are_summed_over_labels() {
    let counts = Counts::parse(TEXT);
    let expected =
        Counts { read: 1200, shipped: 1000, stored: 1000, indexed: 801, lag_bytes: 1500, lag_records: 0 };
    assert_eq!(counts, expected);
    assert_eq!(Counts::parse(""), Counts::default());
    assert_eq!(
        Counts::parse("logagent_agent_read_lines_total\nlogagent_agent_read_lines_total x"),
        Counts::default()
    );
}

#[test]
fn the_line_shows_counts_and_rates() {
    let earlier = Counts { read: 200, ..Counts::default() };
    let line = Counts::parse(TEXT).line(&earlier, Duration::from_secs(2));
    let expected = "read 1,200 (500/s)  shipped 1,000 (500/s)  stored 1,000 (500/s)  indexed 801 (401/s)  \
                    lag 0 records, 1,500 bytes";
    assert_eq!(line, expected);
}

#[test]
fn the_block_has_a_line_for_each_stage() {
    let earlier = Counts { read: 200, ..Counts::default() };
    let block = Counts::parse(TEXT).block(&earlier, Duration::from_secs(2));
    let lines: Vec<_> = block.lines().collect();
    assert_eq!(lines.len(), 5, "{block}");
    assert_eq!(lines[0], "read              1,200       500/s");
    assert_eq!(lines[3], "indexed             801       401/s");
    assert_eq!(lines[4], "lag 0 records, 1,500 bytes");
}

#[test]
fn a_restarted_counter_gives_no_negative_rate() {
    assert_eq!(rate(5, 10, Duration::from_secs(1)), 0);
    assert_eq!(rate(10, 5, Duration::ZERO), 5_000);
}

#[test]
fn digits_are_grouped() {
    let grouped = |number| Grouped(number).to_string();
    assert_eq!(grouped(0), "0");
    assert_eq!(grouped(999), "999");
    assert_eq!(grouped(1_000), "1,000");
    assert_eq!(grouped(1_234_567), "1,234,567");
}
