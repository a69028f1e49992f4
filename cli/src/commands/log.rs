//! `logagent log dump|verify`: looks into the files of a broker's data directory, without a broker.

use std::io::{BufWriter, Write as _, stdout};
use std::path::{Path, PathBuf};

use broker::log::dump::{self, Decoder, DumpError, Item, Options};
use broker::log::verify::{self, Report};
use clap::Subcommand;
use serde::Serialize;

use crate::fail::{Failure, OrFail as _};
use crate::output::{self, Format, progress};

const EXAMPLES: &str = "\
Examples:
  Is the data directory sound?
    logagent log verify /var/lib/logagent/broker

  What is in a segment, batch by batch, or record by record?
    logagent log dump /var/lib/logagent/broker/nginx_log-0/00000000000000000000.log
    logagent log dump --print-data /var/lib/logagent/broker/nginx_log-0/*.log | less

  Which offsets has a group committed?
    logagent log dump --offsets-decoder /var/lib/logagent/broker/__consumer_offsets-*/*.log

Both only read. Beside a running broker the end of a segment that it writes to may look cut off.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Print what stands in segments, indexes, snapshots and checkpoints, as Kafka's kafka-dump-log does.
    Dump {
        /// Segments (.log), indexes (.index, .timeindex, .txnindex), producers' snapshots (.snapshot), checkpoints.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Show each record, not only the batches.
        #[arg(long)]
        deep: bool,
        /// Show each record with its key and value.
        #[arg(long)]
        print_data: bool,
        /// Show each record's key and value as what __consumer_offsets holds: committed offsets, groups.
        #[arg(long, conflicts_with = "print_data")]
        offsets_decoder: bool,
        /// Show each record's key and value as what __transaction_state holds: transactional ids.
        #[arg(long, conflicts_with_all = ["print_data", "offsets_decoder"])]
        transaction_log_decoder: bool,
        /// How it is printed: lines for people (table), or one JSON document a line (json).
        #[arg(long, short, value_enum, default_value_t, hide_possible_values = true)]
        output: Format,
    },
    /// Look for damage in a data directory, in partitions' directories or in files; print nothing when there is none.
    Verify {
        /// A data directory, partitions' directories, or files of them.
        #[arg(required = true, value_name = "DIR|FILE")]
        paths: Vec<PathBuf>,
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
    },
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Dump { files, deep, print_data, offsets_decoder, transaction_log_decoder, output } => {
                let offsets = offsets_decoder.then_some(Decoder::Offsets);
                let decoder = offsets.or(transaction_log_decoder.then_some(Decoder::Transactions));
                let options = Options { records: deep, data: print_data, decoder };
                let mut out = BufWriter::new(stdout().lock());
                for file in &files {
                    dump_file(file, options, output, &mut out)?;
                }
                out.flush().map_err(|error| output::failed(&error))
            }
            Self::Verify { paths, output } => verify(&paths, output),
        }
    }
}

/// An entry as JSON, with the file that it is from.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a Path,
    #[serde(flatten)]
    item: &'a Item,
}

fn dump_file(
    file: &Path,
    options: Options,
    format: Format,
    out: &mut impl std::io::Write,
) -> Result<(), Failure> {
    if format == Format::Table {
        writeln!(out, "Dumping {}", file.display()).map_err(|error| output::failed(&error))?;
    }
    let shown = dump::dump(file, options, &mut |item| match format {
        Format::Table => writeln!(out, "{item}"),
        Format::Json => {
            serde_json::to_writer(&mut *out, &Line { file, item: &item })?;
            out.write_all(b"\n")
        }
    });
    match shown {
        Ok(()) => Ok(()),
        Err(DumpError::Show(error)) => Err(output::failed(&error)),
        Err(error @ DumpError::Unknown(_)) => Err(Failure::new(error.to_string())
            .remedy("name a file of a partition's directory, such as 00000000000000000000.log")),
        Err(error) => Err(error).or_fail("cannot dump"),
    }
}

fn verify(paths: &[PathBuf], format: Format) -> Result<(), Failure> {
    let bar = progress::of_bytes(verify::bytes_in(paths));
    let report = verify::verify(paths, &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    let report = report.or_fail("cannot verify")?;
    match format {
        Format::Json => output::print_json(&report)?,
        Format::Table => output::print(text(&report))?,
    }
    let damaged = report.findings.iter().filter(|finding| finding.is_damage()).count();
    match damaged {
        0 => Ok(()),
        1 => Err(Failure::new("1 damage was found; nothing was changed")),
        many => Err(Failure::new(format!("{many} damages were found; nothing was changed"))),
    }
}

/// A paragraph for each finding.
fn text(report: &Report) -> String {
    let place =
        |place: &Option<String>| place.as_ref().map_or_else(String::new, |place| format!(", {place}"));
    let paragraphs = report.findings.iter().map(|finding| {
        let severity = if finding.is_damage() { "damage" } else { "left over" };
        let (path, place) = (finding.path.display(), place(&finding.place));
        format!("{severity}: {path}{place}\n  {}\n  -> {}\n", finding.problem, finding.remedy)
    });
    paragraphs.collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use broker::log::verify::{Finding, Report, Severity};

    use super::*;

    #[test]
    fn a_finding_says_place_problem_and_remedy() {
        let finding = Finding {
            severity: Severity::Damage,
            path: PathBuf::from("/data/t-0/00000000000000000000.log"),
            place: Some("byte 61".to_owned()),
            problem: "the last 10 bytes are zeros".to_owned(),
            remedy: "start the broker".to_owned(),
        };
        let report = Report { findings: vec![finding], ..Report::default() };
        let wanted = "damage: /data/t-0/00000000000000000000.log, byte 61\n  the last 10 bytes are zeros\n  -> start \
                      the broker\n";
        assert_eq!(text(&report), wanted);
        assert_eq!(text(&Report::default()), "");
    }

    #[test]
    fn what_is_damaged_fails_and_what_is_sound_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let partition = dir.path().join("t-0");
        std::fs::create_dir(&partition).unwrap();
        for name in
            ["00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex"]
        {
            std::fs::write(partition.join(name), "").unwrap();
        }
        std::fs::write(partition.join("leader-epoch-checkpoint"), "0\n1\n0 0\n").unwrap();
        let metadata = "version: 0\ntopic_id: 5q7QGYWjQ9y3bEwBemqaQA\n";
        std::fs::write(partition.join("partition.metadata"), metadata).unwrap();
        assert!(verify(std::slice::from_ref(&partition), Format::Table).is_ok());
        std::fs::write(partition.join("00000000000000000000.log"), "xx").unwrap();
        let failure = verify(&[partition], Format::Table).unwrap_err();
        assert!(matches!(failure, Failure::Failed { message, .. } if message.starts_with("1 damage")));
    }

    #[test]
    fn each_entry_is_a_line_of_json() {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("00000000000000000100.index");
        std::fs::write(&index, [0, 0, 0, 5, 0, 0, 1, 0]).unwrap();
        let mut out = Vec::new();
        dump_file(&index, Options::default(), Format::Json, &mut out).unwrap();
        let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            (&line["kind"], &line["offset"], &line["position"]),
            (&"offsetEntry".into(), &105.into(), &256.into())
        );
        let mut out = Vec::new();
        dump_file(&index, Options::default(), Format::Table, &mut out).unwrap();
        assert_eq!(out, format!("Dumping {}\noffset: 105 position: 256\n", index.display()).into_bytes());
    }
}
