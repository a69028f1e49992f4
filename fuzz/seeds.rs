//! Writes the inputs to begin with, as the rooms' own writers make them, into `corpus/<target>/`, each under the checksum of its
//! bytes, in the place of those that were written before.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let rooms = [
        broker::fuzzing::seeds(),
        agent::fuzzing::seeds(),
        transfer::fuzzing::seeds(),
        daemon::fuzzing::seeds(),
    ];
    let seeds = rooms.concat();
    for (target, _) in &seeds {
        remove_seeds(&corpus.join(target))?;
    }
    for (target, seed) in seeds {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        fs::write(corpus.join(target).join(format!("seed-{:016x}", hasher.finish())), seed)?;
    }
    Ok(())
}

fn remove_seeds(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("seed-") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
