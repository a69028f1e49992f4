use proptest::prelude::*;

use super::request::Request;
use super::*;

fn line(text: &[u8]) -> Line<'_> {
    parse(Format::Auto, text, &TimeZone::UTC)
}

fn access(text: &[u8]) -> Access<'_> {
    match line(text) {
        Line::Access(access) => access,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
    }
}

fn error(text: &[u8]) -> ErrorEntry<'_> {
    match line(text) {
        Line::Error(entry) => entry,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
    }
}

fn request<'a>(method: &'a str, target: &'a str, version: Option<&'a str>) -> Option<Request<'a>> {
    let version = version.map(str::as_bytes);
    Some(Request { method: method.as_bytes(), target: target.as_bytes(), version })
}

const COMBINED: &[u8] = br#"192.0.2.7 - - [21/Nov/2026:08:50:46 +0100] "GET /a/b.html?q=1 HTTP/1.1" 200 612 "https://example.org/" "curl/8.5.0""#;

#[test]
fn a_combined_line() {
    let expected = Access {
        address: b"192.0.2.7",
        user: None,
        time_ms: 1_795_247_446_000,
        request: request("GET", "/a/b.html?q=1", Some("1.1")),
        status: 200,
        body_bytes: 612,
        referrer: Some(b"https://example.org/"),
        user_agent: Some(b"curl/8.5.0"),
    };
    assert_eq!(access(COMBINED), expected);
    let (path, query) = expected.request.unwrap().path_and_query();
    assert_eq!((path, query), (Some(b"/a/b.html".as_slice()), Some(b"q=1".as_slice())));
}

/// The request between its quotes, and what of it is recognised.
#[test]
fn odd_requests() {
    let of = |request: &str| {
        format!(r#"::1 - - [21/Nov/2026:08:50:46 +0000] "{request}" 400 150 "-" "-""#).into_bytes()
    };
    let none = [
        "",
        "-",
        r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03",
        "GET",
        "get / HTTP/1.1",
        " / HTTP/1.1",
        "GET ",
    ];
    for text in none {
        assert_eq!(access(&of(text)).request, None, "{text}");
    }
    let some = [
        ("GET / HTTP/1.0", request("GET", "/", Some("1.0"))),
        ("GET /old", request("GET", "/old", None)),
        ("PRI * HTTP/2.0", request("PRI", "*", Some("2.0"))),
        ("CONNECT example.org:443 HTTP/1.1", request("CONNECT", "example.org:443", Some("1.1"))),
        ("GET http://example.org/x?y HTTP/1.1", request("GET", "http://example.org/x?y", Some("1.1"))),
        ("GET /a b c HTTP/1.1", request("GET", "/a b c", Some("1.1"))),
        ("GET /a HTTP/x", request("GET", "/a HTTP/x", None)),
        (r"GET /caf\xC3\xA9\x22 HTTP/1.1", request("GET", r"/caf\xC3\xA9\x22", Some("1.1"))),
        (r#"GET /\"quoted\" HTTP/1.1"#, request("GET", r#"/\"quoted\""#, Some("1.1"))),
        ("M-SEARCH / HTTP/1.1", request("M-SEARCH", "/", Some("1.1"))),
    ];
    for (text, expected) in some {
        assert_eq!(access(&of(text)).request, expected, "{text}");
    }
}

#[test]
fn paths_of_targets() {
    let parts = |target: &'static str| {
        let request = request("GET", target, None).unwrap();
        let (path, query) = request.path_and_query();
        (
            path.map(|path| std::str::from_utf8(path).unwrap()),
            query.map(|query| std::str::from_utf8(query).unwrap()),
        )
    };
    assert_eq!(parts("/"), (Some("/"), None));
    assert_eq!(parts("/?"), (Some("/"), Some("")));
    assert_eq!(parts("/a?b?c"), (Some("/a"), Some("b?c")));
    assert_eq!(parts("http://h/p?q"), (Some("/p"), Some("q")));
    assert_eq!(parts("http://h"), (None, None));
    assert_eq!(parts("*"), (None, None));
    assert_eq!(parts("h:443"), (None, None));
    assert_eq!(parts("/redirect?to=http://h/p"), (Some("/redirect"), Some("to=http://h/p")));
}

#[test]
fn users_may_contain_spaces_and_brackets() {
    let text = br#"10.0.0.1 - a [b] c [21/Nov/2026:08:50:46 +0000] "GET / HTTP/1.1" 401 0 "-" "-""#;
    assert_eq!(access(text).user, Some(b"a [b] c".as_slice()));
    // a time inside the user is not the time: no quote can follow it there
    let text = br#"10.0.0.1 - x [01/Jan/2000:00:00:00 +0000] y [21/Nov/2026:08:50:46 +0000] "GET / HTTP/1.1" 401 0 "-" "-""#;
    assert_eq!(access(text).time_ms, 1_795_251_046_000);
    assert_eq!(access(text).user, Some(b"x [01/Jan/2000:00:00:00 +0000] y".as_slice()));
}

#[test]
fn fields_without_value_and_fields_after_the_last() {
    let text = br#"unix: - - [21/Nov/2026:08:50:46 +0000] "GET / HTTP/1.1" 000 0 "-" "-" "203.0.113.9, 10.0.0.1" 0.003"#;
    let read = access(text);
    assert_eq!(
        (read.address, read.status, read.referrer, read.user_agent),
        (b"unix:".as_slice(), 0, None, None)
    );
    // common format, and Apache's dash for no bytes
    let text = br#"h ident u [21/Nov/2026:08:50:46 +0000] "GET / HTTP/1.1" 304 -"#;
    let read = access(text);
    assert_eq!((read.user, read.status, read.body_bytes), (Some(b"u".as_slice()), 304, 0));
}

#[test]
fn quotes_and_backslashes_inside_fields() {
    let text = br#"h - - [21/Nov/2026:08:50:46 +0000] "GET / HTTP/1.1" 200 1 "a\x22b" "say \"hi\" \\""#;
    let read = access(text);
    assert_eq!(read.referrer, Some(br"a\x22b".as_slice()));
    assert_eq!(read.user_agent, Some(br#"say \"hi\" \\"#.as_slice()));
}

#[test]
fn what_is_missing_is_named() {
    let of = |text: &str| match parse(Format::NginxCombined, text.as_bytes(), &TimeZone::UTC) {
        Line::Unparsed(reason) => reason,
        other => panic!("{text}: {other:?}"),
    };
    let rest = |rest: &str| of(&format!("h - - [21/Nov/2026:08:50:46 +0000] {rest}"));
    assert_eq!(of(""), Unparsed::Address);
    assert_eq!(of("hello"), Unparsed::Address);
    assert_eq!(of(" - - [x"), Unparsed::Address);
    assert_eq!(of("a b c"), Unparsed::Time);
    assert_eq!(of("h - - [21/Nov/2026:08:50:46 +0000]"), Unparsed::Time);
    assert_eq!(of("h - - [99/Nov/2026:08:50:46 +0000] \"GET / HTTP/1.1\" 200 1"), Unparsed::Time);
    assert_eq!(of("h - -[21/Nov/2026:08:50:46 +0000] \"GET / HTTP/1.1\" 200 1"), Unparsed::Time);
    assert_eq!(rest("\"GET / HTTP/1.1"), Unparsed::Request);
    assert_eq!(rest("\"GET / HTTP/1.1\\\""), Unparsed::Request);
    assert_eq!(rest("\"GET / HTTP/1.1\\"), Unparsed::Request);
    assert_eq!(rest("\"GET / HTTP/1.1\" 20"), Unparsed::Status);
    assert_eq!(rest("\"GET / HTTP/1.1\" 2x0 1"), Unparsed::Status);
    assert_eq!(rest("\"GET / HTTP/1.1\" 200"), Unparsed::Bytes);
    assert_eq!(rest("\"GET / HTTP/1.1\" 200 9999999999999999999"), Unparsed::Bytes);
    assert_eq!(rest("\"GET / HTTP/1.1\" 200 1 x"), Unparsed::Referrer);
    assert_eq!(rest("\"GET / HTTP/1.1\" 200 1x"), Unparsed::Referrer);
    assert_eq!(rest("\"GET / HTTP/1.1\" 200 1 \"-\" \"cut off"), Unparsed::UserAgent);
    assert_eq!(rest("\"GET / HTTP/1.1\" 200 1 \"-\" \"a\"b"), Unparsed::UserAgent);
    assert_eq!(line(b"hello"), Line::Unparsed(Unparsed::NoFormat));
}

#[test]
fn an_error_line_with_everything() {
    let text = br#"2026/11/21 08:50:46 [error] 1234#5678: *9 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: example.org, request: "POST /api?x=1 HTTP/2.0", subrequest: "/auth", upstream: "http://127.0.0.1:8080/api?x=1", host: "example.org:443", referrer: "https://example.org/""#;
    let entry = error(text);
    assert_eq!(entry.time_ms, 1_795_251_046_000);
    assert_eq!(
        (entry.level, entry.pid, entry.tid, entry.connection),
        (b"error".as_slice(), 1234, 5678, Some(9))
    );
    let message = b"connect() failed (111: Connection refused) while connecting to upstream";
    assert_eq!(entry.message, message);
    let expected = error_log::Attributes {
        client: Some(b"192.0.2.1"),
        server: Some(b"example.org"),
        request: request("POST", "/api?x=1", Some("2.0")),
        subrequest: Some(b"/auth"),
        upstream: Some(b"http://127.0.0.1:8080/api?x=1"),
        host: Some(b"example.org:443"),
        referrer: Some(b"https://example.org/"),
    };
    assert_eq!(entry.attributes, expected);
}

#[test]
fn error_lines_without_connection_or_attributes() {
    let entry = error(b"2026/11/21 08:50:46 [notice] 1#1: using the \"epoll\" event method");
    assert_eq!((entry.connection, entry.message), (None, b"using the \"epoll\" event method".as_slice()));
    let entry =
        error(b"2026/11/21 08:50:46 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)");
    assert_eq!(entry.attributes, error_log::Attributes::default());
    assert_eq!(error(b"2026/11/21 08:50:46 [crit] 7#7: ").message, b"");
    assert_eq!(error(b"2026/11/21 08:50:46 [info] 7#7: *1").message, b"*1");
    let entry = error(b"2026/11/21 08:50:46 [info] 7#7: *3 client 10.0.0.1 closed keepalive connection");
    assert_eq!((entry.connection, entry.attributes.client), (Some(3), None));
    let entry =
        error(b"2026/11/21 08:50:46 [info] 7#7: *3 client timed out, client: 10.0.0.1, server: 0.0.0.0:80");
    assert_eq!(entry.attributes.client, Some(b"10.0.0.1".as_slice()));
    assert_eq!(entry.attributes.server, Some(b"0.0.0.0:80".as_slice()));
}

#[test]
fn attributes_that_a_client_forged_in_a_path_are_not_taken() {
    let text = br#"2026/11/21 08:50:46 [error] 1#1: *9 open() "/srv/a, client: 9.9.9.9, server: evil" failed (2: No such file or directory), client: 192.0.2.1, server: s, request: "GET /a", host: "x" HTTP/1.1", host: "h""#;
    let entry = error(text);
    assert_eq!(entry.attributes.client, Some(b"192.0.2.1".as_slice()));
    assert!(entry.message.ends_with(b"directory)"), "{}", String::from_utf8_lossy(entry.message));
}

#[test]
fn attributes_that_do_not_reach_the_end_stay_in_the_message() {
    let text = b"2026/11/21 08:50:46 [info] 1#1: *5 client disconnected, client: 10.0.0.1, server: 0.0.0.0:53, upstream: \"10.1.1.1:53\", bytes from/to client:0/0";
    let entry = error(text);
    assert_eq!(entry.attributes, error_log::Attributes::default());
    assert!(entry.message.ends_with(b"client:0/0"));
}

#[test]
fn a_line_of_nothing_but_attribute_beginnings_takes_no_square_time() {
    let mut text = b"2026/11/21 08:50:46 [error] 1#1: *9 x".to_vec();
    for _ in 0..100_000 {
        text.extend_from_slice(b", client: x");
    }
    assert_eq!(error(&text).attributes, error_log::Attributes::default());
}

#[test]
fn what_is_missing_in_an_error_line_is_named() {
    let of = |text: &str| match parse(Format::NginxError, text.as_bytes(), &TimeZone::UTC) {
        Line::Unparsed(reason) => reason,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(of("2026/11/21"), Unparsed::ErrorTime);
    assert_eq!(of("2026/11/31 08:50:46 [error] 1#1: x"), Unparsed::ErrorTime);
    assert_eq!(of("2026/11/21 08:50:46 error"), Unparsed::ErrorLevel);
    assert_eq!(of("2026/11/21 08:50:46 [] 1#1: x"), Unparsed::ErrorLevel);
    assert_eq!(of("2026/11/21 08:50:46 [ERROR] 1#1: x"), Unparsed::ErrorLevel);
    assert_eq!(of("2026/11/21 08:50:46 [error] 1: x"), Unparsed::ErrorProcess);
    assert_eq!(of("2026/11/21 08:50:46 [error] x#1: x"), Unparsed::ErrorProcess);
}

#[test]
fn plain_lines_are_not_looked_at() {
    assert_eq!(parse(Format::Plain, COMBINED, &TimeZone::UTC), Line::Plain);
}

#[test]
fn escapes_are_undone_where_the_result_is_text() {
    let mut scratch = Vec::new();
    let mut of =
        |text: &str| String::from_utf8(escape::unescape(text.as_bytes(), &mut scratch).to_vec()).unwrap();
    assert_eq!(of("plain"), "plain");
    assert_eq!(of(r"caf\xC3\xA9"), "café");
    assert_eq!(of(r"\x22a\x22 \x5Cn"), "\"a\" \\n");
    assert_eq!(of(r#"\"a\" \\ \n\t\r"#), "\"a\" \\ \n\t\r");
    // no UTF-8 comes out: a TLS handshake, Latin-1
    assert_eq!(of(r"\x16\x03\x01\xFC"), r"\x16\x03\x01\xFC");
    assert_eq!(of(r"caf\xE9"), r"caf\xE9");
    // no escape at all
    assert_eq!(of(r"\q \x \x1 \xZZ \"), r"\q \x \x1 \xZZ \");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Auto, Format::NginxCombined, Format::NginxError, Format::Plain] {
            let _ = parse(format, &bytes, &TimeZone::UTC);
        }
        let _ = escape::unescape(&bytes, &mut Vec::new());
    }

    #[test]
    fn damaged_lines_are_survived(at in 0..200usize, byte in any::<u8>(), cut in 0..200usize) {
        let errors: &[u8] = br#"2026/11/21 08:50:46 [error] 12#3: *9 m, client: c, server: s, request: "GET / HTTP/1.1", host: "h""#;
        for text in [COMBINED, errors] {
            let mut text = text.to_vec();
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            text.truncate(text.len() - cut.min(text.len()));
            let _ = line(&text);
        }
    }

    #[test]
    fn what_nginx_would_write_is_read_back(
        address in "[0-9a-f.:]{1,39}",
        user in "[a-z][a-z \\[\\]]{0,10}[a-z]",
        target in "/[!#-\\[\\]-~]{0,40}",
        status in 100..600u16,
        bytes in 0..1_000_000_000_000u64,
        agent in "[!#-\\[\\]-~][ !#-\\[\\]-~]{0,40}",
    ) {
        prop_assume!(agent != "-");
        let text = format!(
            "{address} - {user} [21/Nov/2026:08:50:46 +0000] \"GET {target} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\""
        );
        let read = access(text.as_bytes());
        prop_assert_eq!(read.address, address.as_bytes());
        prop_assert_eq!(read.user, Some(user.as_bytes()));
        prop_assert_eq!(read.request, request("GET", &target, Some("1.1")));
        prop_assert_eq!((read.status, read.body_bytes), (status, bytes));
        prop_assert_eq!(read.user_agent, Some(agent.as_bytes()));
    }
}
