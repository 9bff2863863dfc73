//! `--baseline` and `--write-baseline`: files of refused records that are known and accepted.

use std::fs;
use std::path::Path;

use crate::cli::args::Accepting;
use crate::cli::printer::Printer;
use crate::report::{Target, TargetError};
use crate::words::baseline::Baseline;
use crate::words::outcome::{Exit, Failure};
use crate::words::register::Register;
use crate::words::text::{count, shown};

/// Where all that a run refuses is written, to be accepted from then on.
pub(super) struct Accepted<'a> {
    write: Option<(&'a Path, Target)>,
}

impl<'a> Accepted<'a> {
    /// Reads the baseline, and looks at where a new one is to go.
    pub(super) fn open(options: &'a Accepting) -> Result<(Option<Baseline>, Self), Failure> {
        let known = options.baseline.as_deref().map(read).transpose()?;
        let target = |path: &'a Path| match Target::check(path) {
            Ok(target) => Ok((path, target)),
            Err(why) => Err(cannot_write(path, &why)),
        };
        let write = options.write_baseline.as_deref().map(target).transpose()?;
        Ok((known, Self { write }))
    }

    /// Tells whether a new one is to be written.
    pub(super) fn collects(&self) -> bool {
        self.write.is_some()
    }

    /// Writes the new one, if what was refused is all that would have been.
    pub(super) fn write(
        self,
        register: &Register,
        (exit, quiet): (Exit, bool),
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        let Some((path, target)) = self.write else { return Ok(()) };
        let path_shown = shown(path.as_os_str().as_encoded_bytes());
        if exit > Exit::Data {
            printer.err(&format!("no baseline was written to {path_shown}: the run broke off\n"));
            return Ok(());
        }
        let Some((text, entries, added)) = register.collected() else { return Ok(()) };
        target.put(text.as_bytes()).map_err(|error| cannot_write(path, &error.into()))?;
        let entries =
            if entries == 1 { "1 entry".to_owned() } else { entries.to_string() + " entries" };
        if !quiet {
            let new = count(added, "rejected record");
            let text = format!(
                "wrote the baseline {path_shown}: {entries}, with {new} that no baseline knew\n"
            );
            printer.err(&text);
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Baseline, Failure> {
    let path_shown = shown(path.as_os_str().as_encoded_bytes());
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::Config, format!("cannot read the baseline `{path_shown}`: {error}"))
            .hint("`--write-baseline FILE` writes one of what is refused now")
    })?;
    Baseline::parse(&text).map_err(|why| {
        Failure::new(Exit::Config, format!("`{path_shown}` is no baseline: {why}"))
            .hint("`--write-baseline FILE` writes one of what is refused now")
    })
}

fn cannot_write(path: &Path, why: &TargetError) -> Failure {
    Failure::new(why.exit(), format!("cannot write the baseline `{}`: {why}", path.display()))
}
