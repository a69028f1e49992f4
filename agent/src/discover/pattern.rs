//! An item of the collect list as a walk over folders.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use globset::{Glob, GlobMatcher, GlobSet, GlobSetBuilder};
use tracing::debug;
use walkdir::WalkDir;

use crate::collect::CollectItem;

/// How deep `**` reaches below the fixed part of its path; a loop of links ends sooner.
const MAX_DEPTH: usize = 64;

/// File names that globs never match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excludes(GlobSet);

impl Excludes {
    pub(crate) fn new(globs: &[String]) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            set.add(Glob::new(glob)?);
        }
        Ok(Self(set.build()?))
    }

    fn contain(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.0.is_match(name))
    }
}

/// A compiled item.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) topic: Arc<str>,
    /// The path itself, when it names one file.
    literal: Option<PathBuf>,
    glob: GlobMatcher,
    excludes: Excludes,
    /// The part of the path before its first wildcard.
    base: PathBuf,
    /// One glob for each component behind the base; empty when the number of components is open.
    below: Vec<GlobMatcher>,
}

impl Pattern {
    pub(crate) fn new(item: &CollectItem, excludes: &Excludes) -> Result<Self, globset::Error> {
        let glob = item.glob()?.compile_matcher();
        let path = Path::new(&item.path);
        let wild = |part: &str| part.contains(['*', '?', '[', ']', '{', '}', '\\']);
        let literal = (!wild(&item.path)).then(|| path.to_owned());
        let fixed = |part: &Component<'_>| !wild(&part.as_os_str().to_string_lossy());
        let base: PathBuf = match &literal {
            Some(path) => path.parent().unwrap_or(path).to_owned(),
            None => path.components().take_while(fixed).collect(),
        };
        let rest = path.strip_prefix(&base).unwrap_or(path).to_string_lossy();
        let open = rest.contains("**") || rest.contains(['{', '[', '\\']);
        let component = |part: &str| Ok(Glob::new(part)?.compile_matcher());
        let below = if open { Ok(Vec::new()) } else { rest.split('/').map(component).collect() };
        let topic = item.topic.as_str().into();
        Ok(Self { topic, literal, glob, excludes: excludes.clone(), base, below: below? })
    }

    /// Whether the pattern collects `path`.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        match &self.literal {
            Some(literal) => literal == path,
            None => self.glob.is_match(path) && !self.excludes.contain(path),
        }
    }

    /// Visits the folders in which files may appear, and the files that are collected.
    pub(crate) fn walk(&self, folder: &mut dyn FnMut(&Path), file: &mut dyn FnMut(&Path)) {
        // folders that do not exist yet announce themselves in the nearest one that does
        if let Some(existing) = self.base.ancestors().find(|path| path.is_dir())
            && existing != self.base
        {
            folder(existing);
            return;
        }
        if let Some(literal) = &self.literal {
            folder(&self.base);
            return file(literal);
        }
        let depth = if self.below.is_empty() { MAX_DEPTH } else { self.below.len() };
        let walk = WalkDir::new(&self.base).follow_links(true).max_depth(depth).into_iter();
        for entry in walk.filter_entry(|entry| self.is_on_the_way(entry)) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    if entry.depth() < depth {
                        folder(entry.path());
                    }
                }
                Ok(entry) => {
                    if self.matches(entry.path()) {
                        file(entry.path());
                    }
                }
                Err(error) => debug!(%error, "cannot look into a folder"),
            }
        }
    }

    /// Whether a folder may hold something, or a file may match.
    fn is_on_the_way(&self, entry: &walkdir::DirEntry) -> bool {
        let component = entry.depth().checked_sub(1).and_then(|n| self.below.get(n));
        component.is_none_or(|glob| glob.is_match(entry.file_name()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::tempdir;

    use super::*;

    fn pattern(path: &Path) -> Pattern {
        let item = CollectItem { path: path.to_str().unwrap().to_owned(), topic: "t".to_owned() };
        let excludes = Excludes::new(&["*.gz".to_owned()]).unwrap();
        Pattern::new(&item, &excludes).unwrap()
    }

    fn walk(pattern: &Pattern, root: &Path) -> (Vec<String>, Vec<String>) {
        let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let (mut folders, mut files) = (Vec::new(), Vec::new());
        pattern.walk(&mut |path| folders.push(name(path)), &mut |path| files.push(name(path)));
        folders.sort();
        files.sort();
        (folders, files)
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn a_plain_path_is_one_file() {
        let root = tree(&["a.log", "b.log"]);
        let (folders, files) = walk(&pattern(&root.path().join("a.log")), root.path());
        assert_eq!((folders, files), (vec![String::new()], vec!["a.log".to_owned()]));
    }

    #[test]
    fn a_glob_looks_only_into_folders_that_can_match() {
        let root = tree(&["app1/x.log", "app1/x.log.gz", "app1/sub/y.log", "other/z.log"]);
        let (folders, files) = walk(&pattern(&root.path().join("app*/*.log*")), root.path());
        assert_eq!(folders, ["", "app1"]);
        assert_eq!(files, ["app1/x.log"]);
    }

    #[test]
    fn two_stars_reach_any_depth() {
        let root = tree(&["a/x.log", "a/b/c/y.log", "top.log", "a/no.txt"]);
        let (folders, files) = walk(&pattern(&root.path().join("**/*.log")), root.path());
        assert_eq!(folders, ["", "a", "a/b", "a/b/c"]);
        assert_eq!(files, ["a/b/c/y.log", "a/x.log", "top.log"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_awaited_in_its_parent() {
        let root = tree(&["x"]);
        let (folders, files) = walk(&pattern(&root.path().join("later/deep/*.log")), root.path());
        assert_eq!((folders, files), (vec![String::new()], vec![]));
    }

    #[test]
    fn a_loop_of_links_ends() {
        let root = tree(&["a/x.log"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        let (_, files) = walk(&pattern(&root.path().join("**/*.log")), root.path());
        assert_eq!(files, ["a/x.log"]);
    }

    #[test]
    fn alternatives_and_classes_match_whole_paths() {
        let root = tree(&["a/1.log", "b/2.log", "c/3.log"]);
        let (_, files) = walk(&pattern(&root.path().join("{a,b}/[0-9].log")), root.path());
        assert_eq!(files, ["a/1.log", "b/2.log"]);
    }
}
