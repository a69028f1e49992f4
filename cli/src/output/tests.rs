use super::*;

fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn numbers_stand_right_and_words_left() {
    let text = table(&["TOPIC", "LAG"], rows(&[&["nginx_log", "5"], &["x", "12345"], &["y", "-"]]));
    assert_eq!(text, "TOPIC        LAG\nnginx_log      5\nx          12345\ny              -\n");
}

#[test]
fn a_table_without_rows_shows_its_columns() {
    assert_eq!(table(&["TOPIC", "LAG"], Vec::new()), "TOPIC  LAG\n");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    assert!(matches!(failed(&ErrorKind::BrokenPipe.into()), Failure::OutputClosed));
    assert!(matches!(failed(&ErrorKind::StorageFull.into()), Failure::Failed { .. }));
}
