use super::*;
use crate::Metrics;

#[test]
fn a_command_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
    let text = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 100 20 13 14 15 16 5 18 900 20 77 22";
    let expected = Stat { cpu_ticks: 120, threads: 5, start_ticks: 900, resident_pages: 77 };
    assert_eq!(Stat::parse(text), Some(expected));
}

#[test]
fn a_cut_off_stat_gives_nothing_instead_of_zeros() {
    assert_eq!(Stat::parse("7 (a) S 1 2"), None);
    assert_eq!(Stat::parse(""), None);
}

#[test]
fn the_process_shows_itself() {
    let text = Metrics::default().encode();
    for name in [
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_open_fds ",
        "process_max_fds ",
        "process_threads ",
        "process_start_time_seconds ",
        "logagent_build_info{version=",
    ] {
        assert!(text.contains(&format!("\n{name}")), "{name} is missing in:\n{text}");
    }
}

#[test]
fn the_start_time_lies_in_the_past() {
    let stat = Stat::parse(&fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let start = start_time(stat).unwrap();
    assert!(start > 1_500_000_000.0 && start <= now.as_secs_f64() + 1.0, "{start}");
}
