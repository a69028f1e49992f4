//! Tests of finding files again, without an agent around.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::identity::{extend_head, read_at};

const TEXT: &str = "first line\nsecond line\nthird line\n";

/// A file of which everything up to `read` was read.
fn known(dir: &TempDir, name: &str, read: usize) -> Known {
    let path = dir.path().join(name);
    fs::write(&path, TEXT).unwrap();
    let found = open(&path).unwrap();
    let head = extend_head(&found.file, Head::default()).unwrap().unwrap();
    Known { place: found.place, head, proof: Proof::of(0, &TEXT.as_bytes()[..read]) }
}

fn none(_: FileId) -> bool {
    false
}

fn name(found: Option<Found>) -> Option<String> {
    let location = found?.place.location;
    Some(Path::new(&*location).file_name()?.to_str()?.to_owned())
}

#[test]
fn a_file_is_found_under_another_name() {
    let dir = tempdir().unwrap();
    let known = known(&dir, "app.log", 11);
    assert_eq!(name(same(&known)).unwrap(), "app.log");
    fs::rename(dir.path().join("app.log"), dir.path().join("whatever")).unwrap();
    assert_eq!(name(same(&known)).unwrap(), "whatever");
}

#[test]
fn a_file_that_grew_is_the_same_and_one_that_changed_is_not() {
    let dir = tempdir().unwrap();
    let known = known(&dir, "app.log", 11);
    let path = dir.path().join("app.log");
    fs::write(&path, format!("{TEXT}more\n")).unwrap();
    assert!(same(&known).is_some());
    for changed in
        ["", "first line\n", "First line\nsecond line\nthird line\n", "first Line\nsecond line\nthird line\n"]
    {
        fs::write(&path, changed).unwrap();
        assert!(same(&known).is_none(), "{changed:?}");
    }
}

#[test]
fn a_copy_is_found_by_its_content_and_one_named_after_the_file_is_preferred() {
    let dir = tempdir().unwrap();
    let known = known(&dir, "app.log", 11);
    assert!(copy(&known, none).is_none());
    fs::write(dir.path().join("other"), "first line\nsecond line\nTHIRD line\n").unwrap();
    fs::write(dir.path().join("short"), "first line\n").unwrap();
    assert!(copy(&known, none).is_none());
    fs::write(dir.path().join("zzz"), TEXT).unwrap();
    assert_eq!(name(copy(&known, none)).unwrap(), "zzz");
    fs::write(dir.path().join("app.log.1"), TEXT).unwrap();
    assert_eq!(name(copy(&known, none)).unwrap(), "app.log.1");
    assert!(copy(&known, |_| true).is_none());
}

#[test]
fn a_copy_older_than_the_file_is_none() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("app.log.1"), TEXT).unwrap();
    let mut known = known(&dir, "app.log", 11);
    known.place.birth_ns += 3_600_000_000_000;
    assert!(copy(&known, none).is_none());
}

#[test]
fn the_names_of_originals_are_those_logrotate_starts_from() {
    let of = |name: &str| {
        let paths = originals(&Path::new("/l").join(name));
        paths.into_iter().map(|path| path.to_str().unwrap()[3..].to_owned()).collect::<Vec<_>>()
    };
    assert!(of("app.log.1").contains(&"app.log".to_owned()));
    assert!(of("app.log-20261121").contains(&"app.log".to_owned()));
    assert!(of("app-20261121.log").contains(&"app.log".to_owned()));
    assert!(of("app").is_empty());
    for name in ["app.log", "app.log.1", "a-b_c.d"] {
        assert!(!of(name).contains(&name.to_owned()), "{name} is not a copy of itself");
    }
}

#[test]
fn a_beginning_is_told_from_a_file_that_only_begins_alike() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("app.log");
    let body = "line\n".repeat(1000);
    fs::write(&path, format!("{body}end\n")).unwrap();
    let original = fs::File::open(&path).unwrap();
    for (text, expected) in [
        (String::new(), true),
        (body.clone(), true),
        (format!("{body}END\n"), false),
        (format!("{body}end\nmore\n"), false),
        (format!("x{body}"), false),
    ] {
        let copy = dir.path().join("copy");
        fs::write(&copy, &text).unwrap();
        assert_eq!(is_beginning_of(&open(&copy).unwrap(), &original).unwrap(), expected, "{}", text.len());
    }
}

#[test]
fn a_pipe_is_not_a_file_and_does_not_hang() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(open(&path).is_err());
}

fn pack(dir: &TempDir, name: &str, text: &[u8]) {
    let mut gzip = GzEncoder::new(fs::File::create(dir.path().join(name)).unwrap(), Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap();
}

#[test]
fn a_compressed_file_is_unpacked_from_where_it_is_needed() {
    let dir = tempdir().unwrap();
    let mut text = "0123456789\n".repeat(50_000).into_bytes();
    text.extend(b"the end\n");
    let path = dir.path().join("app.log");
    fs::write(&path, &text).unwrap();
    let found = open(&path).unwrap();
    let head = extend_head(&found.file, Head::default()).unwrap().unwrap();
    let read = 300_003;
    let known = Known { place: found.place, head, proof: Proof::of(0, &text[..read]) };
    pack(&dir, "unrelated.gz", &text);
    pack(&dir, "app.log.2.gz", b"another generation\n");
    assert!(compressed(&known, 0, dir.path()).is_none());
    pack(&dir, "app.log.1.gz", &text);
    for needed in [0, 5, 1500, 200_000, read as u64] {
        let found = compressed(&known, needed, dir.path()).unwrap();
        let rest = read_at(&found.file, needed, text.len()).unwrap();
        assert!(rest == text[needed as usize..], "needed from {needed}");
        assert!(!found.stat.linked);
        assert!(found.place.location.ends_with("app.log.1.gz"));
    }
    assert!(!dir.path().join("unpacked.tmp").exists());
}

#[test]
fn a_compressed_file_that_is_not_whole_is_none() {
    let dir = tempdir().unwrap();
    let known = known(&dir, "app.log", 11);
    pack(&dir, "app.log.1.gz", TEXT.as_bytes());
    let path = dir.path().join("app.log.1.gz");
    let packed = fs::read(&path).unwrap();
    for len in 0..packed.len() {
        fs::write(&path, &packed[..len]).unwrap();
        assert!(compressed(&known, 11, dir.path()).is_none(), "{len} bytes of it");
    }
}
