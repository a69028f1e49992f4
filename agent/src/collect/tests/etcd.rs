//! The list in a real etcd that is restarted, killed, compacted, wiped, and away.

use tempfile::TempDir;

use super::super::Config;
use super::Watched;
use super::etcd_server::Etcd;
use super::settings::shipped;

fn watch(etcd: &Etcd, data: &TempDir) -> Watched {
    Watched::start(&config(etcd), data)
}

fn config(etcd: &Etcd) -> Config {
    Config { etcd: etcd.config(), ..shipped() }
}

#[tokio::test]
async fn a_put_takes_effect_a_bad_one_is_refused_and_a_delete_stops_collecting() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    let mut watched = watch(&etcd, &data);
    watched.until_ready().await;
    assert!(watched.now().is_empty());
    etcd.put("- {path: /a, topic: x}\n").await;
    watched.until(&[("/a", "x")]).await;
    etcd.put(r#"[{"path": "/a", "topic": "x"}, {"path": "/b", "topic": "y"}]"#).await;
    watched.until(&[("/a", "x"), ("/b", "y")]).await;
    etcd.put("- {path: /a, tropic: x}\n").await;
    watched.until_rejected(1).await;
    assert_eq!(watched.now().len(), 2);
    etcd.put("- {path: /c, topic: z}\n").await;
    watched.until(&[("/c", "z")]).await;
    etcd.delete().await;
    watched.until(&[]).await;
    etcd.put("- {path: /d, topic: z}\n").await;
    watched.until(&[("/d", "z")]).await;
}

#[tokio::test]
async fn a_put_of_the_same_list_is_applied_but_changes_nothing() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    watched.receiver.mark_unchanged();
    etcd.put("# the same\n- {path: /a, topic: x}\n").await;
    watched.until_applied(2).await;
    assert!(!watched.receiver.has_changed().unwrap(), "no tail is touched");
}

#[tokio::test]
async fn a_killed_etcd_is_followed_again_and_nothing_is_missed() {
    let (mut etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    for round in 0..2 {
        etcd.kill();
        etcd.run().await;
        let path = format!("/after-{round}");
        etcd.put(&format!("- {{path: {path}, topic: x}}\n")).await;
        watched.until(&[(path.as_str(), "x")]).await;
    }
}

#[tokio::test]
async fn a_compaction_while_the_watch_is_broken_is_gone_over() {
    // a watch from a compacted revision is answered "canceled" and then silence
    let (mut etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    etcd.compact().await;
    etcd.kill();
    etcd.run().await;
    etcd.put("- {path: /b, topic: x}\n").await;
    etcd.compact().await;
    watched.until(&[("/b", "x")]).await;
    etcd.put("- {path: /c, topic: x}\n").await;
    watched.until(&[("/c", "x")]).await;
}

#[tokio::test]
async fn the_cached_list_is_used_when_etcd_is_away_at_the_start() {
    let (mut etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    drop(watched);
    etcd.kill();
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    assert!(watched.ctx.health.is_ready());
    etcd.run().await;
    etcd.put("- {path: /b, topic: x}\n").await;
    watched.until(&[("/b", "x")]).await;
}

#[tokio::test]
async fn a_list_deleted_while_the_agent_was_down_stops_collecting() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    drop(watched);
    etcd.delete().await;
    let watched = watch(&etcd, &data);
    watched.until_applied(1).await;
    assert!(watched.now().is_empty());
}

#[tokio::test]
async fn an_etcd_that_lost_its_data_does_not_stop_collecting() {
    let (mut etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    for _ in 0..5 {
        etcd.put("- {path: /a, topic: x}\n").await;
    }
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    drop(watched);
    etcd.kill();
    etcd.wipe();
    etcd.run().await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    // other hosts' lists bring the revision above the one that the agent knows
    for _ in 0..3 {
        etcd.compact().await;
    }
    drop(watched);
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    assert_eq!(watched.metrics.collect_applied.get(), 0);
    etcd.put("- {path: /b, topic: x}\n").await;
    watched.until(&[("/b", "x")]).await;
}

#[tokio::test]
async fn a_bad_value_is_refused_once_however_often_it_is_read_again() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("nonsense").await;
    let mut config = config(&etcd);
    config.etcd.recheck_ms = 5;
    let mut watched = Watched::start(&config, &data);
    watched.until_rejected(1).await;
    etcd.put("- {path: /a, topic: x}\n").await;
    watched.until(&[("/a", "x")]).await;
    assert_eq!((watched.metrics.collect_rejected.get(), watched.metrics.collect_applied.get()), (1, 1));
}

#[tokio::test]
async fn the_gauge_shows_etcds_revision() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut watched = watch(&etcd, &data);
    watched.until(&[("/a", "x")]).await;
    let answer = etcd.client().await.get(config(&etcd).etcd.key("web-1"), None).await.unwrap();
    let revision = answer.kvs()[0].mod_revision();
    let metrics = watched.ctx.metrics.encode();
    assert!(metrics.contains(&format!("logagent_agent_collect_revision {revision}\n")), "{metrics}");
}

#[tokio::test]
async fn a_user_with_a_password_is_let_in() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    etcd.put("- {path: /a, topic: x}\n").await;
    let mut client = etcd.client().await;
    client.user_add("root", "s3cret", None).await.unwrap();
    client.role_add("root").await.unwrap();
    client.user_grant_role("root", "root").await.unwrap();
    client.auth_enable().await.unwrap();
    let without = Watched::start(&config(&etcd), &data);
    without.until_ready().await;
    assert!(without.now().is_empty());
    let password = data.path().join("password");
    std::fs::write(&password, "s3cret\n").unwrap();
    let mut config = config(&etcd);
    config.etcd.user = "root".to_owned();
    config.etcd.password_file = password.display().to_string();
    let mut with = Watched::start(&config, &data);
    with.until(&[("/a", "x")]).await;
}

#[tokio::test]
async fn another_hosts_list_is_not_ours() {
    let (etcd, data) = (Etcd::start().await, TempDir::new().unwrap());
    let mut client = etcd.client().await;
    client.put(etcd.config().key("web-10"), "- {path: /a, topic: x}\n", None).await.unwrap();
    let mut watched = watch(&etcd, &data);
    watched.until_ready().await;
    assert!(watched.now().is_empty());
    etcd.put("- {path: /b, topic: x}\n").await;
    watched.until(&[("/b", "x")]).await;
}
