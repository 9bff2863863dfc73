//! What a child is tried with.

/// How many records the long trials send.
pub(super) const MANY: usize = 1000;

/// How long the long line is, at least.
pub(super) const LONG: usize = 2 << 20;

/// Makes a record: an ordinary one, of about 230 bytes.
pub(super) fn record(id: usize) -> String {
    format!(
        "{{\"id\":{id},\"name\":\"Ana Souza\",\"email\":\"ana.souza{id}@example.org\",\"age\":34,\
         \"active\":true,\"tags\":[\"a\",\"b\"],\"note\":\"{}\"}}",
        "esteira doctor ".repeat(8).trim_end()
    )
}

/// Makes ordinary records, a line each.
pub(super) fn records(count: usize) -> Vec<u8> {
    (1..=count).flat_map(|id| (record(id) + "\n").into_bytes()).collect()
}

/// Puts a line between two ordinary records.
pub(super) fn between(line: &[u8]) -> Vec<u8> {
    [record(1).as_bytes(), line, record(2).as_bytes(), b""].join(&b'\n')
}

/// Makes a record of one long line.
pub(super) fn long() -> Vec<u8> {
    format!("{{\"id\":1,\"name\":\"{}\"}}\n", "x".repeat(LONG)).into_bytes()
}

/// A record with a byte that is no UTF-8 in its name.
pub(super) const NO_UTF8: &[u8] = b"{\"id\":7,\"name\":\"Bel\xe9m\"}";

/// What programs like to spell in their own way: the name of each, and a line with it.
pub(super) const SPELLINGS: [(&str, &str); 10] = [
    ("20-digit integers", r#"{"id":1,"v":12345678901234567890}"#),
    ("`1.0`", r#"{"id":2,"v":1.0}"#),
    ("`1e2`", r#"{"id":3,"v":1e2}"#),
    ("`\\u00e9`", r#"{"id":4,"v":"\u00e9"}"#),
    ("`\\/`", r#"{"id":5,"v":"a\/b"}"#),
    ("`é`", r#"{"id":6,"v":"é"}"#),
    ("key order", r#"{"id":7,"v":1,"b":2,"a":3}"#),
    ("repeated keys", r#"{"id":8,"v":1,"v":2}"#),
    ("spaces", r#"{ "id": 9, "v": 1 }"#),
    ("CR at the end", "{\"id\":10,\"v\":1}\r"),
];

/// Makes requests of the `records` protocol, the last with a field that no version knows.
pub(super) fn requests(ids: std::ops::RangeInclusive<usize>) -> Vec<u8> {
    let last = *ids.end();
    let request = |id: usize| {
        let unknown = if id == last && id > 1 { ",\"unheard_of\":true" } else { "" };
        format!("{{\"id\":{id},\"record\":{}{unknown}}}\n", record(id)).into_bytes()
    };
    ids.flat_map(request).collect()
}
