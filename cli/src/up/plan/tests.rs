use daemon::config::Section as _;

use super::*;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn plan(flags: &Flags) -> Result<Plan, Failure> {
    Plan::new(flags.over(Source::new(UpConfig::DEFAULTS)))
}

#[test]
fn paths_become_a_list_and_the_parts_find_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let flags = Flags {
        paths: vec!["/var/log/nginx/*.log".into(), "relative \"quoted\".log".into()],
        topic: Some("web".to_owned()),
        data_dir: Some(directory.path().join("data")),
        ..Flags::default()
    };
    let plan = plan(&flags).unwrap();
    let list = fs::read_to_string(plan.list.as_ref().unwrap()).unwrap();
    let items = agent::collect::parse(&list).unwrap();
    assert_eq!(items[0].path, "/var/log/nginx/*.log");
    assert!(
        items[1].path.starts_with('/') && items[1].path.ends_with("/relative \"quoted\".log"),
        "{items:?}"
    );
    assert!(items.iter().all(|item| item.topic == "web"));

    let agent = plan.agent(address("0.0.0.0:1234")).unwrap();
    assert_eq!(agent.ship.bootstrap_servers, "127.0.0.1:1234");
    assert_eq!(agent.collect.file(), plan.list);
    let transfer = plan.transfer(address("[::]:1234")).unwrap();
    assert_eq!(transfer.bootstrap, "[::1]:1234");
    assert_eq!(transfer.data_dir, directory.path().join("data/documents"));
    assert_eq!(transfer.elasticsearch.url, None);
    let topics: Vec<&str> = transfer.topics.iter().map(|topic| topic.name.as_str()).collect();
    assert_eq!(topics, ["web"]);
    assert_eq!(plan.broker().unwrap().data_dir, directory.path().join("data/broker"));
}

#[test]
fn what_the_file_says_of_a_part_wins_over_what_follows() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("up.yaml");
    let text = "agent: {ship: {bootstrap_servers: 'kafka:9092'}}\ntransfer: {bootstrap: 'kafka:9092'}\n";
    fs::write(&file, text).unwrap();
    let flags = Flags {
        paths: vec!["/a".into()],
        data_dir: Some(directory.path().to_owned()),
        elasticsearch: Some("http://es:9200".to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        ..Flags::default()
    };
    let plan = Plan::new(flags.over(Source::new(UpConfig::DEFAULTS).file(Some(file)))).unwrap();
    assert_eq!(plan.agent(address("127.0.0.1:1")).unwrap().ship.bootstrap_servers, "kafka:9092");
    let transfer = plan.transfer(address("127.0.0.1:1")).unwrap();
    assert_eq!(transfer.bootstrap, "kafka:9092");
    assert_eq!(transfer.elasticsearch.url.as_deref(), Some("http://es:9200"));
    assert_eq!(plan.broker().unwrap().listen, address("127.0.0.1:0"));
}

#[test]
fn a_list_that_gains_a_topic_makes_the_transfer_follow() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.yaml");
    fs::write(&list, "- {path: /a, topic: one}\n").unwrap();
    let flags = Flags {
        collect: Some(list.clone()),
        data_dir: Some(directory.path().join("data")),
        ..Flags::default()
    };
    let plan = plan(&flags).unwrap();
    let names = |plan: &Plan| -> Vec<String> {
        let transfer = plan.transfer(address("127.0.0.1:1")).unwrap();
        transfer.topics.into_iter().map(|topic| topic.name).collect()
    };
    assert_eq!(names(&plan), ["one"]);
    fs::write(&list, "- {path: /a, topic: one}\n- {path: /b, topic: two}\n").unwrap();
    assert_eq!(names(&plan), ["one", "two"]);
}

#[test]
fn nothing_to_collect_is_a_usage_error_not_an_idle_process() {
    let directory = tempfile::tempdir().unwrap();
    let flags = Flags { data_dir: Some(directory.path().to_owned()), ..Flags::default() };
    assert!(
        matches!(plan(&flags), Err(Failure::Usage(message)) if message.starts_with("nothing to collect"))
    );
}

#[test]
fn a_bad_list_is_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.yaml");
    fs::write(&list, "- {path: /a, topc: one}\n").unwrap();
    let flags = Flags { collect: Some(list), data_dir: Some(directory.path().join("d")), ..Flags::default() };
    assert!(matches!(plan(&flags), Err(Failure::Failed { message, .. }) if message.contains("list.yaml")));
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let flags = Flags { paths: vec!["/a".into()], data_dir: Some("/dev/null/x".into()), ..Flags::default() };
    let Err(Failure::Failed { message, remedy: Some(_) }) = plan(&flags) else { panic!() };
    assert!(message.starts_with("cannot create the data directory /dev/null/x"), "{message}");
}
