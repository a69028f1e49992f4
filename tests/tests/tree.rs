//! The rules of the house that no lint of the compiler knows: sizes of files and functions, the log voice, the direction
//! of dependencies. Exceptions stand in a list that may only shrink.

use std::path::{Path, PathBuf};

use logagent_tests::root;

/// Files longer than the limit, with the number of lines that each may have. There are none.
const LONG_FILES: &[(&str, usize)] = &[];
const FILE_LINES_MAX: usize = 500;
/// Lines of a function between its braces; clippy's own limit counts without comments.
const FUNCTION_LINES_MAX: usize = 85;
const ROOMS: &[&str] = &["wire", "daemon", "agent", "broker", "transfer", "cli", "tests"];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    ROOMS.iter().for_each(|room| walk(&root().join(room), &mut found));
    assert!(found.len() > 100, "found only {} sources", found.len());
    found
}

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn files_do_one_thing() {
    let limit = |path: &Path| {
        let exception = LONG_FILES.iter().find(|(name, _)| Path::new(name) == path);
        exception.map_or(FILE_LINES_MAX, |(_, lines)| *lines)
    };
    let long: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > limit(path))
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    report("files that are too long", &long);
}

#[test]
fn functions_fit_a_screen() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let mut begins: Option<(usize, usize, &str)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_function =
                line.contains("fn ") && line.trim_start().starts_with(['f', 'p', 'a', 'u', 'c']);
            match begins {
                None if is_function && line.ends_with('{') => begins = Some((number, indent, line.trim())),
                Some((begin, depth, name)) if indent == depth && line.trim_start().starts_with('}') => {
                    if number - begin > FUNCTION_LINES_MAX {
                        long.push(format!(
                            "{}:{}: {} lines: {name}",
                            path.display(),
                            begin + 1,
                            number - begin
                        ));
                    }
                    begins = None;
                }
                _ => {}
            }
        }
    }
    report("functions that are too long", &long);
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    let marks = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("#[ig", "nore"),
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    report("unfinished", &found);
}

/// A message of the log begins with a small letter and does not end with a full stop.
#[test]
fn the_log_has_one_voice() {
    let macros = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for name in macros {
            for (at, _) in text.match_indices(name) {
                let call = &text[at..];
                let end = call.find(");").unwrap_or(call.len());
                let Some(message) = call[..end].rsplit('"').nth(1) else { continue };
                let line = text[..at].lines().count();
                let starts_low = message.chars().next().is_none_or(|first| !first.is_uppercase());
                // Names of things keep their capitals: an abbreviation or a name of the protocol.
                let is_name = message
                    .split([' ', ','])
                    .next()
                    .is_some_and(|word| word.chars().skip(1).any(char::is_uppercase));
                if (!starts_low && !is_name) || message.ends_with('.') {
                    found.push(format!("{}:{line}: {message}", path.display()));
                }
            }
        }
    }
    report("log messages in another voice", &found);
}

/// agent, broker and transfer know nothing of each other: between them there is only the protocol.
#[test]
fn rooms_depend_in_one_direction() {
    let allowed: &[(&str, &[&str])] = &[
        ("wire", &[]),
        ("daemon", &[]),
        ("agent", &["wire", "daemon"]),
        ("broker", &["wire", "daemon"]),
        ("transfer", &["wire", "daemon"]),
    ];
    for (room, may_use) in allowed {
        let manifest = std::fs::read_to_string(root().join(room).join("Cargo.toml")).unwrap();
        for other in ["wire", "daemon", "agent", "broker", "transfer"] {
            let uses = manifest.lines().any(|line| line.starts_with(&format!("{other}.workspace")));
            assert!(!uses || may_use.contains(&other), "{room} must not depend on {other}");
        }
    }
}
