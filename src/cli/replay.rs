//! `esteira replay`: dead letters go back to the tables that refused them.

use std::path::Path;
use std::sync::Arc;

use crate::cli::args::{Accepting, Progress, Replay};
use crate::cli::launch::{self, Asked};
use crate::cli::printer::Printer;
use crate::cli::run::plan;
use crate::plan::{Output, Plan};
use crate::publish::files::{Disk, Files, Look};
use crate::run::Keeping;
use crate::run::replay::{Letters, Survey, rewrite};
use crate::words::outcome::{Exit, Failure};
use crate::words::text::count;

/// Replays.
pub(super) fn replay(options: &Replay, printer: &mut Printer) -> anyhow::Result<Exit> {
    if options.rejects == Path::new("-") {
        let failure = Failure::new(Exit::Config, "dead letters on stdin cannot be replayed");
        return Err(failure
            .hint("what is still bad is written in their place: name a file")
            .into());
    }
    let mut sets = options.pipeline.sets.clone();
    sets.extend(options.max_rejects.iter().map(|limit| format!("pipeline.max_rejects={limit}")));
    let plan = match plan(&options.pipeline, &sets)? {
        Ok(plan) => plan,
        Err(diagnostics) => {
            printer.err(&diagnostics.render(printer.color()));
            return Ok(Exit::Config);
        }
    };
    let files: Arc<dyn Files> = Arc::new(Disk);
    let letters = Letters::open(&options.rejects, files.as_ref())?;
    let survey = letters.survey(files.as_ref())?;
    let plan = plan.replay(&survey.replay)?;
    let mut exit = Exit::Ok;
    if survey.letters > 0 {
        remove_unfinished(&plan, files.as_ref())?;
        let (telling, accepting) = (&options.telling, &Accepting::default());
        let (pipeline, keeping) = (Some(options.pipeline.file.as_path()), &Keeping::nothing());
        exit = launch::launch(
            &plan,
            Asked { telling, accepting, pipeline, keeping, depfile: None },
            printer,
        )?;
        if !survey.replay.again.exists() || exit > Exit::Data {
            let text = format!("nothing was settled: `{}` is as it was\n", letters.shown());
            printer.err(&text);
            return Ok(exit);
        }
    }
    let done = if survey.letters > 0 || survey.before > 0 {
        rewrite(&letters, &survey, &files)?
    } else {
        crate::run::replay::Rewritten { settled: 0, bad: survey.truncated }
    };
    if options.telling.progress != Progress::None && !options.telling.quiet {
        let told = tell(&letters, &survey, done.settled, done.bad);
        printer.err(&told);
    }
    Ok(exit)
}

/// Removes what an earlier try with the same letters left: this one may make less of them.
fn remove_unfinished(plan: &Plan, files: &dyn Files) -> Result<(), Failure> {
    for sink in &plan.sinks {
        let Output::File(path) = &sink.output else { continue };
        if matches!(files.look(path), Ok(Look::Regular { .. })) {
            files.remove(path).map_err(|error| {
                let shown = plan.display(path);
                Failure::new(Exit::World, format!("cannot remove `{shown}`: {error}"))
            })?;
        }
    }
    Ok(())
}

fn tell(letters: &Letters, survey: &Survey, settled: u64, bad: u64) -> String {
    let shown = letters.shown();
    let some =
        |many: u64, what: String| (many > 0).then(|| format!("{}{what}\n", count(many, "letter")));
    let nothing = (survey.letters == 0).then(|| format!("nothing to replay in `{shown}`\n"));
    let long = " too long to be kept whole: no record of it can be replayed from here".to_owned();
    let lines = [
        nothing,
        some(survey.before, " settled by an earlier replay".to_owned()),
        some(settled, format!(" settled, now in `{shown}.settled`")),
        some(bad, format!(" still bad, in `{shown}`")),
        some(survey.truncated, long),
    ];
    lines.into_iter().flatten().collect()
}
