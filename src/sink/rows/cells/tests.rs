use std::borrow::Cow;

use super::{Cell, cell};
use crate::words::policy::ColumnType;

fn taken(value: &str, kind: Option<ColumnType>) -> Result<Cell<'_>, &'static str> {
    cell(value.as_bytes(), kind).map_err(|(code, _)| code)
}

#[test]
fn each_type_takes_what_is_of_it_and_refuses_the_rest() {
    use ColumnType::{Blob, Boolean, Date, Integer, Json, Numeric, Real, Text, Timestamp, Uuid};
    let text = |text: &'static str| Ok(Cell::Text(Cow::Borrowed(text)));
    let (kind, range) = (Err("column.type"), Err("column.range"));
    let uuid = "\"0190f1a0-7b7c-7abc-8def-0123456789ab\"";
    for (value, column, wanted) in [
        ("12", Integer, Ok(Cell::Integer(12))),
        ("-9223372036854775808", Integer, Ok(Cell::Integer(i64::MIN))),
        ("9223372036854775808", Integer, range.clone()),
        ("1.0", Integer, kind.clone()),
        ("\"12\"", Integer, kind.clone()),
        ("true", Integer, kind.clone()),
        ("1.10", Numeric, Ok(Cell::Number("1.10"))),
        (
            "123456789012345678901234567890.5",
            Numeric,
            Ok(Cell::Number("123456789012345678901234567890.5")),
        ),
        ("1e3", Real, Ok(Cell::Real(1000.0, "1e3"))),
        ("1e400", Real, range),
        ("\"a\"", Text, text("a")),
        (r#""a\u0000\n\ud83d\ude00""#, Text, text("a\0\n😀")),
        (r#""\ud800""#, Text, Err("column.text")),
        ("5", Text, kind.clone()),
        ("true", Boolean, Ok(Cell::Truth(true))),
        ("1", Boolean, kind.clone()),
        (r#"{"a": [1.0]}"#, Json, text(r#"{"a": [1.0]}"#)),
        ("\"2024-02-29T12:00:00.5+01:00\"", Timestamp, text("2024-02-29T12:00:00.5+01:00")),
        ("\"2023-02-29T12:00:00Z\"", Timestamp, kind.clone()),
        ("\"2024-02-29\"", Date, text("2024-02-29")),
        ("\"29.2.2024\"", Date, kind.clone()),
        (uuid, Uuid, text(uuid.trim_matches('"'))),
        ("\"0190f1a0\"", Uuid, kind.clone()),
        ("\"AAH/\"", Blob, Ok(Cell::Bytes(vec![0, 1, 255]))),
        ("\"A\"", Blob, kind),
        ("null", Integer, Ok(Cell::Null)),
        ("null", Json, Ok(Cell::Null)),
    ] {
        assert_eq!(taken(value, Some(column)), wanted, "{value} as {column:?}");
    }
}

#[test]
fn without_a_type_a_value_is_taken_as_it_comes() {
    for (value, wanted) in [
        ("12", Cell::Integer(12)),
        ("9223372036854775808", Cell::Number("9223372036854775808")),
        ("1.10", Cell::Number("1.10")),
        ("\"a\"", Cell::Text("a".into())),
        ("false", Cell::Truth(false)),
        ("[1, 2]", Cell::Text("[1, 2]".into())),
        ("null", Cell::Null),
    ] {
        assert_eq!(taken(value, None), Ok(wanted), "{value}");
    }
}
