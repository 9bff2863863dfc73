//! What is read from a text: settings with their places, `--set`, the environment, mistakes.

use std::time::Duration;

use crate::config::Written;
use crate::config::diagnostic::Diagnostics;
use crate::config::load::load;
use crate::config::origin::{Origin, Span};
use crate::config::schema::{
    Body, Config, Dispatch, Protocol, Setting, Source, SourceKind, Stage, Workers,
};
use crate::words::policy::{Check, OnCrash, OnReject, Order};
use crate::words::text::escape;
use crate::words::units::{Limit, Restarts};

const PLAIN: &str = "\
[sources.in]
type = \"stdin\"
[stages.validate]
run = [\"cat\", \"${HOME}\"]
[sinks.out]
type = \"stdout\"
";

fn read(text: &str, sets: &[&str]) -> Result<Config, Diagnostics> {
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let name = "dir/demo.toml";
    let sets = sets.as_slice();
    load(&Written { name, text, sets }, &|name| match name {
        "WHERE" => Some("deep/secret".to_owned()),
        "SLOW" => Some("very slow".to_owned()),
        _ => None,
    })
}

/// The mistakes of form in a text, as they are drawn.
fn mistakes(text: &str, sets: &[&str]) -> String {
    match read(text, sets) {
        Ok(config) => config.mistakes().render(false),
        Err(diagnostics) => diagnostics.render(false),
    }
}

fn stage<'a>(config: &'a Config, name: &str) -> &'a Stage {
    let mut tables = config.tables.iter();
    let table = tables.find(|table| table.name.value.as_str() == name).unwrap();
    match &table.body {
        Body::Stage(stage) => stage,
        other => panic!("{name} is {other:?}"),
    }
}

fn source(config: &Config) -> &Source {
    match &config.tables.first().unwrap().body {
        Body::Source(source) => source,
        other => panic!("the first table is {other:?}"),
    }
}

#[test]
fn what_is_left_out_stays_open() {
    let config = read(PLAIN, &[]).unwrap();
    assert!(config.mistakes().is_empty());
    assert_eq!(config.pipeline.stem.as_deref(), Some("demo"));
    assert!(config.pipeline.root.is_left_out());
    let validate = stage(&config, "validate");
    assert!(validate.stall.is_left_out() && validate.inputs.is_left_out());
    assert_eq!(source(&config).kind.value(), Some(&SourceKind::Stdin));
}

#[test]
fn every_value_knows_its_place() {
    let config = read(PLAIN, &[]).unwrap();
    let Some(Span { text, start, end }) = source(&config).kind.origin().span() else {
        panic!("a file's value has a place");
    };
    assert_eq!((text, PLAIN.get(start..end)), (0, Some("\"stdin\"")));
    let table = &config.tables[1];
    let span = table.name.origin.span().unwrap();
    assert_eq!(PLAIN.get(span.start..span.end), Some("validate"));
}

#[test]
fn tables_keep_the_order_of_the_file_over_all_kinds() {
    let text = "[stages.z]\nrun=[\"a\"]\n[sources.b]\ntype=\"stdin\"\n[stages.a]\nrun=[\"a\"]\n";
    let config = read(text, &["sources.a.type=stdin"]).unwrap();
    let tables = config.tables.iter();
    let names: Vec<&str> = tables.map(|table| table.name.value.as_str()).collect();
    assert_eq!(names, ["z", "b", "a", "a"]);
}

#[test]
fn values_are_expanded_and_run_is_not() {
    let text = PLAIN.replace("\"stdin\"", "\"file\"\npath = \"${WHERE}/${FILE:-in}.ndjson\"");
    let config = read(&text, &[]).unwrap();
    let path = source(&config).path.value().unwrap().first().unwrap();
    assert_eq!(path.value.to_str(), Some("deep/secret/in.ndjson"));
    assert!(matches!(path.origin, Origin::Expanded(_)));
    assert_eq!(path.shown_path(), "${…}", "what came from outside is not shown");
    let run = stage(&config, "validate").run.value().unwrap();
    assert_eq!(run.last().unwrap().value.to_str(), Some("${HOME}"));
}

#[test]
fn no_message_shows_what_the_environment_holds() {
    let keys = "stall = \"${SLOW}\"\nexpect = \"${WHERE}\"\nrestarts = \"${SLOW}\"\n\
                dispatch = { by = \"${WHERE}\" }\n[sinks";
    let text = PLAIN.replace("[sinks", keys);
    let message = mistakes(&text, &["sources.in.max_record=${WHERE}"]);
    assert_eq!(message.matches("error: ").count(), 5, "{message}");
    assert!(!message.contains("very slow") && !message.contains("deep"), "{message}");
    assert!(message.contains("stall = \"${SLOW}\""), "{message}");
}

#[test]
fn a_pool_is_read_as_it_is_written() {
    let keys = "protocol = \"records\"\nworkers = \"auto\"\ndispatch = { by = \"/a~1b/0\" }\n\
                in_flight = { records = 16, bytes = \"64KiB\" }\norder = \"none\"\n\
                restarts = \"10/1h\"\non_crash = \"reject\"\nrecord_timeout = \"5s\"\n\
                ready = true\n[sinks";
    let config = read(&PLAIN.replace("[sinks", keys), &[]).unwrap();
    assert_eq!(config.mistakes().render(false), "\n", "nothing is wrong");
    let stage = stage(&config, "validate");
    assert_eq!(stage.protocol.value(), Some(&Protocol::Records));
    assert_eq!(stage.workers.value(), Some(&Workers::Auto));
    assert_eq!(stage.dispatch.value(), Some(&Dispatch::By("/a~1b/0".to_owned())));
    let window = (stage.in_flight_records.value(), stage.in_flight_bytes.value());
    assert_eq!(window, (Some(&16), Some(&65536)));
    assert_eq!(stage.order.value(), Some(&Order::None));
    let hour = Duration::from_hours(1);
    assert_eq!(stage.restarts.value(), Some(&Restarts { count: 10, period: hour }));
    assert_eq!(stage.on_crash.value(), Some(&OnCrash::Reject));
    assert_eq!(stage.record_timeout.value(), Some(&Duration::from_secs(5)));
    assert_eq!(stage.ready.value(), Some(&true));
}

#[test]
fn a_table_that_is_misspelt_is_reported_once() {
    let message = mistakes(&PLAIN.replace("[sinks", "dispatch = { bye = \"/id\" }\n[sinks"), &[]);
    assert_eq!(message.matches("error: ").count(), 1, "{message}");
    assert!(message.contains("did you mean `by`?"), "{message}");
}

#[test]
fn secrets_beside_a_mistake_are_masked() {
    let text = "password = \"hunter2\"\n[stages.a]\nenv = { A = \"hunter2\", B = 7 }\n\
                [stages.a.env]\nC = \"hunter2\"\nurl = { deep = [\"hunter2\"] }\n[x]\n\
                key_file = 'hunter2'\n";
    let message = mistakes(text, &["stages.a.env.D=hunter2", "stages.a.env.E.F=hunter2"]);
    assert!(message.contains("*******"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_set_replaces_or_creates() {
    let config = read(
        PLAIN,
        &[
            "stages.validate.stall=\"5s\"",
            "stages.validate.grace = 250ms",
            "stages.validate.run=[\"jq\", \".\"]",
            "pipeline.max_rejects=3",
            "pipeline.on_reject=stop",
            "sources.in.check=utf8",
        ],
    )
    .unwrap();
    assert_eq!(config.mistakes().render(false), "\n", "nothing is wrong");
    let validate = stage(&config, "validate");
    assert_eq!(validate.stall.value(), Some(&Duration::from_secs(5)));
    assert_eq!(validate.grace.value(), Some(&Duration::from_millis(250)));
    assert_eq!(validate.run.value().unwrap().len(), 2);
    let rules = &config.pipeline.rules;
    assert_eq!(rules.max_rejects.value(), Some(&Limit::Count(3)));
    assert_eq!(rules.on_reject.value(), Some(&OnReject::Stop));
    assert_eq!(source(&config).check.value(), Some(&Check::Utf8));
    let span = validate.grace.origin().span().unwrap();
    assert_eq!((span.text, span.start, span.end), (2, 24, 29));
}

#[test]
fn mistakes_in_a_set_are_shown_in_it() {
    let shown = [
        ("stages.validate.stall=soon", "--set:1:23"),
        ("stages.validate.stal=5s", "--set:1:17"),
        ("stages.validate.run.x=5s", "--set:1:17"),
        ("stages.nosuch.x=5s", "--set:1:15"),
        ("nonsense", "--set:1:1"),
        ("=5", "--set:1:1"),
        ("a b=5", "--set:1:1"),
        ("[x]\ny=5", "--set:1:1"),
    ];
    for (set, place) in shown {
        let message = mistakes(PLAIN, &[set]);
        assert_eq!(message.matches("error: ").count(), 1, "{set}:\n{message}");
        assert!(message.contains(&format!("--> {place}\n")), "{set}:\n{message}");
    }
}

#[test]
fn mistakes_come_in_the_order_of_their_places() {
    let text = "[sinks.Out]\ntype = \"stdot\"\n[pipeline]\nmax_rejects = 1.5\ndeadline = \"x\"\n";
    let config = read(text, &["pipeline.rot=1"]).unwrap();
    let places = config.mistakes().iter().map(|mistake| {
        let span = mistake.labels.first().and_then(|label| label.origin.span()).unwrap();
        (span.text, span.start)
    });
    let places: Vec<_> = places.collect();
    assert_eq!(places.len(), 5);
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_could_not_be_read_is_reported_once() {
    let text = PLAIN.replace("[\"cat\", \"${HOME}\"]", "7");
    let config = read(&text, &[]).unwrap();
    assert_eq!(config.mistakes().len(), 1);
    assert!(matches!(stage(&config, "validate").run, Setting::Unreadable(_)));
    assert!(config.unreadable().is_none(), "the table itself is there");
}

#[test]
fn what_a_file_holds_does_not_steer_a_terminal() {
    let text = "[stages.\"a\\u001b[2J\"]\n\"\u{9b}2J\" = 1\n\u{202e}\u{2028} = \"\u{1b}[2J\"\n";
    let message = mistakes(text, &["\u{1b}[2J", "stages.\u{1b}=\u{1b}"]);
    let shown = message.lines().map(|line| escape(line.as_bytes()));
    assert!(message.lines().map(str::to_owned).eq(shown), "{message:?}");
}

#[test]
fn any_text_is_answered_without_panicking() {
    let whole = include_str!("../../fixtures/pipelines/valid/every-key.toml");
    for (end, _) in whole.char_indices() {
        let cut = whole.get(..end).unwrap();
        mistakes(cut, &[]);
        mistakes(whole.get(end..).unwrap(), &[cut]);
    }
    mistakes("\u{feff}[sources.é]\r\nx = \"\u{1b}[2J\"\r\ny = 5s", &["\u{0}=\u{0}"]);
}
