//! The units as systemd judges them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Folder;

/// systemd's measure of exposure, in tenths.
const EXPOSURE_LIMIT: &str = "25";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd")
}

/// The units, with a binary that exists where they look for it.
fn units(folder: &Folder) -> Vec<String> {
    let mut units = Vec::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "service") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.replace("/usr/bin/logagent", env!("CARGO_BIN_EXE_logagent"));
            units.push(folder.write(path.file_name().unwrap().to_str().unwrap(), &text));
        }
    }
    assert_eq!(units.len(), 4, "{units:?}");
    units
}

#[test]
fn systemd_accepts_each_unit_in_silence() {
    let folder = Folder::new();
    for unit in units(&folder) {
        let output = Command::new("systemd-analyze").args(["verify", &unit]).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{unit}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn each_unit_is_exposed_little() {
    let folder = Folder::new();
    for unit in units(&folder) {
        let threshold = format!("--threshold={EXPOSURE_LIMIT}");
        let arguments = ["security", "--offline=true", "--no-pager", &threshold, &unit];
        let output = Command::new("systemd-analyze").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{unit}: {}", said.lines().last().unwrap_or_default());
    }
}

#[test]
fn every_user_of_a_unit_is_created() {
    let users = std::fs::read_to_string(directory().join("sysusers.d/logagent.conf")).unwrap();
    let created: Vec<&str> = users
        .lines()
        .filter(|line| line.starts_with("u "))
        .filter_map(|line| line.split_ascii_whitespace().nth(1))
        .collect();
    let folder = Folder::new();
    for unit in units(&folder) {
        let text = std::fs::read_to_string(&unit).unwrap();
        let user = text.lines().find_map(|line| line.strip_prefix("User=")).unwrap();
        assert_ne!(user, "root", "{unit}");
        assert!(created.contains(&user), "{unit}: {user} is not created");
    }
}

#[test]
fn every_unit_checks_its_file_before_it_starts_and_before_it_reloads() {
    let folder = Folder::new();
    for unit in units(&folder) {
        let text = std::fs::read_to_string(&unit).unwrap();
        for key in ["ExecStartPre=", "ExecReload="] {
            let first = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            assert!(first.contains(" check --part "), "{unit}: {key}{first}");
        }
    }
}
