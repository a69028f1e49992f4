//! The list in a file: written in place, renamed over, broken, gone, and back.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::Config;
use super::Watched;
use super::settings::shipped;

struct Scene {
    dir: TempDir,
    data: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), data: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("collect.yaml")
    }

    /// Followed by the folder's reports alone, as polling would take an hour.
    fn watch(&self) -> Watched {
        self.watch_polling(3_600_000)
    }

    fn watch_polling(&self, file_poll_ms: u64) -> Watched {
        let file = self.path().display().to_string();
        Watched::start(&Config { file, file_poll_ms, ..shipped() }, &self.data)
    }

    /// As an editor or config management replaces a file.
    fn replace(&self, text: &str) {
        let fresh = self.dir.path().join(".collect.yaml.swp");
        fs::write(&fresh, text).unwrap();
        fs::rename(fresh, self.path()).unwrap();
    }
}

#[tokio::test]
async fn a_change_in_place_and_a_replaced_file_take_effect() {
    let scene = Scene::new();
    fs::write(scene.path(), "- {path: /a, topic: x}\n").unwrap();
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    fs::write(scene.path(), "- {path: /a, topic: x}\n- {path: /b, topic: y}\n").unwrap();
    watched.until(&[("/a", "x"), ("/b", "y")]).await;
    scene.replace("- {path: /c, topic: z}\n");
    watched.until(&[("/c", "z")]).await;
    scene.replace("[]");
    watched.until(&[]).await;
    assert_eq!(watched.metrics.collect_applied.get(), 4);
}

#[tokio::test]
async fn polling_finds_a_change_that_is_not_reported() {
    let scene = Scene::new();
    let folder = scene.dir.path().join("later");
    let file = folder.join("collect.yaml").display().to_string();
    let config = Config { file: file.clone(), file_poll_ms: 10, ..shipped() };
    // the folder does not exist yet, so it cannot be watched
    let mut watched = Watched::start(&config, &scene.data);
    watched.until_ready().await;
    fs::create_dir(&folder).unwrap();
    fs::write(file, "- {path: /a, topic: x}\n").unwrap();
    watched.until(&[("/a", "x")]).await;
}

#[tokio::test]
async fn a_bad_list_is_refused_once_and_the_last_good_one_stays() {
    let scene = Scene::new();
    fs::write(scene.path(), "- {path: /a, topic: x}\n").unwrap();
    let mut watched = scene.watch_polling(10);
    watched.until(&[("/a", "x")]).await;
    scene.replace("- {path: relative, topic: x}\n");
    watched.until_rejected(1).await;
    assert_eq!(watched.now(), [("/a".to_owned(), "x".to_owned())]);
    scene.replace("- {path: /b, topic: x}\n");
    watched.until(&[("/b", "x")]).await;
    assert_eq!(watched.metrics.collect_rejected.get(), 1, "it was looked at many times and refused once");
}

#[tokio::test]
async fn a_file_that_is_gone_keeps_the_list_also_over_a_restart() {
    let scene = Scene::new();
    fs::write(scene.path(), "- {path: /a, topic: x}\n").unwrap();
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    fs::remove_file(scene.path()).unwrap();
    drop(watched);
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    assert_eq!(watched.metrics.collect_applied.get(), 0, "it was in force already");
    scene.replace("- {path: /b, topic: y}\n");
    watched.until(&[("/b", "y")]).await;
}

#[tokio::test]
async fn a_bad_list_at_the_start_leaves_the_cached_one() {
    let scene = Scene::new();
    scene.replace("- {path: /a, topic: x}\n");
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    drop(watched);
    scene.replace("- {path: /a, topic: no good}\n");
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    watched.until_rejected(1).await;
}

#[tokio::test]
async fn without_file_and_cache_nothing_is_collected_and_the_agent_is_ready() {
    let scene = Scene::new();
    let mut watched = scene.watch();
    watched.until_ready().await;
    assert!(watched.now().is_empty());
    scene.replace("- {path: /a, topic: x}\n");
    watched.until(&[("/a", "x")]).await;
}

#[tokio::test]
async fn an_empty_file_is_an_unfinished_write() {
    let scene = Scene::new();
    scene.replace("- {path: /a, topic: x}\n");
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    scene.replace("");
    watched.until_rejected(1).await;
    assert_eq!(watched.now().len(), 1);
}

#[tokio::test]
async fn the_gauge_shows_the_version_in_force() {
    let scene = Scene::new();
    scene.replace("- {path: /a, topic: x}\n");
    let mut watched = scene.watch();
    watched.until(&[("/a", "x")]).await;
    scene.replace("- {path: /b, topic: x}\n");
    watched.until(&[("/b", "x")]).await;
    let metrics = watched.ctx.metrics.encode();
    assert!(metrics.contains("logagent_agent_collect_revision 2"), "{metrics}");
}
