//! What commands print: tables for people, JSON for programs.

pub(crate) mod progress;

use std::io::{ErrorKind, Write as _, stdout};

use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::fail::Failure;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON document for programs.
    Json,
}

/// Writes text to stdout as it is.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = stdout().lock();
    stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()).map_err(|error| failed(&error))
}

/// Says something beside the result, on stderr.
pub(crate) fn note(text: &str) {
    // Nobody there to read it is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A write that failed because nobody reads is no failure of ours.
pub(crate) fn failed(error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::new(format!("cannot write the output: {error}")),
    }
}

/// Prints rows as a table or as JSON, in the given format.
pub(crate) fn print_rows<T: Serialize>(
    format: Format,
    rows: &[T],
    columns: &[&str],
    cells: impl Fn(&T) -> Vec<String>,
) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(&rows),
        Format::Table => print(table(columns, rows.iter().map(cells).collect())),
    }
}

/// Prints one JSON document.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("cannot write the output: {error}")))?;
    print(text + "\n")
}

/// Columns of numbers are aligned to the right.
pub(crate) fn table(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let numeric: Vec<bool> = (0..columns.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).all(|cell| is_number(cell)))
        .collect();
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(columns.iter().copied()).add_rows(rows);
    for (column, numeric) in table.column_iter_mut().zip(numeric) {
        column.set_padding((0, 2));
        if numeric {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.to_string();
    lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && (cell == "-" || cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}

#[cfg(test)]
mod tests;
