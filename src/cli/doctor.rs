//! `esteira doctor`: tries programs and prints what was found.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Parser as _;

use crate::cli::args::{Arguments, Doctor, Finding, Pipeline, Verb};
use crate::cli::pipe;
use crate::cli::printer::Printer;
use crate::cli::run::plan_in;
use crate::cli::world;
use crate::config::diagnostic::Diagnostics;
use crate::plan::compile::{World, compile};
use crate::plan::describe::shell_words;
use crate::plan::{Plan, Program, Stage};
use crate::stage::doctor::{Findings, Serves, Surgery};
use crate::words::outcome::{Exit, Failure};
use crate::words::text::shown;

/// It makes a Python child flush each line, and so hides what would break elsewhere.
const HIDES: &str = "PYTHONUNBUFFERED";

/// How far the findings are set in.
const COLUMN: usize = 14;

/// Tries a program, or those of a pipeline file.
pub(super) fn doctor(options: &Doctor, printer: &mut Printer) -> anyhow::Result<Exit> {
    let plan = match planned(options)? {
        Ok(plan) => plan,
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            return Ok(Exit::Config);
        }
    };
    let programs = chosen(&plan, options)?;
    let declared = options.command.is_empty();
    if world::variable(HIDES).is_some() {
        printer.err(&format!(
            "esteira: {HIDES} is set here and hides what buffering breaks: tried without it\n"
        ));
    }
    let surgery = Surgery::open()
        .map_err(|error| Failure::new(Exit::World, format!("cannot try programs: {error}")))?;
    let mut exit = Exit::Ok;
    for (index, program) in programs.into_iter().enumerate() {
        let findings = surgery.examine(program, declared)?;
        if !is_well(&findings) {
            exit = Exit::Data;
        }
        match options.format {
            Finding::Text => {
                let gap = if index > 0 { "\n" } else { "" };
                printer.out(&format!("{gap}{}", text(program, &findings)))?;
            }
            Finding::Json => printer.out(&json(program, &findings))?,
        }
    }
    Ok(exit)
}

/// A program is well if it can do something, and what was declared of it.
fn is_well(findings: &Findings) -> bool {
    let serves = findings.serves.iter().any(|(_, serves)| *serves != Serves::No);
    serves && findings.declared.is_none_or(|(_, fits)| fits)
}

fn planned(options: &Doctor) -> anyhow::Result<Result<Plan, Diagnostics>> {
    let bare = |root: PathBuf, caller: PathBuf| -> World {
        let mut world = world::world(root, caller);
        world.env.retain(|(name, _)| name != HIDES);
        world
    };
    if options.command.is_empty() {
        let file = options.file.clone().unwrap_or_else(|| "esteira.toml".into());
        let pipeline = Pipeline { file, sets: options.sets.clone() };
        let hint = "a program is tried by `esteira doctor -- PROGRAM ARGUMENTS`";
        return plan_in(&pipeline, &options.sets, bare).map_err(|error| {
            match error.downcast::<Failure>() {
                Ok(failure) => failure.hint(hint).into(),
                Err(error) => error,
            }
        });
    }
    // The same plan that `pipe` makes of it.
    let words = ["esteira", "pipe", "--"].map(std::ffi::OsString::from);
    let words = words.into_iter().chain(options.command.iter().cloned());
    let Verb::Pipe(pipe) = Arguments::try_parse_from(words)?.verb else {
        anyhow::bail!("a program to try was asked for");
    };
    let caller = world::caller()?;
    Ok(compile(&pipe::config(&pipe), &bare(caller.clone(), caller)))
}

fn chosen<'a>(plan: &'a Plan, options: &Doctor) -> Result<Vec<&'a Program>, Failure> {
    let Some(name) = &options.stage else {
        return Ok(plan.stages.iter().filter_map(Stage::program).collect());
    };
    let stage = plan.stages.iter().find(|stage| stage.name.as_str() == name);
    let stage = stage.ok_or_else(|| {
        let message = format!("pipeline `{}` has no stage `{name}`", plan.name);
        let names: Vec<String> = plan.stages.iter().map(|s| format!("`{}`", s.name)).collect();
        Failure::new(Exit::Config, message).hint(format!("it has {}", names.join(", ")))
    })?;
    stage.program().map(|program| vec![program]).ok_or_else(|| {
        let message = format!("stage `{name}` is built in: it runs no program to try");
        Failure::new(Exit::Config, message)
    })
}

fn text(program: &Program, findings: &Findings) -> String {
    let mut out = String::new();
    let mut line = |label: &str, text: &str| {
        // Writing to a String cannot fail.
        writeln!(out, "  {label:<COLUMN$}{}", shown(text)).ok();
    };
    for row in &findings.rows {
        let mut label = row.label;
        for text in &row.text {
            line(label, text);
            label = "";
        }
    }
    if let Some((protocol, fits)) = findings.declared {
        let verdict = if fits { "which it serves" } else { "which it does not serve as it is" };
        line("declared", &format!("`{protocol}`, {verdict}"));
    }
    let words = shown(shell_words(&program.command.argv));
    match findings.declared {
        Some(_) => format!("{}: {words}\n{out}", program.stage),
        None => format!("{words}\n{out}"),
    }
}

fn json(program: &Program, findings: &Findings) -> String {
    let word = |serves: Serves| match serves {
        Serves::Yes => "yes",
        Serves::Mended => "mended",
        Serves::No => "no",
    };
    let serves =
        findings.serves.iter().map(|(name, serves)| ((*name).into(), word(*serves).into()));
    let rows = findings.rows.iter().map(|row| (row.label.into(), row.text.clone().into()));
    let whole = serde_json::json!({
        "schema": "esteira.doctor/1",
        "program": shell_words(&program.command.argv),
        "stage": findings.declared.map(|_| program.stage.as_str()),
        "declared": findings.declared.map(|(name, fits)| {
            serde_json::json!({"protocol": name, "fits": fits})
        }),
        "serves": serves.collect::<serde_json::Map<_, _>>(),
        "findings": rows.collect::<serde_json::Map<_, serde_json::Value>>(),
    });
    format!("{whole}\n")
}
