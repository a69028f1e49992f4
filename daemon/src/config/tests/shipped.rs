//! The shipped files as they are read when they are compiled in.

use std::path::Path;

use crate::config::parse::parse;
use crate::config::tree::Value;

#[test]
fn every_shipped_config_is_a_map_with_known_places() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let tree = parse(&std::fs::read_to_string(&path).unwrap(), 0).unwrap();
        let Value::Map(entries) = &tree.value else { continue };
        assert!(
            entries.iter().all(|entry| entry.place.line > 0 && entry.place.column == 1),
            "{}",
            path.display()
        );
        seen += 1;
    }
    assert!(seen > 0, "no shipped config was found");
}
