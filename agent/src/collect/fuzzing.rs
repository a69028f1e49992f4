//! The body of the fuzz target of the collect list: what etcd and files hold, and the cache of it.

use std::path::Path;

use daemon::config::quote;

use super::cache::Cache;
use super::item::{CollectItem, MAX_ITEMS, parse_bytes};
use crate::discover::{Excludes, Pattern};

/// Bytes as a list, and as the cache of one. What is accepted can be collected, and reads the same when it is written.
pub fn collect_list(bytes: &[u8]) {
    let cache = Cache::new(Path::new("/"), SOURCE.to_owned());
    if let Ok(Some((items, stamp))) = cache.read(bytes) {
        check(&items);
        let list = text_of(&items);
        let written = cache.write(&list, stamp);
        assert!(written.is_ok(), "a cache can be written: {written:?}");
        let again = written.and_then(|written| cache.read(&written)).ok().flatten();
        assert_eq!(again, Some((items, stamp)), "a cached list is kept");
    }
    if let Ok(items) = parse_bytes(bytes) {
        check(&items);
        assert_eq!(parse_bytes(text_of(&items).as_bytes()), Ok(items), "a list is kept");
    }
}

/// The list as an operator would write it.
fn text_of(items: &[CollectItem]) -> String {
    let item =
        |item: &CollectItem| format!("- path: {}\n  topic: {}\n", quote(&item.path), quote(&item.topic));
    if items.is_empty() { "[]".to_owned() } else { items.iter().map(item).collect() }
}

fn check(items: &[CollectItem]) {
    assert!(items.len() <= MAX_ITEMS, "{} items", items.len());
    for item in items {
        let pattern = Pattern::new(item, &Excludes::default());
        let Ok(pattern) = pattern else { unreachable!("{item:?} cannot be collected: {pattern:?}") };
        let _ = pattern.matches(Path::new(&item.path));
    }
}

const SOURCE: &str = "etcd:/logagent/web-1/collect_config";

/// Lists in all their forms.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 8] = [
        b"[]",
        b"# nginx\n- path: /var/log/nginx/access.log\n  topic: nginx_log\n",
        b"- {path: \"/var/log/app/**/*.log\", topic: app_log}\n- {path: /srv/?[ab]{c,d{e,f}}\\*, topic: x.y_z-1}\n",
        br#"[{"path": "/var/log/nginx/error.log", "topic": "nginx_error"}]"#,
        b"- &a {path: /a, topic: t}\n- path: 'it''s /b'\n  topic: |\n    t\n",
        b"--- !!seq\n- path: !!str /a\n  topic: \"\\u00e9\"\n...\n",
        b"- path: relative\n  topic: t\n",
        br#"{"source":"etcd:/logagent/web-1/collect_config","cluster":14841639068965178418,"revision":42,"list":"- path: /a\n  topic: t\n"}"#,
    ];
    texts.map(<[u8]>::to_vec).to_vec()
}
