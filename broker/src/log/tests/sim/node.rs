//! What the simulated disk knows of a file and of a directory: the durable state, and the changes since that only
//! the page cache has. A crash decides for each of them what had reached the disk.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;

use rand::Rng;
use rand::rngs::StdRng;

/// A change of a file's content.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

/// A file, by its inode.
#[derive(Debug)]
pub(super) struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Keeps the inode's number from being given to another file.
    _open: File,
}

impl Inode {
    pub(super) fn new(durable: Vec<u8>, open: File) -> Self {
        Inode { durable, pending: Vec::new(), _open: open }
    }

    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) {
        self.pending.push(Change::Write { at: at as usize, bytes: bytes.to_vec() });
    }

    pub(super) fn truncate(&mut self, len: u64) {
        self.pending.push(Change::Truncate { len: len as usize });
    }

    /// All of it is on the disk.
    pub(super) fn sync(&mut self) {
        self.durable = self.reachable();
        self.pending.clear();
    }

    /// What a kernel does when writing back has failed: it takes the pages for clean, and no later sync writes them. The file's
    /// length is not in its pages.
    pub(super) fn forget(&mut self) {
        let mut known = self.durable.len();
        self.pending.retain_mut(|change| {
            let grown = match change {
                Change::Truncate { len } => *len,
                Change::Write { at, bytes } => known.max(*at + bytes.len()),
            };
            let stays = matches!(change, Change::Truncate { .. }) || grown > known;
            *change = Change::Truncate { len: grown };
            known = grown;
            stays
        });
    }

    /// What the disk will have once everything that is still known to be dirty is written.
    pub(super) fn reachable(&self) -> Vec<u8> {
        let mut content = self.durable.clone();
        for change in &self.pending {
            match change {
                Change::Write { at, bytes } => overwrite(&mut content, *at, bytes),
                Change::Truncate { len } => content.resize(*len, 0),
            }
        }
        content
    }

    /// What is found after a crash. Writes reach the disk sector by sector in any order; a truncation only after
    /// the one before it, and what is written behind a truncation that was lost is lost too. A file may have
    /// grown by sectors that never came: they hold zeros, or what some other file has left there.
    pub(super) fn survive(&self, sector: usize, random: &mut StdRng) -> Vec<u8> {
        let limit = self.surviving_changes(random);
        let changes = self.pending.get(..limit).unwrap_or_default();
        let fate = Fate::draw(sector, changes.len(), random);
        let hole = if random.random_bool(0.3) { random.random() } else { 0 };
        let mut content = self.durable.clone();
        for (number, change) in changes.iter().enumerate() {
            match change {
                Change::Truncate { len } => content.resize(*len, hole),
                Change::Write { at, bytes } => {
                    fate.apply(&mut content, number, (*at, bytes.as_slice()), hole, random)
                }
            }
        }
        content
    }

    fn surviving_changes(&self, random: &mut StdRng) -> usize {
        let is_lost = |change: &Change, random: &mut StdRng| {
            matches!(change, Change::Truncate { .. }) && random.random_bool(0.3)
        };
        let lost = self.pending.iter().position(|change| is_lost(change, random));
        lost.unwrap_or(self.pending.len())
    }
}

/// Up to which change each sector was written.
enum Fate {
    /// All sectors alike; of the change that comes next only the first bytes, if there is one.
    Prefix { whole: usize },
    /// Each sector by itself, drawn when it is first met.
    Scattered { sector: usize, salt: u64, changes: usize, grows: bool },
}

impl Fate {
    fn draw(sector: usize, changes: usize, random: &mut StdRng) -> Self {
        match random.random_range(0..5) {
            0 => Fate::Prefix { whole: 0 },
            1 => Fate::Prefix { whole: changes },
            2 => Fate::Prefix { whole: random.random_range(0..=changes) },
            _ => Fate::Scattered { sector, salt: random.random(), changes, grows: random.random_bool(0.3) },
        }
    }

    fn apply(
        &self,
        content: &mut Vec<u8>,
        number: usize,
        (at, bytes): (usize, &[u8]),
        hole: u8,
        random: &mut StdRng,
    ) {
        match self {
            Fate::Prefix { whole } if number < *whole => overwrite(content, at, bytes),
            Fate::Prefix { whole } if number == *whole => {
                let torn = random.random_range(0..=bytes.len());
                overwrite(content, at, bytes.get(..torn).unwrap_or_default());
            }
            Fate::Prefix { .. } => {}
            Fate::Scattered { sector, salt, changes, grows } => {
                let mut from = at;
                while from < at + bytes.len() {
                    let end = ((from / sector + 1) * sector).min(at + bytes.len());
                    if number < cut(*salt, from / sector, *changes) {
                        fill(content, from, hole);
                        overwrite(content, from, &bytes[from - at..end - at]);
                    }
                    from = end;
                }
                if *grows {
                    fill(content, at + bytes.len(), hole);
                }
            }
        }
    }
}

/// Which change is the first that a sector has not seen: any, but the same one whenever it is asked for.
fn cut(salt: u64, sector: usize, changes: usize) -> usize {
    let mixed = (salt ^ (sector as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 32) % (changes as u64 + 1)) as usize
}

fn overwrite(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    fill(content, at + bytes.len(), 0);
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

fn fill(content: &mut Vec<u8>, len: usize, byte: u8) {
    if content.len() < len {
        content.resize(len, byte);
    }
}

/// What a directory's entry points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    File(u64),
    Dir(u64),
}

/// A change of a directory.
#[derive(Debug, Clone)]
pub(super) enum Relink {
    Link(OsString, Node),
    Unlink(OsString, Node),
    Rename(OsString, OsString, Node),
}

/// A directory.
#[derive(Debug, Default)]
pub(super) struct Dir {
    durable: BTreeMap<OsString, Node>,
    pending: Vec<Relink>,
}

impl Dir {
    pub(super) fn with(durable: BTreeMap<OsString, Node>) -> Self {
        Dir { durable, pending: Vec::new() }
    }

    pub(super) fn change(&mut self, change: Relink) {
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            relink(&mut self.durable, &change);
        }
    }

    /// Whether an inode may be found here after a crash.
    pub(super) fn mentions(&self, ino: u64) -> bool {
        let wanted = Node::File(ino);
        let pending = self.pending.iter().any(|change| match change {
            Relink::Link(_, node) | Relink::Unlink(_, node) | Relink::Rename(_, _, node) => *node == wanted,
        });
        pending || self.durable.values().any(|node| *node == wanted)
    }

    /// What a file is called, now.
    pub(super) fn name_of(&self, ino: u64) -> Option<&OsString> {
        let wanted = Node::File(ino);
        let changed = self.pending.iter().rev().find_map(|change| match change {
            Relink::Link(name, node) | Relink::Rename(_, name, node) if *node == wanted => Some(name),
            _ => None,
        });
        changed.or_else(|| self.durable.iter().find(|(_, node)| **node == wanted).map(|(name, _)| name))
    }

    /// The entries after a crash: each change since the last sync may be lost, a rename as a whole.
    pub(super) fn survive(&self, random: &mut StdRng) -> BTreeMap<OsString, Node> {
        let mut entries = self.durable.clone();
        let kept = [0.0, 0.5, 0.8, 1.0][random.random_range(0..4)];
        for change in self.pending.iter().filter(|_| random.random_bool(kept)) {
            relink(&mut entries, change);
        }
        entries
    }
}

/// Applies a change, unless what it builds on was lost.
fn relink(entries: &mut BTreeMap<OsString, Node>, change: &Relink) {
    match change {
        Relink::Link(name, node) => {
            entries.insert(name.clone(), *node);
        }
        Relink::Unlink(name, node) if entries.get(name) == Some(node) => {
            entries.remove(name);
        }
        Relink::Rename(from, to, node) if entries.get(from) == Some(node) => {
            entries.remove(from);
            entries.insert(to.clone(), *node);
        }
        Relink::Unlink(..) | Relink::Rename(..) => {}
    }
}
