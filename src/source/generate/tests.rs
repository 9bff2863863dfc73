use std::collections::BTreeSet;

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::{Making, Source as _};
use crate::json;
use crate::plan::generate::{Choice, Field, Generate, Kind, Value};
use crate::source::{Read, Reader};
use crate::words::fields::{Locale, Plain, Share};
use crate::words::record::Split;

const LOCALES: [Locale; 14] = [
    Locale::ArSa,
    Locale::CyGb,
    Locale::DeDe,
    Locale::En,
    Locale::FaIr,
    Locale::FrFr,
    Locale::ItIt,
    Locale::JaJp,
    Locale::NlNl,
    Locale::PtBr,
    Locale::PtPt,
    Locale::TrTr,
    Locale::ZhCn,
    Locale::ZhTw,
];

const PLAIN: [Plain; 20] = [
    Plain::Sequence,
    Plain::Uuid,
    Plain::Name,
    Plain::FirstName,
    Plain::LastName,
    Plain::Username,
    Plain::Email,
    Plain::Password,
    Plain::Company,
    Plain::Job,
    Plain::Phone,
    Plain::Street,
    Plain::City,
    Plain::State,
    Plain::Zip,
    Plain::Country,
    Plain::CountryCode,
    Plain::Word,
    Plain::Sentence,
    Plain::Ipv4,
];

fn value(kind: Kind) -> Value {
    Value { kind, nulls: Share::NONE }
}

fn field(name: &str, kind: Kind) -> Field {
    Field { name: name.to_owned(), value: value(kind) }
}

/// Something of every kind.
fn everything() -> Vec<Field> {
    let mut fields: Vec<Field> =
        PLAIN.iter().map(|plain| field(&format!("{plain:?}"), Kind::Plain(*plain))).collect();
    let choice = |json: &str, weight| Choice { json: json.to_owned(), weight };
    let array = |of, min, max, unique| Kind::Array { of: Box::new(value(of)), min, max, unique };
    let word = Kind::Plain(Plain::Word);
    fields.extend([
        field("a \"key\"\n", Kind::Boolean(Share { parts: 9, of: 10 })),
        field("integer", Kind::Integer { min: -3, max: 3 }),
        field("wide", Kind::Integer { min: i64::MIN, max: i64::MAX }),
        field("decimal", Kind::Decimal { min: -1050, max: 1050, digits: 3 }),
        field("whole", Kind::Decimal { min: -2, max: 2, digits: 0 }),
        field("date", Kind::Date { from: -719_528, to: 2_932_896 }),
        field("timestamp", Kind::Timestamp { from: -62_167_219_200, to: 253_402_300_799 }),
        field("enum", Kind::Enum(vec![choice("\"x\"", 8), choice("1e2", 0), choice("true", 2)])),
        field("object", Kind::Object(vec![field("inner", word.clone()), field("b", word.clone())])),
        field("array", array(word.clone(), 2, 5, true)),
        field("dice", array(Kind::Integer { min: 1, max: 6 }, 10, 10, false)),
        field("few", array(Kind::Integer { min: 1, max: 2 }, 10, 10, true)),
    ]);
    let nulls = Share { parts: 1, of: 4 };
    fields.push(Field { name: "nulls".to_owned(), value: Value { nulls, ..value(word) } });
    fields
}

fn plan(count: u64, seed: u64, locale: Locale) -> Generate {
    Generate { count: Some(count), seed, locale, dirt: Share::NONE, fields: everything() }
}

fn reader(plan: &Generate) -> Box<dyn Reader> {
    Making::new(plan.clone()).open(Split { input: 0, start: 0, end: None }).unwrap()
}

/// Reads all with room for so much at a time.
fn read(plan: &Generate, rooms: &[usize]) -> Vec<u8> {
    let mut reader = reader(plan);
    let mut all = Vec::new();
    for room in rooms.iter().cycle() {
        let mut room = vec![0; *room];
        match reader.read(&mut room).unwrap() {
            Read::Bytes(0) => break,
            Read::Bytes(count) => all.extend_from_slice(&room[..count]),
            other => panic!("{other:?}"),
        }
    }
    all
}

fn whole(plan: &Generate) -> String {
    String::from_utf8(read(plan, &[64 << 10])).unwrap()
}

/// These bytes are a promise: who changes them breaks `--resume` of a run of the version before,
/// and the fixtures that somebody else has made.
#[test]
fn the_bytes_are_the_same_everywhere() {
    let golden = |seed, locale| {
        let made = read(&plan(1000, seed, locale), &[4096]);
        crate::words::dead_letter::hex(&Sha256::digest(&made))
    };
    assert_eq!(
        golden(7, Locale::PtBr),
        "39408f47371865b0ea00ed46d52580bc1c1199faa71217ae0fd00ab2446976f9"
    );
    assert_eq!(
        golden(0, Locale::ZhCn),
        "85f8158f88719d3d708cf5f94c8c0ca620353622a82bcb77bc7bfcf8ca70e9bb"
    );
}

#[test]
fn fewer_records_are_the_beginning_of_more() {
    let made = |count| whole(&plan(count, 1, Locale::En));
    let (few, many) = (made(500), made(1000));
    assert_eq!(few.lines().count(), 500);
    assert_eq!(many.lines().count(), 1000);
    assert!(many.starts_with(&few));
    assert_eq!(made(0), "");
}

#[test]
fn how_much_is_read_at_a_time_changes_nothing() {
    let plan = plan(300, 3, Locale::DeDe);
    let wanted = read(&plan, &[1 << 20]);
    for rooms in [&[1][..], &[7, 100_000, 3], &[4096], &[1000, 1], &[wanted.len()]] {
        assert!(read(&plan, rooms) == wanted, "{rooms:?}");
    }
}

#[test]
fn a_read_fills_its_room_until_the_end() {
    let plan = Generate { count: None, ..plan(0, 3, Locale::En) };
    let mut reader = reader(&plan);
    let mut room = vec![0; 4096];
    for _ in 0..1000 {
        assert_eq!(reader.read(&mut room).unwrap(), Read::Bytes(4096));
    }
}

#[test]
fn seeds_locales_and_records_differ() {
    let lines = |seed, locale| whole(&plan(100, seed, locale));
    let base = lines(0, Locale::En);
    for other in [lines(1, Locale::En), lines(0, Locale::FrFr)] {
        assert_eq!(base.lines().filter(|line| other.lines().any(|o| o == *line)).count(), 0);
    }
    let passwords = |line: &str| parse(line)["Password"].as_str().unwrap().to_owned();
    let once: BTreeSet<String> =
        whole(&plan(10_000, 0, Locale::En)).lines().map(passwords).collect();
    assert_eq!(once.len(), 10_000);
}

fn parse(line: &str) -> Json {
    serde_json::from_str(line).unwrap()
}

#[test]
fn every_value_is_of_its_kind_in_every_locale() {
    let shape = |pattern: &str| regex::Regex::new(pattern).unwrap();
    let shapes = [
        ("Uuid", shape("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")),
        ("Email", shape(r"^[a-z0-9]+\.[a-z0-9]+\d+@example\.(com|net|org)$")),
        ("Username", shape(r"^[a-z0-9]+_[a-z0-9]+\d+$")),
        ("Password", shape("^[0-9A-Za-z]{12,16}$")),
        ("CountryCode", shape("^[A-Z]{2}$")),
        ("Ipv4", shape(r"^(\d{1,3}\.){3}\d{1,3}$")),
        ("Phone", shape(r"\d")),
        ("Zip", shape(r"\d")),
        ("date", shape(r"^\d{4}-\d{2}-\d{2}$")),
        ("timestamp", shape(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")),
    ];
    for locale in LOCALES {
        let text = whole(&plan(300, 11, locale));
        for (number, line) in (1..).zip(text.lines()) {
            assert!(json::check(line.as_bytes()).is_ok(), "{locale:?}: {line}");
            let record = parse(line);
            assert_eq!(record["Sequence"], number);
            for plain in PLAIN.iter().skip(1) {
                let text = record[format!("{plain:?}")].as_str().unwrap();
                assert!(!text.trim().is_empty() && !text.contains(['{', '}']), "{plain:?}: {text}");
            }
            for (name, shape) in &shapes {
                let text = record[*name].as_str().unwrap();
                assert!(shape.is_match(text), "{locale:?} {name}: {text}");
            }
            assert!(record["a \"key\"\n"].is_boolean());
            assert!((-3..=3).contains(&record["integer"].as_i64().unwrap()));
            assert!(record["wide"].is_i64());
            assert!((-1.05..=1.05).contains(&record["decimal"].as_f64().unwrap()));
            assert!((-2..=2).contains(&record["whole"].as_i64().unwrap()));
            assert!(["\"x\"", "true"].contains(&record["enum"].to_string().as_str()));
            assert_eq!(record["object"].as_object().unwrap().len(), 2);
            let array = record["array"].as_array().unwrap();
            assert!((2..=5).contains(&array.len()));
            let once: BTreeSet<&str> = array.iter().map(|word| word.as_str().unwrap()).collect();
            assert_eq!(once.len(), array.len());
            assert_eq!(record["dice"].as_array().unwrap().len(), 10);
            assert_eq!(record["few"].as_array().unwrap().len(), 2, "there are no more");
        }
        let nulls = text.lines().filter(|line| parse(line)["nulls"].is_null()).count();
        assert!((40..110).contains(&nulls), "{nulls}");
    }
}

#[test]
fn dirt_is_of_every_sort_and_leaves_the_others_alone() {
    let clean = plan(10_000, 5, Locale::PtBr);
    let dirty = Generate { dirt: Share { parts: 3, of: 100 }, ..clean.clone() };
    let (mut broken, mut missing, mut mails, mut types) = (0, 0, 0, 0);
    let (clean, dirty) = (whole(&clean), whole(&dirty));
    assert_eq!(clean.lines().count(), dirty.lines().count());
    for (clean, dirty) in clean.lines().zip(dirty.lines()).filter(|(clean, dirty)| clean != dirty) {
        let fault = json::check(dirty.as_bytes());
        let Ok(record) = serde_json::from_str::<Json>(dirty) else {
            assert!(fault.is_err(), "{dirty}");
            broken += 1;
            continue;
        };
        let good = parse(clean);
        let (good, record) = (good.as_object().unwrap(), record.as_object().unwrap());
        let wrong: Vec<_> =
            good.iter().filter(|(key, value)| record.get(*key) != Some(*value)).collect();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        let (key, _) = wrong[0];
        match record.get(key) {
            None => missing += 1,
            Some(Json::String(text)) if key == "Email" => {
                assert!(!text.contains('@'));
                mails += 1;
            }
            Some(_) => types += 1,
        }
    }
    for count in [broken, missing, mails, types] {
        assert!((40..110).contains(&count), "{broken} {missing} {mails} {types}");
    }
    assert!((230..370).contains(&(broken + missing + mails + types)));
}

#[test]
fn a_record_of_one_field_may_be_dirty_too() {
    let fields = vec![field("é", Kind::Plain(Plain::Sequence))];
    let all = Share { parts: 1, of: 1 };
    let made = whole(&Generate { dirt: all, fields, ..plan(200, 0, Locale::En) });
    assert_eq!(made.lines().count(), 200);
    let once: BTreeSet<&str> = made.lines().collect();
    assert!(once.contains("{}") && once.contains("{\"é\":\"unknown\"}") && once.contains("{"));
    assert!(made.lines().all(|line| !line.is_empty()));
}

#[test]
fn weights_and_shares_say_how_often() {
    let made = whole(&plan(10_000, 9, Locale::En));
    let count = |wanted: &dyn Fn(&Json) -> bool| made.lines().filter(|l| wanted(&parse(l))).count();
    assert!((7_800..8_200).contains(&count(&|record| record["enum"] == "x")));
    assert_eq!(count(&|record| record["enum"].is_number()), 0, "its weight is 0");
    assert!((8_850..9_150).contains(&count(&|record| record["a \"key\"\n"] == true)));
    assert!((2_300..2_700).contains(&count(&|record| record["nulls"].is_null())));
}
