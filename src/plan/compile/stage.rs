//! Compiles a stage: its program, its environment, what its exit means.

use std::ffi::OsString;
use std::time::Duration;

use crate::config::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::config::origin::Located;
use crate::config::schema::{self, Protocol, Table};
use crate::plan::compile::environment::{self, Variables};
use crate::plan::compile::tables::{MAX_RECORD, required};
use crate::plan::compile::{Scope, program, protocol};
use crate::plan::{Command, Program, Stage, Tolerance, Work};
use crate::words::policy::ExitPolicy;

const GRACE: Duration = Duration::from_secs(5);
const STALL: Duration = Duration::from_mins(1);

/// Compiles a stage.
pub(super) fn compile(
    scope: &Scope<'_>,
    table: &Table,
    written: &schema::Stage,
    tolerance: Tolerance,
    out: &mut Diagnostics,
) -> Result<Stage, Reported> {
    let protocol = protocol::compile(written, out);
    let exit = exit_policy(written, out);
    let command = command(scope, table, written, out)?;
    let protocol = protocol?;
    let program = Program {
        stage: table.name.value.clone(),
        command,
        protocol,
        max_record: written.max_record.or(MAX_RECORD),
        exit,
        grace: written.grace.or(GRACE),
        stall: Some(written.stall.or(STALL)).filter(|stall| !stall.is_zero()),
    };
    Ok(Stage {
        name: table.name.value.clone(),
        work: Work::Program(Box::new(program)),
        deadline: written.deadline.value().copied(),
        tolerance,
    })
}

fn exit_policy(written: &schema::Stage, out: &mut Diagnostics) -> ExitPolicy {
    let policy = ExitPolicy {
        ok: written.exit_ok.or(vec![0]),
        invalid: written.exit_invalid.or(Vec::new()),
    };
    if policy.ok.is_empty() {
        let mistake = Diagnostic::new("`exit.ok` takes at least one exit code");
        out.push(mistake.at(written.exit_ok.origin(), "nothing would be a success"));
    }
    if let Some(code) = policy.invalid.iter().find(|code| policy.ok.contains(code)) {
        let mistake = Diagnostic::new(format!("exit code {code} is both `ok` and `invalid`"));
        let mistake = mistake.at(written.exit_invalid.origin(), "the data is bad");
        out.push(match written.exit_ok.given() {
            Some(ok) => mistake.at(ok.origin, "all is well"),
            None => mistake.hint("`ok` is `[0]` where it is left out"),
        });
    }
    policy
}

fn command(
    scope: &Scope<'_>,
    table: &Table,
    written: &schema::Stage,
    out: &mut Diagnostics,
) -> Result<Command, Reported> {
    let own = own_variables(written, out);
    let takes = "a program and its arguments";
    let missing = format!("{takes}, `use` the name of a built-in stage");
    let run = required(table, ("run", &written.run), &missing, out)?;
    let argv = run.value.iter();
    let argv: Result<Vec<OsString>, Reported> =
        argv.map(|argument| c_string(argument, "an argument", out)).collect();
    let argv = argv?;
    let Some(name) = run.value.first().filter(|name| !name.value.is_empty()) else {
        let origin = run.value.first().map_or(run.origin, |name| name.origin);
        let mistake = Diagnostic::new(format!("`run` takes {takes}"));
        return Err(out.push(mistake.at(origin, "no program")));
    };
    let path = program::search_path(&own, &scope.world.env);
    let program = program::find(name, &scope.root, path, out)?;
    let inherit: Option<Vec<&str>> = written.inherit_env.value().map(|patterns| {
        let patterns = patterns.iter();
        patterns.map(|pattern| pattern.value.as_str()).collect()
    });
    let names = (scope.name.as_str(), table.name.value.as_str());
    let added = unbuffered(written);
    let caller = environment::compose(&scope.world.env, inherit.as_deref(), &added, names);
    Ok(Command {
        argv,
        program,
        folder: scope.root()?.clone(),
        set: own.iter().map(|(name, _)| name.clone()).collect(),
        env: environment::compose(&caller, None, &own, names),
    })
}

/// A Python child that answers records and forgets to flush would keep its answers to itself.
fn unbuffered(written: &schema::Stage) -> Variables {
    let answers = written.protocol.or(Protocol::Stream) == Protocol::Records;
    let variable = || ("PYTHONUNBUFFERED".into(), "1".into());
    answers.then(variable).into_iter().collect()
}

/// Reads the stage's own variables; what tells children where they are is not theirs to set.
fn own_variables(written: &schema::Stage, out: &mut Diagnostics) -> Variables {
    let mut own = Variables::new();
    for variable in written.env.value().into_iter().flatten() {
        let name = c_string(&variable.name, "a variable", out);
        let value = c_string(&variable.value, "a variable", out);
        if let (Ok(name), Ok(value)) = (name, value) {
            if name.as_encoded_bytes().starts_with(b"ESTEIRA_") {
                let mistake = Diagnostic::new("variables `ESTEIRA_…` are set by esteira");
                out.push(mistake.at(variable.name.origin, "this would be lost"));
            }
            own.push((name, value));
        }
    }
    own
}

fn c_string(
    text: &Located<OsString>,
    what: &str,
    out: &mut Diagnostics,
) -> Result<OsString, Reported> {
    if text.value.as_encoded_bytes().contains(&0) {
        let mistake = Diagnostic::new(format!("{what} cannot hold a NUL byte"));
        return Err(out.push(mistake.at(text.origin, "`\\u0000` in here")));
    }
    Ok(text.value.clone())
}
