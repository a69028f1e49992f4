use bytes::Bytes;

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn item(status: u16, kind: &str) -> ItemVerdict {
    let error =
        if status < 300 { String::new() } else { format!(r#","error":{{"type":"{kind}","reason":"why"}}"#) };
    let body = format!(r#"{{"errors":true,"items":[{{"create":{{"status":{status}{error}}}}}]}}"#);
    match judge(&answer(200, &body), 1) {
        Verdict::Items(mut items) => items.remove(0),
        other => panic!("{other:?}"),
    }
}

fn again(why: &'static str, kind: &str) -> ItemVerdict {
    ItemVerdict::Again { why, kind: kind.to_owned() }
}

fn refused(status: u16, kind: &str) -> ItemVerdict {
    ItemVerdict::Refused(Refusal { status, kind: kind.to_owned(), reason: "why".to_owned() })
}

#[test]
fn items() {
    let table = [
        (200, "", ItemVerdict::Added),
        (201, "", ItemVerdict::Added),
        (409, "version_conflict_engine_exception", ItemVerdict::Duplicate),
        (429, "es_rejected_execution_exception", again("429", "es_rejected_execution_exception")),
        (429, "cluster_block_exception", again("429", "cluster_block_exception")),
        (429, "circuit_breaking_exception", again("429", "circuit_breaking_exception")),
        (503, "unavailable_shards_exception", again("5xx", "unavailable_shards_exception")),
        (500, "null_pointer_exception", again("5xx", "null_pointer_exception")),
        (401, "security_exception", again("denied", "security_exception")),
        (403, "security_exception", again("denied", "security_exception")),
        (403, "cluster_block_exception", again("denied", "cluster_block_exception")),
        (404, "index_not_found_exception", again("status", "index_not_found_exception")),
        (408, "timeout", again("status", "timeout")),
        (302, "", again("status", "")),
        (400, "mapper_parsing_exception", refused(400, "mapper_parsing_exception")),
        (400, "document_parsing_exception", refused(400, "document_parsing_exception")),
        (400, "strict_dynamic_mapping_exception", refused(400, "strict_dynamic_mapping_exception")),
        (400, "illegal_argument_exception", refused(400, "illegal_argument_exception")),
        (413, "too_large", refused(413, "too_large")),
        (422, "odd", refused(422, "odd")),
    ];
    for (status, kind, expected) in table {
        assert_eq!(item(status, kind), expected, "{status} {kind}");
    }
}

/// What is wrong with the cluster and not with the document comes as 400, too.
#[test]
fn a_full_cluster_or_a_closed_index_does_not_bury_documents() {
    for kind in ["validation_exception", "index_closed_exception", "rejected_execution_exception"] {
        assert_eq!(item(400, kind), again("transient", kind));
    }
}

#[test]
fn http_200_proves_nothing() {
    let body = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"there"}}}]}"#;
    let expected =
        vec![ItemVerdict::Added, again("429", "es_rejected_execution_exception"), ItemVerdict::Duplicate];
    assert_eq!(judge(&answer(200, body), 3), Verdict::Items(expected));
}

#[test]
fn an_answer_that_does_not_fit_is_no_answer() {
    let one = r#"{"items":[{"create":{"status":201}}]}"#;
    for (body, count) in
        [(one, 2), ("{}", 1), ("", 1), ("<html>", 1), (r#"{"items":[{"index":{"status":201}}]}"#, 1)]
    {
        assert!(matches!(judge(&answer(200, body), count), Verdict::Again { why: "answer", .. }), "{body}");
    }
    assert_eq!(judge(&answer(200, one), 1), Verdict::Items(vec![ItemVerdict::Added]));
}

#[test]
fn an_exception_without_a_text_is_read() {
    let body =
        r#"{"items":[{"create":{"status":500,"error":{"type":"null_pointer_exception","reason":null}}}]}"#;
    assert_eq!(judge(&answer(200, body), 1), Verdict::Items(vec![again("5xx", "null_pointer_exception")]));
}

#[test]
fn whole_requests() {
    let error = |kind: &str| format!(r#"{{"error":{{"type":"{kind}","reason":"why"}},"status":400}}"#);
    let why = |status: u16, body: &str| match judge(&answer(status, body), 5) {
        Verdict::Again { why, .. } => why,
        Verdict::Smaller(refusal) => panic!("smaller: {refusal:?}"),
        Verdict::Items(_) => panic!("items"),
    };
    assert_eq!(why(429, ""), "429");
    assert_eq!(why(503, "<html>upstream</html>"), "5xx");
    assert_eq!(why(502, ""), "5xx");
    assert_eq!(why(401, &error("security_exception")), "denied");
    assert_eq!(why(403, &error("security_exception")), "denied");
    assert_eq!(why(404, ""), "status");
    assert_eq!(why(301, ""), "status");
    assert_eq!(why(201, ""), "status");
    // a proxy's 400 says nothing about a document
    assert_eq!(why(400, "The plain HTTP request was sent to HTTPS port"), "400");
    assert_eq!(why(400, &error("cluster_block_exception")), "400");
    assert!(matches!(judge(&answer(413, ""), 5), Verdict::Smaller(Refusal { status: 413, .. })));
    let refusal = Refusal {
        status: 400,
        kind: "action_request_validation_exception".to_owned(),
        reason: "why".to_owned(),
    };
    assert_eq!(
        judge(&answer(400, &error("action_request_validation_exception")), 5),
        Verdict::Smaller(refusal)
    );
}

#[test]
fn details_for_the_log_are_bounded() {
    let body = format!(r#"{{"error":{{"type":"t","reason":"{}"}}}}"#, "x".repeat(10_000));
    match judge(&answer(503, &body), 1) {
        Verdict::Again { detail, .. } => {
            assert!(detail.starts_with("status 503 t xxx") && detail.len() < 300)
        }
        other => panic!("{other:?}"),
    }
}
