//! Reads the tables of a pipeline file, kind by kind.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::generate;
use crate::config::golden::{self, Test};
use crate::config::keys::{
    CHECKS, EARLY_EXITS, EXIT, EXPECTS, IN_FLIGHT, ON_CRASHES, ON_REJECTS, ORDERS, PIPELINE,
    PROTOCOLS, PUBLISHES, SINK, SINK_KINDS, SOURCE, SOURCE_KINDS, STAGE, Word,
};
use crate::config::origin::{Located, Origin};
use crate::config::read::Reader;
use crate::config::schema::{Body, Pipeline, Rules, Setting, Sink, Source, Stage, Table};
use crate::config::suggest::nearest;
use crate::config::tree::{Entry, Value};
use crate::config::values;
use crate::config::{builtin, database};
use crate::words::id::Name;
use crate::words::text::escape;

const TOP: [&str; 5] = ["pipeline", "sources", "stages", "sinks", "tests"];

/// What the tables of a file hold.
#[derive(Default)]
pub(super) struct Tables {
    /// `[pipeline]`
    pub(super) pipeline: Pipeline,
    /// The others, in file order.
    pub(super) list: Vec<Table>,
    /// `[[tests]]`, in file order.
    pub(super) tests: Vec<Test>,
    /// Set when some are missing in the list.
    pub(super) unreadable: Option<Reported>,
}

/// Reads all tables of the tree.
pub(super) fn read(root: Vec<Entry>, out: &mut Diagnostics) -> Tables {
    let mut tables = Tables::default();
    let mut found = Vec::new();
    for entry in root {
        let kind = entry.key.clone();
        let Some(kind) = TOP.iter().find(|known| **known == kind) else {
            tables.unreadable = Some(out.push(unknown(&entry)));
            continue;
        };
        if *kind == "tests" {
            tables.tests = golden::read(entry, out);
            continue;
        }
        let below =
            if *kind == "pipeline" { "[pipeline]".to_owned() } else { format!("[{kind}.NAME]") };
        match entries(entry, kind, &below, out) {
            Ok(entries) if *kind == "pipeline" => tables.pipeline = pipeline(entries, out),
            Ok(entries) => found.extend(entries.into_iter().map(|entry| (*kind, entry))),
            Err(reported) => tables.unreadable = Some(reported),
        }
    }
    // The order of the belt is the order of the file over all kinds: what is left out in
    // `inputs` depends on it.
    found.sort_by_key(|(_, entry)| entry.at);
    for (kind, entry) in found {
        match table(kind, entry, out) {
            Ok(table) => tables.list.push(table),
            Err(reported) => tables.unreadable = Some(reported),
        }
    }
    tables
}

fn unknown(entry: &Entry) -> Diagnostic {
    let key = escape(entry.key.as_bytes());
    let noun = if matches!(entry.node.value, Value::Table(_)) { "table" } else { "key" };
    let mistake = Diagnostic::new(format!("unknown {noun} `{key}`"));
    mistake.at(Origin::Written(entry.at), "").hint(nearest(&entry.key, TOP).map_or_else(
        || {
            "a pipeline file holds `[pipeline]`, `[sources.NAME]`, `[stages.NAME]`, \
                 `[sinks.NAME]` and `[[tests]]`"
                .to_owned()
        },
        |meant| format!("did you mean `{meant}`?"),
    ))
}

/// Takes the entries out of what must be a table.
fn entries(
    entry: Entry,
    path: &str,
    write: &str,
    out: &mut Diagnostics,
) -> Result<Vec<Entry>, Reported> {
    let found = match entry.node.value {
        Value::Table(entries) => return Ok(entries),
        Value::Broken(reported) => return Err(reported),
        other => other.kind(),
    };
    let mistake = Diagnostic::new(format!("`{path}` must be a table"))
        .at(Origin::Written(entry.at), format!("this is {found}"));
    Err(out.push(mistake.hint(format!("write `{write}`, with its keys below"))))
}

fn table(kind: &str, entry: Entry, out: &mut Diagnostics) -> Result<Table, Reported> {
    let name = Located { value: name(&entry, out), origin: Origin::Written(entry.at) };
    let path = format!("{kind}.{}", escape(entry.key.as_bytes()));
    let shown = format!("`[{path}]`");
    let entries = entries(entry, &path, &format!("[{path}]"), out)?;
    let (rules, body) = match kind {
        "sources" => source(shown, entries, out),
        "stages" => stage(shown, entries, out),
        _ => sink(shown, entries, out),
    };
    Ok(Table { name, rules, body })
}

fn name(entry: &Entry, out: &mut Diagnostics) -> Name {
    if let Some(name) = Name::parse(&entry.key) {
        return name;
    }
    let key = escape(entry.key.as_bytes());
    let mistake = Diagnostic::new(format!("`{key}` cannot be a name"))
        .at(Origin::Written(entry.at), "not of the form `[a-z][a-z0-9_-]*`");
    let plain = entry.key.to_lowercase().replace([' ', '.'], "-");
    out.push(match Name::parse(&plain) {
        Some(name) => mistake.hint(format!("write `{name}`")),
        None => mistake,
    });
    // Kept as it is, so that whoever names it in `inputs` is not reported as well.
    Name::internal(&entry.key)
}

fn pipeline(entries: Vec<Entry>, out: &mut Diagnostics) -> Pipeline {
    let mut reader = Reader::new(&PIPELINE, PIPELINE.noun.to_owned(), entries, out);
    let pipeline = Pipeline {
        stem: None,
        name: reader.read("name", values::text),
        root: reader.read("root", values::path),
        rules: rules(&mut reader),
        deadline: reader.read("deadline", values::limited),
        watch: reader.read("watch", values::paths),
    };
    reader.finish();
    pipeline
}

/// Reads how rejects are judged.
pub(super) fn rules(reader: &mut Reader<'_>) -> Rules {
    Rules {
        rejects: reader.read("rejects", values::path),
        max_rejects: reader.read("max_rejects", values::limit),
        on_reject: word(reader, "on_reject", ON_REJECTS),
    }
}

fn source(name: String, entries: Vec<Entry>, out: &mut Diagnostics) -> (Rules, Body) {
    if database::is_one(&entries) {
        let mut reader = Reader::new(database::source_keys(), name, entries, out);
        let kind = word(&mut reader, "type", SOURCE_KINDS);
        let source = database::source(kind, &mut reader);
        let rules = rules(&mut reader);
        reader.finish();
        return (rules, Body::Source(source));
    }
    let mut reader = Reader::new(&SOURCE, name, entries, out);
    let source = Source {
        kind: word(&mut reader, "type", SOURCE_KINDS),
        path: reader.read("path", values::paths),
        spool: reader.read("spool", values::truth),
        check: word(&mut reader, "check", CHECKS),
        max_record: reader.read("max_record", values::record_size),
        max_unpacked: reader.read("max_unpacked", values::unpacked),
        max_ratio: reader.read("max_ratio", values::ratio),
        generate: Box::new(generate::read(&mut reader)),
        output: reader.read("output", values::path),
        rows: None,
    };
    let rules = rules(&mut reader);
    reader.finish();
    (rules, Body::Source(source))
}

fn stage(name: String, entries: Vec<Entry>, out: &mut Diagnostics) -> (Rules, Body) {
    if entries.iter().any(|entry| entry.key == "use") {
        return builtin::read(name, entries, out);
    }
    let mut reader = Reader::new(&STAGE, name, entries, out);
    let (exit_ok, exit_invalid) = reader.table("exit", &EXIT, |exit| {
        let ok = exit.read("ok", values::exit_codes);
        (ok, exit.read("invalid", values::exit_codes))
    });
    let (in_flight_records, in_flight_bytes) = reader.table("in_flight", &IN_FLIGHT, |window| {
        let records = window.read("records", values::count);
        (records, window.read("bytes", values::record_size))
    });
    let stage = Stage {
        run: reader.read("run", values::arguments),
        protocol: word(&mut reader, "protocol", PROTOCOLS),
        inputs: reader.read("inputs", values::strings),
        output: reader.read("output", values::path),
        expect: word(&mut reader, "expect", EXPECTS),
        check_output: word(&mut reader, "check_output", CHECKS),
        early_exit: word(&mut reader, "early_exit", EARLY_EXITS),
        per_record: reader.read("per_record", values::truth),
        split: reader.read("split", values::record_size),
        exit_ok,
        exit_invalid,
        env: reader.read("env", values::variables),
        inherit_env: reader.read("inherit_env", values::patterns),
        max_record: reader.read("max_record", values::record_size),
        workers: reader.read("workers", values::workers),
        dispatch: reader.read("dispatch", values::dispatch),
        in_flight_records,
        in_flight_bytes,
        order: word(&mut reader, "order", ORDERS),
        restarts: reader.read("restarts", values::restarts),
        on_crash: word(&mut reader, "on_crash", ON_CRASHES),
        record_timeout: reader.read("record_timeout", values::limited),
        ready: reader.read("ready", values::truth),
        grace: reader.read("grace", values::duration),
        stall: reader.read("stall", values::duration),
        deadline: reader.read("deadline", values::limited),
    };
    let rules = rules(&mut reader);
    reader.finish();
    (rules, Body::Stage(Box::new(stage)))
}

fn sink(name: String, entries: Vec<Entry>, out: &mut Diagnostics) -> (Rules, Body) {
    if database::is_one(&entries) {
        let mut reader = Reader::new(database::sink_keys(), name, entries, out);
        let kind = word(&mut reader, "type", SINK_KINDS);
        let sink = database::sink(kind, &mut reader);
        let rules = rules(&mut reader);
        reader.finish();
        return (rules, Body::Sink(sink));
    }
    let mut reader = Reader::new(&SINK, name, entries, out);
    let sink = Sink {
        kind: word(&mut reader, "type", SINK_KINDS),
        path: reader.read("path", values::path),
        inputs: reader.read("inputs", values::strings),
        order: word(&mut reader, "order", ORDERS),
        publish: word(&mut reader, "publish", PUBLISHES),
        target: None,
    };
    let rules = rules(&mut reader);
    reader.finish();
    (rules, Body::Sink(sink))
}

/// Reads one of a list of words.
pub(super) fn word<T: Copy>(
    reader: &mut Reader<'_>,
    key: &'static str,
    words: &'static [Word<T>],
) -> Setting<T> {
    reader.read(key, |field| values::choice(field, words))
}
