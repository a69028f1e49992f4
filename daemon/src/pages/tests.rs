use super::html::{Age, Grouped, Size, Text, shortened};
use super::*;

#[test]
fn text_is_never_markup() {
    let hostile = "<img src=x onerror=\"a\" title='b'>&amp;\u{0}\n\u{1b}[31m";
    let text = Text(hostile).to_string();
    assert_eq!(
        text,
        "&lt;img src=x onerror=&quot;a&quot; title=&#39;b&#39;&gt;&amp;amp;\u{fffd}\u{fffd}\u{fffd}[31m"
    );
    assert_eq!(Text("тема-日本").to_string(), "тема-日本");
}

#[test]
fn texts_are_cut_between_characters() {
    assert_eq!(shortened("äöü", 3), "äöü");
    assert_eq!(shortened("äöü", 2), "äö…");
    assert_eq!(shortened("", 0), "");
}

#[test]
fn numbers_are_grouped_by_thousands() {
    let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (123_456, "123,456")];
    for (number, text) in cases {
        assert_eq!(Grouped(number).to_string(), text);
    }
    assert_eq!(Grouped(i64::MIN).to_string(), "-9,223,372,036,854,775,808");
}

#[test]
fn sizes_and_ages_have_the_unit_that_suits() {
    let sizes = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (u64::MAX, "16384.0 PiB"),
    ];
    for (bytes, text) in sizes {
        assert_eq!(Size(bytes).to_string(), text);
    }
    let ages = [
        (0, "0 s"),
        (59, "59 s"),
        (65, "1 min 5 s"),
        (3600, "1 h 0 min"),
        (100_000, "1 d 3 h"),
        (864_000, "10 d 0 h"),
    ];
    for (seconds, text) in ages {
        assert_eq!(Age(seconds).to_string(), text);
    }
}

#[test]
fn a_request_says_where_in_which_form_and_with_what() {
    let cases = [
        ("/broker", "broker", "", Form::Html),
        ("/broker.json", "broker", "", Form::Json),
        ("/broker/topic", "broker", "topic", Form::Html),
        ("/broker/topic.json", "broker", "topic", Form::Json),
        ("/broker/a/b", "broker", "a/b", Form::Html),
        // relative links of a page would lead elsewhere from here
        ("/broker/", "broker/", "", Form::Html),
        ("/broker/.json", "broker/", "", Form::Json),
    ];
    for (path, root, below, form) in cases {
        let request = Request::new(path, "");
        assert_eq!((request.root(), request.below(), request.form()), (root, below, form), "{path}");
    }
    let request = Request::new("/broker", "q=a+b%26%3D%2F&page=3&&empty=&flag&q=second&page2=-1");
    assert_eq!(request.get("q"), Some("a b&=/"));
    assert_eq!((request.number("page"), request.number("page2"), request.number("q")), (Some(3), None, None));
    assert_eq!((request.get("empty"), request.get("flag"), request.get("none")), (Some(""), Some(""), None));
    let many = "a=1&".repeat(100) + "b=2";
    assert_eq!(Request::new("/broker", &many).get("b"), None, "what is kept of a request is bounded");
}

#[test]
fn links_lead_from_every_depth_and_carry_what_they_should() {
    let top = Request::new("/broker", "q=x%20y&page=2");
    assert_eq!(top.link("topic", &[("name", "a/b&c")]), "broker/topic?name=a%2Fb%26c");
    assert_eq!(top.link("", &[]), "broker");
    assert_eq!(top.with(&[("page", "3")]), "?q=x%20y&page=3");
    assert_eq!(top.with(&[("page", ""), ("q", "")]), "?");
    assert_eq!((top.home().as_str(), top.json().as_str()), ("./", "broker.json?q=x%20y&page=2"));

    let below = Request::new("/broker/topic", "name=t&refresh=0");
    assert_eq!(below.link("group", &[("name", "..")]), "../broker/group?name=..&refresh=0");
    assert_eq!(below.link("", &[]), "../broker?refresh=0");
    assert_eq!((below.home().as_str(), below.json().as_str()), ("../", "topic.json?name=t"));
    assert_eq!((below.refresh_seconds(), below.with_refresh(true).as_str()), (None, "?name=t"));
    assert_eq!(
        (top.refresh_seconds(), Request::new("/a", "refresh=1").refresh_seconds()),
        (Some(10), Some(2))
    );
}

#[test]
fn tables_escape_and_show_exact_values_beside_short_ones() {
    let mut out = String::new();
    let long = "x".repeat(1000);
    let rows = [
        [Cell::Link("<a>", "?name=%3Ca%3E".to_owned()), Cell::Size(1536)],
        [Cell::Text(&long), Cell::Rate(Some(1234.5678))],
        [Cell::Alarm("off&line"), Cell::SizeRate(Some(2048.4))],
        [Cell::Text("none"), Cell::maybe(None)],
        [Cell::count(7), Cell::Age(61)],
    ];
    table(&mut out, [Column::Text("na<me"), Column::Number("size")], rows).unwrap();
    for part in [
        "<th scope=\"col\">na&lt;me</th><th scope=\"col\" class=\"n\">size</th>",
        "<th scope=\"row\"><a href=\"?name=%3Ca%3E\">&lt;a&gt;</a></th>",
        "<td class=\"n\" title=\"1,536 bytes\">1.5 KiB</td>",
        "<td class=\"n\" title=\"1234.568 per second\">1,235</td>",
        "<th scope=\"row\" class=\"alarm\">off&amp;line</th>",
        "<td class=\"n\" title=\"2,048 bytes per second\">2.0 KiB/s</td>",
        "<td>–</td>",
        "<td class=\"n\" title=\"61 s\">1 min 1 s</td>",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    assert!(out.len() < 1500, "a long text is cut: {} bytes", out.len());

    out.clear();
    table(&mut out, [Column::Text("a")], Vec::<[Cell<'_>; 1]>::new()).unwrap();
    assert_eq!(out, "<p class=\"soft\">There are none.</p>\n");
    out.clear();
    facts(&mut out, &[("a<b", Cell::Number(-1000))]).unwrap();
    assert_eq!(out, "<dl>\n<div><dt>a&lt;b</dt><dd class=\"n\">-1,000</dd></div>\n</dl>\n");
}

#[test]
fn a_document_is_loaded_again_unless_it_is_told_not_to() {
    let shown =
        |query| document::document("t", "<p>body</p>", Some(&Request::new("/broker/topic", query))).html;
    let html = shown("name=a");
    assert!(html.contains("<meta http-equiv=\"refresh\" content=\"10\">"), "{html}");
    assert!(html.contains("<a href=\"?name=a&amp;refresh=0\">stop</a>"), "{html}");
    assert!(html.contains("<a href=\"topic.json?name=a\">"), "{html}");
    let html = shown("name=a&refresh=0");
    assert!(!html.contains("http-equiv") && html.contains("<a href=\"?name=a\">"), "{html}");
    assert!(!document::document("t", "", None).html.contains("http-equiv"));
}

#[tokio::test]
async fn a_page_takes_the_place_of_an_earlier_one() {
    #[derive(Debug)]
    struct Says(&'static str);
    impl Page for Says {
        fn show(&self, _: &Request) -> Result<Shown, PageError> {
            Ok(Shown::Json(self.0.as_bytes().to_vec()))
        }
    }
    let pages = Pages::default();
    let request = Request::new("/a.json", "");
    assert!(matches!(pages.show(&request).await, Err(PageError::NotFound(_))));
    pages.register("a", "first", Says("1"));
    pages.clone().register("a", "second", Says("2"));
    assert_eq!(pages.list(), [("a", "second")]);
    assert_eq!(pages.show(&request).await.unwrap(), Shown::Json(b"2".to_vec()));
}
