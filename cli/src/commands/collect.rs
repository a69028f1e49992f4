//! `logagent collect get|put|watch`: the list of files that a host collects, in etcd.

use std::io::Read as _;
use std::path::PathBuf;

use agent::collect::{CollectItem, EtcdConfig, MAX_BYTES};
use clap::{Args, Subcommand};
use etcd_client::{Client, Compare, CompareOp, EventType, Txn, TxnOp, WatchOptions};

use crate::fail::{Failure, OrFail as _, chain};
use crate::kafka::block_on;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  logagent collect get web-1
  logagent collect put web-1 collect.yaml
  echo '- {path: /var/log/nginx/*.log, topic: nginx_log}' | logagent collect put web-1
  logagent collect watch web-1

The list is YAML or JSON. Agents take a change within a second; a bad list is refused here already.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Print a host's list.
    Get {
        /// The host's id.
        host: String,
        #[command(flatten)]
        etcd: Etcd,
    },
    /// Replace a host's list, after checking it, and show what changes.
    Put {
        /// The host's id.
        host: String,
        /// The new list; "-" or nothing for stdin.
        file: Option<PathBuf>,
        /// Check and show what would change, but change nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        etcd: Etcd,
    },
    /// Show each change of a host's list until interrupted.
    Watch {
        /// The host's id.
        host: String,
        #[command(flatten)]
        etcd: Etcd,
    },
}

/// Where etcd is.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Etcd {
    /// etcd's addresses, comma-separated.
    #[arg(long, value_name = "ENDPOINTS", env = "LOGAGENT_ETCD", default_value = "127.0.0.1:2379")]
    etcd: String,
    /// What keys begin with.
    #[arg(long, value_name = "PREFIX", default_value = "/logagent")]
    key_prefix: String,
    /// The user's name, for an etcd with authentication.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    user: String,
    /// A file with the user's password.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true, requires = "user")]
    password_file: String,
    /// How long to wait for etcd.
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    timeout_ms: u64,
}

/// A host's list as etcd has it.
struct Stored {
    /// `None` when there is none.
    text: Option<String>,
    /// The revision of its last change; 0 when there is none.
    changed_at: i64,
    /// etcd's revision when it was read.
    read_at: i64,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        block_on(async {
            match self {
                Self::Get { host, etcd } => get(&host, &etcd).await,
                Self::Put { host, file, dry_run, etcd } => put(&host, file, dry_run, &etcd).await,
                Self::Watch { host, etcd } => watch(&host, &etcd).await,
            }
        })
    }
}

async fn get(host: &str, etcd: &Etcd) -> Result<(), Failure> {
    let stored = etcd.read(&mut etcd.connect().await?, host).await?;
    match stored.text {
        Some(text) if text.ends_with('\n') => output::print(text),
        Some(text) => output::print(text + "\n"),
        None => Err(Failure::new(format!("host {host:?} has no collect list (key {})", etcd.key(host)))
            .remedy("write one with `logagent collect put`")),
    }
}

async fn put(host: &str, file: Option<PathBuf>, dry_run: bool, etcd: &Etcd) -> Result<(), Failure> {
    let (name, bytes) = read_input(file)?;
    let new = agent::collect::parse_bytes(&bytes).or_fail(format!("{name} is no good collect list"))?;
    let mut client = etcd.connect().await?;
    let stored = etcd.read(&mut client, host).await?;
    let old = stored.text.as_deref().and_then(|text| agent::collect::parse(text).ok()).unwrap_or_default();
    output::print(changes(&old, &new))?;
    if dry_run {
        return Ok(());
    }
    // Only over the list that the changes were shown against.
    let key = etcd.key(host);
    let unchanged = Compare::mod_revision(key.as_str(), CompareOp::Equal, stored.changed_at);
    let transaction = Txn::new().when([unchanged]).and_then([TxnOp::put(key.as_str(), bytes, None)]);
    let response = etcd
        .within(client.txn(transaction))
        .await?
        .or_fail(format!("cannot write {key} to etcd at {}", etcd.etcd))?;
    if response.succeeded() {
        Ok(())
    } else {
        Err(Failure::new(format!("the list of {host} was changed by someone else at the same time"))
            .remedy("look at it with `logagent collect get`, then try again"))
    }
}

async fn watch(host: &str, etcd: &Etcd) -> Result<(), Failure> {
    let mut client = etcd.connect().await?;
    let stored = etcd.read(&mut client, host).await?;
    let mut known = Vec::new();
    show(&mut known, stored.text.as_deref().unwrap_or("[]"))?;
    let options = WatchOptions::new().with_start_revision(stored.read_at.saturating_add(1));
    let watching = client.watch(etcd.key(host), Some(options));
    let mut watch = etcd.within(watching).await?.or_fail("cannot watch etcd")?;
    while let Some(response) = watch.message().await.or_fail("the watch on etcd broke")? {
        for event in response.events() {
            let deleted = event.event_type() == EventType::Delete;
            let value = event.kv().map(|kv| kv.value()).filter(|_| !deleted);
            show(&mut known, &String::from_utf8_lossy(value.unwrap_or(b"[]")))?;
        }
        if response.canceled() {
            break;
        }
    }
    Err(Failure::new(format!("etcd ended the watch on {}", etcd.key(host))))
}

/// Prints how a list differs from the one known.
fn show(known: &mut Vec<CollectItem>, text: &str) -> Result<(), Failure> {
    match agent::collect::parse(text) {
        Ok(items) => {
            output::print(format!(
                "{}\n{}",
                jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                changes(known, &items)
            ))?;
            *known = items;
            Ok(())
        }
        Err(error) => output::print(format!("refused by agents: {error}\n")),
    }
}

/// One line for each item: `+` new, `-` gone, two spaces for what stays.
fn changes(old: &[CollectItem], new: &[CollectItem]) -> String {
    let line = |mark: &str, item: &CollectItem| format!("{mark} {} -> {}\n", item.path, item.topic);
    let gone = old.iter().filter(|item| !new.contains(item)).map(|item| line("-", item));
    let there = new.iter().map(|item| line(if old.contains(item) { " " } else { "+" }, item));
    let lines: String = gone.chain(there).collect();
    if lines.is_empty() { "  (nothing is collected)\n".to_owned() } else { lines }
}

/// The list to put, and what to call it in messages.
fn read_input(file: Option<PathBuf>) -> Result<(String, Vec<u8>), Failure> {
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    match file.filter(|path| path.as_os_str() != "-") {
        None => {
            std::io::stdin().lock().take(limit).read_to_end(&mut bytes).or_fail("cannot read stdin")?;
            Ok(("the list from stdin".to_owned(), bytes))
        }
        Some(path) => {
            let name = path.display().to_string();
            let file = std::fs::File::open(&path).or_fail(format!("cannot read {name}"))?;
            file.take(limit).read_to_end(&mut bytes).or_fail(format!("cannot read {name}"))?;
            Ok((name, bytes))
        }
    }
}

impl Etcd {
    fn key(&self, host: &str) -> String {
        format!("{}/{host}/collect_config", self.key_prefix.trim_end_matches('/'))
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let config = EtcdConfig {
            endpoints: self.etcd.clone(),
            key_prefix: self.key_prefix.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            timeout_ms: self.timeout_ms,
            keep_alive_ms: 10_000,
            recheck_ms: 60_000,
            backoff_ms: 200,
            backoff_max_ms: 5_000,
        };
        agent::collect::connect(&config).await.map_err(|error| self.failure("cannot connect to etcd", &error))
    }

    async fn read(&self, client: &mut Client, host: &str) -> Result<Stored, Failure> {
        let key = self.key(host);
        let response = self.within(client.get(key.as_str(), None)).await?;
        let response =
            response.map_err(|error| self.failure(&format!("cannot read {key} from etcd"), &error))?;
        let read_at = response.header().map_or(0, |header| header.revision());
        let stored = response.kvs().first();
        let text = stored.map(|kv| String::from_utf8_lossy(kv.value()).into_owned());
        Ok(Stored { text, changed_at: stored.map_or(0, |kv| kv.mod_revision()), read_at })
    }

    fn failure(&self, what: &str, error: &dyn std::error::Error) -> Failure {
        Failure::new(format!("{what} at {}: {}", self.etcd, chain(error)))
            .remedy("name etcd's address with --etcd HOST:PORT")
    }

    /// Bounds a call: the client itself may wait for ever.
    async fn within<T>(&self, call: impl Future<Output = T>) -> Result<T, Failure> {
        let limit = std::time::Duration::from_millis(self.timeout_ms);
        tokio::time::timeout(limit, call).await.map_err(|_| {
            Failure::new(format!("etcd at {} does not answer", self.etcd))
                .remedy("name etcd's address with --etcd HOST:PORT")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(pairs: &[(&str, &str)]) -> Vec<CollectItem> {
        let item = |(path, topic): &(&str, &str)| CollectItem {
            path: (*path).to_owned(),
            topic: (*topic).to_owned(),
        };
        pairs.iter().map(item).collect()
    }

    #[test]
    fn changes_show_what_comes_goes_and_stays() {
        let old = items(&[("/a", "t"), ("/b", "t")]);
        let new = items(&[("/b", "t"), ("/a", "u")]);
        assert_eq!(changes(&old, &new), "- /a -> t\n  /b -> t\n+ /a -> u\n");
        assert_eq!(changes(&old, &[]), "- /a -> t\n- /b -> t\n");
        assert_eq!(changes(&[], &[]), "  (nothing is collected)\n");
    }
}
