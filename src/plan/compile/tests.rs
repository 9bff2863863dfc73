//! What a pipeline means: defaults, wiring, rejects, programs, files.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{World, compile};
use crate::config::Written;
use crate::config::load::load;
use crate::config::origin::Located;
use crate::config::schema::{
    self, Body, Config, Pipeline, Rules, Setting, SinkKind, SourceKind, Table, Workers,
};
use crate::plan::{
    Dispatch, InFlight, Input, Output, Plan, Pool, Protocol, Reply, Stream, describe,
};
use crate::words::id::Name;
use crate::words::ledger::Port;
use crate::words::policy::{Check, EarlyExit, Expect, OnCrash, OnReject, Order, Publish};
use crate::words::units::{Limit, Restarts};

const PLAIN: &str = "\
[sources.in]
type = \"stdin\"
[stages.validate]
run = [\"sh\", \"-c\", \"cat\"]
[sinks.out]
type = \"stdout\"
";

/// A folder with an executable `tool` in `bin`, which is the caller's `PATH`.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        fs::create_dir(place.path("bin")).unwrap();
        place.program("bin/sh");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str) {
        fs::write(self.path(name), "#!/bin/sh\n").unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn world(&self) -> World {
        let variable = |name: &str, value: &Path| (name.into(), value.as_os_str().to_owned());
        World {
            root_default: self.folder.path().to_owned(),
            caller: self.folder.path().to_owned(),
            env: vec![
                variable("PATH", &self.path("bin")),
                variable("LC_ALL", Path::new("C")),
                variable("TOKEN", Path::new("secret")),
            ],
        }
    }

    fn compile(&self, text: &str) -> Result<Plan, String> {
        let written = Written { name: "dir/demo.toml", text, sets: &[] };
        load(&written, &|_| None)
            .and_then(|config| compile(&config, &self.world()))
            .map_err(|mistakes| mistakes.render(false))
    }
}

/// The messages alone, without places and hints.
fn messages(drawn: &str) -> Vec<&str> {
    let lines = drawn.lines();
    lines.filter_map(|line| line.strip_prefix("error: ")).collect()
}

#[test]
fn nothing_is_left_open() {
    let place = Place::new();
    let plan = place.compile(PLAIN).unwrap();
    assert_eq!(plan.name, "demo");
    assert_eq!((plan.max_rejects, plan.deadline), (Limit::Count(0), None));
    let source = plan.sources.first().unwrap();
    assert_eq!(source.input, Input::Stdin { spool: false });
    assert_eq!((source.check, source.max_record), (Check::Json, 16 << 20));
    assert_eq!(source.tolerance.on_reject, OnReject::Continue);
    let stage = plan.stages.first().and_then(crate::plan::Stage::program).unwrap();
    assert_eq!(stage.command.program, place.path("bin/sh"));
    assert_eq!(stage.command.folder, place.folder.path());
    assert_eq!(stage.command.argv, ["sh", "-c", "cat"]);
    let stream = Stream {
        expect: Expect::Any,
        check_output: Check::Json,
        early_exit: EarlyExit::Fail,
        pieces: None,
    };
    assert_eq!(stage.protocol, Protocol::Stream(stream));
    assert_eq!((stage.exit.ok.as_slice(), stage.exit.invalid.len()), (&[0][..], 0));
    assert_eq!(stage.grace, Duration::from_secs(5));
    assert_eq!(stage.stall, Some(Duration::from_mins(1)));
    let sink = plan.sinks.first().unwrap();
    assert_eq!((&sink.output, sink.publish, sink.letters), (&Output::Stdout, Publish::Gate, false));
    let edges = plan.edges.iter();
    let edges: Vec<_> = edges.map(|e| (e.from.as_str(), e.port, e.to.as_str())).collect();
    assert_eq!(edges, [("in", Port::Out, "validate"), ("validate", Port::Out, "out")]);
}

#[test]
fn zero_means_never_for_a_stall_alone() {
    let place = Place::new();
    for (key, fine) in [("stall", true), ("grace", true), ("deadline", false)] {
        for zero in ["0", "\"0\"", "\"0s\""] {
            let text = PLAIN.replace("[sinks", &format!("{key} = {zero}\n[sinks"));
            assert_eq!(place.compile(&text).is_ok(), fine, "{key} = {zero}");
        }
    }
    let text = PLAIN.replace("[sinks", "stall = 0\n[sinks");
    assert_eq!(place.compile(&text).unwrap().stages[0].program().unwrap().stall, None);
}

#[test]
fn children_see_what_is_inherited_and_set() {
    let place = Place::new();
    let more = "inherit_env = [\"LC_*\"]\nenv = { MODE = \"strict\" }\n[sinks";
    let plan = place.compile(&PLAIN.replace("[sinks", more)).unwrap();
    let env = &plan.stages[0].program().unwrap().command.env;
    let expected = [
        ("LC_ALL", "C"),
        ("MODE", "strict"),
        ("ESTEIRA_PIPELINE", "demo"),
        ("ESTEIRA_STAGE", "validate"),
    ];
    let expected: Vec<(OsString, OsString)> =
        expected.iter().map(|(name, value)| (name.into(), value.into())).collect();
    assert_eq!(*env, expected, "neither PYTHONUNBUFFERED nor anything else is added");
    let taken = PLAIN.replace("[sinks", "env = { ESTEIRA_STAGE = \"x\" }\n[sinks");
    assert!(place.compile(&taken).unwrap_err().contains("`ESTEIRA_…`"));
}

#[test]
fn rejects_and_outputs_become_sinks_of_their_own() {
    let place = Place::new();
    let text = "[pipeline]\nrejects = \"all.ndjson\"\n[sources.in]\ntype = \"stdin\"\n\
                [stages.validate]\nrun = [\"sh\"]\nrejects = \"v.ndjson\"\noutput = \"o.ndjson\"\n";
    let plan = place.compile(text).unwrap();
    let sinks = plan.sinks.iter();
    let sinks: Vec<_> = sinks.map(|s| (s.name.as_str(), s.letters, s.publish)).collect();
    let expected = [
        ("validate.output", false, Publish::Gate),
        ("validate.rejects", true, Publish::EveryEnd),
        ("rejects", true, Publish::EveryEnd),
    ];
    assert_eq!(sinks, expected);
    let edges = plan.edges.iter();
    let edges: Vec<_> = edges.map(|e| (e.from.as_str(), e.port, e.to.as_str())).collect();
    let expected = [
        ("in", Port::Out, "validate"),
        ("validate", Port::Out, "validate.output"),
        ("validate", Port::Rejects, "validate.rejects"),
        ("in", Port::Rejects, "rejects"),
    ];
    assert_eq!(edges, expected);

    let named = text.replace("sources.in", "sources.rejects");
    let drawn = place.compile(&named).unwrap_err();
    assert_eq!(messages(&drawn), ["`rejects` is the name of the pipeline's own dead letters"]);
}

#[test]
fn a_source_with_rejects_of_its_own_leaves_the_common_ones_empty() {
    let place = Place::new();
    let text = format!("[pipeline]\nrejects = \"all\"\n{PLAIN}");
    let text = text.replace("\"stdin\"\n", "\"stdin\"\nrejects = \"own\"\n");
    let plan = place.compile(&text).unwrap();
    let rejects = plan.edges.iter().filter(|edge| edge.port == Port::Rejects);
    let to: Vec<&str> = rejects.map(|edge| edge.to.as_str()).collect();
    assert_eq!(to, ["in.rejects"]);
    assert_eq!(plan.sinks.len(), 3, "it is written all the same");
}

#[test]
fn the_pipelines_way_with_rejects_holds_where_a_table_has_none() {
    let place = Place::new();
    let text = format!("[pipeline]\non_reject = \"stop\"\nmax_rejects = 3\n{PLAIN}");
    let plan = place.compile(&text).unwrap();
    assert_eq!(plan.max_rejects, Limit::Count(3));
    let tolerance = plan.sources.first().unwrap().tolerance;
    assert_eq!((tolerance.on_reject, tolerance.max_rejects), (OnReject::Stop, None));
    let text = text.replace("\"stdin\"\n", "\"stdin\"\nmax_rejects = \"1%\"\n");
    assert!(place.compile(&text).unwrap_err().contains("goes with counts only"));
    let text = text.replace("\"1%\"", "\"1%\"\non_reject = \"continue\"");
    assert!(place.compile(&text).is_ok());
}

#[test]
fn programs_are_found_where_the_child_would_find_them() {
    let place = Place::new();
    fs::create_dir(place.path("own")).unwrap();
    place.program("own/tool");
    let program = |run: &str, env: &str| {
        let text = PLAIN.replace("[\"sh\", \"-c\", \"cat\"]", &format!("[\"{run}\"]\n{env}"));
        let plan = place.compile(&text);
        plan.map(|plan| plan.stages[0].program().unwrap().command.program.clone())
    };
    let own = format!("env = {{ PATH = \"{}\" }}", place.path("own").display());
    assert_eq!(program("tool", &own), Ok(place.path("own/tool")));
    assert_eq!(program("tool", "env = { PATH = \"own\" }"), Ok(place.path("own/tool")));
    assert_eq!(program("./own/../own/tool", ""), Ok(place.path("own/../own/tool")));
    assert_eq!(program("sh", "inherit_env = []"), Ok(place.path("bin/sh")));
    let missing = program("tool", "").unwrap_err();
    assert_eq!(messages(&missing), ["program `tool` not found"]);
    assert!(!missing.contains(place.folder.path().to_str().unwrap()), "{missing}");
    assert_eq!(messages(&program("./own", "").unwrap_err()), ["program `./own` is a folder"]);
    fs::set_permissions(place.path("own/tool"), fs::Permissions::from_mode(0o644)).unwrap();
    let plain = program("own/tool", "").unwrap_err();
    assert_eq!(messages(&plain), ["program `own/tool` is not executable"]);
}

#[test]
fn everything_is_relative_to_the_root() {
    let place = Place::new();
    fs::create_dir_all(place.path("a[1]/deep")).unwrap();
    let text = "[pipeline]\nroot = \"./a[1]/deep/..\"\n[sources.in]\ntype = \"file\"\n\
                path = [\"./x.ndjson\", \"*.json\", \"/abs/y.ndjson\", \"we[ird\"]\n\
                output = \"out/o.ndjson\"\n";
    let drawn = place.compile(text).unwrap_err();
    assert_eq!(messages(&drawn), ["invalid pattern in `path`"]);
    fs::write(place.path("a[1]/we[ird"), "").unwrap();
    let plan = place.compile(text).unwrap();
    let root = place.path("a[1]").canonicalize().unwrap();
    let escaped = glob::Pattern::escape(root.to_str().unwrap());
    let expected = [
        root.join("x.ndjson"),
        Path::new(&escaped).join("*.json"),
        PathBuf::from("/abs/y.ndjson"),
        root.join("we[ird"),
    ];
    assert_eq!(plan.sources.first().unwrap().input, Input::Files(expected.to_vec()));
    let sink = plan.sinks.first().unwrap();
    assert_eq!(sink.output, Output::File(root.join("out/o.ndjson")));
    assert_eq!(describe::what_sink(sink, &root), "out/o.ndjson");
}

#[test]
fn one_file_is_seen_behind_links_and_dots() {
    let place = Place::new();
    fs::create_dir(place.path("real")).unwrap();
    symlink(place.path("real"), place.path("link")).unwrap();
    let text = |input: &str, output: &str| {
        format!(
            "[sources.in]\ntype = \"file\"\npath = \"{input}\"\n\
             output = \"{output}\"\nrejects = \"away/rejects\"\n"
        )
    };
    for (input, output, same) in [
        ("real/a", "link/b", false),
        ("real/a", "link/a", true),
        ("real/new/../a", "link/a", true),
        ("real/a", "away/rejects", true),
        ("real/a", "link/../away/./rejects", true),
        ("real/*", "real/x/b", false),
        ("real/*", "real/b", true),
        ("bin/*", "real/b", false),
        ("**/*.ndjson", "real/b.ndjson", true),
    ] {
        let compiled = place.compile(&text(input, output));
        assert_eq!(compiled.is_err(), same, "{input} and {output}: {compiled:?}");
    }
}

#[test]
fn no_nul_byte_gets_through() {
    let place = Place::new();
    for (from, to) in [
        ("\"cat\"", "\"\\u0000\""),
        ("[sinks", "env = { A = \"a\\u0000\" }\n[sinks"),
        ("[sinks", "env = { \"A\\u0000\" = \"a\" }\n[sinks"),
        ("\"stdin\"", "\"file\"\npath = \"a\\u0000\""),
        ("\"stdout\"", "\"file\"\npath = \"a\\u0000\""),
    ] {
        let drawn = place.compile(&PLAIN.replace(from, to)).unwrap_err();
        assert_eq!(messages(&drawn).len(), 1, "{drawn}");
        assert!(drawn.contains("NUL byte"), "{drawn}");
    }
}

/// What `pipe` puts together from its arguments.
fn typed(input: &str, program: &str) -> Config {
    let table = |name: &str, body| Table {
        name: Located::typed(Name::internal(name)),
        rules: Rules::default(),
        body,
    };
    let source = schema::Source {
        kind: Setting::typed(SourceKind::File),
        path: Setting::typed(vec![Located::typed(input.into())]),
        ..schema::Source::default()
    };
    let stage = schema::Stage {
        run: Setting::typed(vec![Located::typed(program.into())]),
        workers: Setting::typed(Workers::Count(1)),
        ..schema::Stage::default()
    };
    let sink = schema::Sink { kind: Setting::typed(SinkKind::Stdout), ..schema::Sink::default() };
    let tables = vec![
        table("in", Body::Source(source)),
        table("sh", Body::Stage(Box::new(stage))),
        table("out", Body::Sink(sink)),
    ];
    Config::typed(Pipeline::default(), tables)
}

#[test]
fn arguments_compile_like_a_file_and_fail_without_a_snippet() {
    let place = Place::new();
    let plan = compile(&typed("in.ndjson", "sh"), &place.world()).unwrap();
    assert_eq!(plan.name, "pipeline");
    assert_eq!(describe::what_stage(plan.stages.first().unwrap(), &plan.caller), "sh");
    let source = plan.sources.first().unwrap();
    assert_eq!(describe::what_source(source, &plan.caller), "in.ndjson");

    let mistakes = compile(&typed("in/", "no-such"), &place.world()).unwrap_err();
    let expected = "\
error: `path` takes the path of a file: this names a folder

error: program `no-such` not found: not on the `PATH`
help: a name without a slash is looked up in the `PATH` that the stage's `env` sets, or else in \
the caller's
";
    assert_eq!(mistakes.render(false), expected);
}

/// A stage's protocol, where the pipeline is well-formed.
fn protocol(place: &Place, keys: &str) -> Protocol {
    let text = PLAIN.replace("[sinks", &format!("{keys}\n[sinks"));
    place.compile(&text).unwrap().stages[0].program().unwrap().protocol.clone()
}

fn pool(place: &Place, keys: &str) -> Pool {
    match protocol(place, keys) {
        Protocol::Pool(pool) => pool,
        Protocol::Stream(_) => panic!("{keys} is a pool"),
    }
}

#[test]
fn a_pool_has_defaults_of_its_own() {
    let place = Place::new();
    let records = pool(&place, "protocol = \"records\"");
    assert_eq!(
        records,
        Pool {
            reply: Reply::Records { ready: false },
            workers: 1,
            dispatch: Dispatch::RoundRobin,
            in_flight: InFlight { records: 256, bytes: 256 << 10 },
            order: Order::Input,
            restarts: Restarts { count: 3, period: Duration::from_mins(1) },
            on_crash: OnCrash::Retry,
            record_timeout: None,
        }
    );
    let careful = pool(&place, "protocol = \"records\"\non_crash = \"reject\"");
    assert_eq!(careful.in_flight.records, 1, "at most one is uncertain");
    let lines = pool(&place, "protocol = \"lines\"\nworkers = 4");
    assert_eq!((lines.workers, lines.in_flight.records), (4, usize::MAX));
    assert_eq!(lines.reply, Reply::Lines { check_output: Check::Json });
    let command = pool(&place, "protocol = \"command\"\nworkers = \"auto\"");
    assert!((1..=1024).contains(&command.workers));
    assert_eq!(command.in_flight.records, 1);
}

#[test]
fn who_answers_records_in_python_need_not_remember_to_flush() {
    let place = Place::new();
    let set = |keys: &str| {
        let text = PLAIN.replace("[sinks", &format!("{keys}\n[sinks"));
        let plan = place.compile(&text).unwrap();
        let env = plan.stages[0].program().unwrap().command.env.clone();
        env.into_iter().find(|(name, _)| name == "PYTHONUNBUFFERED").map(|(_, value)| value)
    };
    assert_eq!(set("protocol = \"records\""), Some("1".into()));
    let own = "protocol = \"records\"\nenv = { PYTHONUNBUFFERED = \"\" }";
    assert_eq!(set(own), Some("".into()), "what the stage sets wins");
    assert_eq!(set("protocol = \"lines\""), None);
}

#[test]
fn stages_that_can_reject_share_the_pipelines_rejects() {
    let place = Place::new();
    let text = format!("[pipeline]\nrejects = \"r\"\n{PLAIN}");
    let from = |text: &str| -> Vec<String> {
        let plan = place.compile(text).unwrap();
        let rejects = plan.edges.iter().filter(|edge| edge.port == Port::Rejects);
        rejects.map(|edge| edge.from.to_string()).collect()
    };
    assert_eq!(from(&text), ["in"]);
    let pooled = text.replace("[sinks", "protocol = \"records\"\n[sinks");
    assert_eq!(from(&pooled), ["in", "validate"]);
}

#[test]
fn one_mistake_is_reported_once() {
    let place = Place::new();
    for (keys, wanted) in [
        ("protocol = \"recrods\"\nworkers = 4\nrecord_timeout = \"1s\"", "`protocol` takes"),
        ("protocol = \"command\"\nexit = { ok = [0], invalid = [1] }", "`exit` does not go"),
        ("dispatch = { by = \"/a\" }", "`dispatch` does not go with"),
    ] {
        let text = PLAIN.replace("[sinks", &format!("{keys}\n[sinks"));
        let text = text.replace("\"stdin\"", "\"stdin\"\ncheck = \"none\"");
        let drawn = place.compile(&text).unwrap_err();
        let found = messages(&drawn);
        assert!(matches!(found[..], [only] if only.starts_with(wanted)), "{drawn}");
    }
}
