//! The help teaches: every command shows examples, and the examples are commands that exist.

use crate::support::{good, run};

const COMMANDS: [&[&str]; 14] = [
    &["agent"],
    &["broker"],
    &["transfer"],
    &["up"],
    &["check"],
    &["topics"],
    &["produce"],
    &["consume"],
    &["groups"],
    &["delete-records"],
    &["collect"],
    &["topics", "alter"],
    &["groups", "reset-offsets"],
    &["completion"],
];

#[test]
fn every_command_has_help_with_examples() {
    for command in COMMANDS {
        let text = good(&[command, &["--help"]].concat());
        assert!(text.contains("Usage: logagent "), "{command:?}: {text}");
        assert!(text.contains("Examples:\n  "), "{command:?}: {text}");
    }
    let text = good(&["--help"]);
    for command in COMMANDS {
        assert!(text.contains(&format!("\n  {} ", command[0])), "{} is not listed in:\n{text}", command[0]);
    }
}

#[test]
fn every_example_in_the_help_names_flags_that_exist() {
    for command in COMMANDS {
        let help = good(&[command, &["--help"]].concat());
        let examples = help.split_once("Examples:").unwrap().1;
        let lines = examples.lines().filter_map(|line| Some(line.split_once("logagent ")?.1));
        for line in lines {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let path: Vec<&str> = words.iter().take_while(|word| is_command(word)).copied().take(2).collect();
            let Some(inner) = help_of(&path) else { continue };
            for flag in words.iter().take_while(|word| **word != "|").filter(|word| word.starts_with("--")) {
                assert!(inner.contains(flag), "{flag} of {line:?} is not in the help of {path:?}");
            }
        }
    }
}

fn is_command(word: &str) -> bool {
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    letters && !word.starts_with('-')
}

/// The help of the longest path that is a command.
fn help_of(path: &[&str]) -> Option<String> {
    (1..=path.len()).rev().find_map(|length| {
        let done = run(&[&path[..length], &["--help"]].concat());
        (done.code == Some(0)).then_some(done.stdout)
    })
}

#[test]
fn the_version_is_the_package_s() {
    assert_eq!(good(&["--version"]), format!("logagent {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_command_line_that_is_wrong_exits_with_2_and_says_what_was_meant() {
    let done = run(&["topic", "list"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("topics"), "{}", done.stderr);
    let done = run(&["consume", "--topic", "a", "--offset", "5"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("--partition"), "{}", done.stderr);
    let done = run(&["agent", "--etcd", "a:1", "--collect", "b"]);
    assert_eq!(done.code, Some(2));
    let done = run(&["--log-level", "broker=loud", "check", "x"]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("log level"), "{}", done.stderr);
}

#[test]
fn completion_scripts_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = good(&["completion", shell]);
        assert!(script.contains("transfer") && script.contains("from-beginning"), "{shell}");
    }
    assert_eq!(run(&["completion", "cobol"]).code, Some(2));
}
