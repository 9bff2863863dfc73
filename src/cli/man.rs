//! `esteira man`: the manual, made from the help texts.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::args::{Arguments, Man};
use crate::cli::printer::Printer;
use crate::config::suggest::one_of;
use crate::words::outcome::{Exit, Failure};
use crate::words::text::shown;

/// The ends that every page lists, those of this version.
const EXITS: [Exit; 7] =
    [Exit::Ok, Exit::Data, Exit::Config, Exit::Stage, Exit::World, Exit::Ledger, Exit::Bug];

/// Prints a page, or writes all.
pub(super) fn man(options: &Man, printer: &mut Printer) -> anyhow::Result<Exit> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let verbs: Vec<Command> = program.get_subcommands().cloned().collect();
    if let Some(folder) = &options.out {
        write(folder, std::iter::once(program).chain(verbs), printer)?;
        return Ok(Exit::Ok);
    }
    let command = match &options.verb {
        None => program,
        Some(name) => {
            let names: Vec<&str> = verbs.iter().map(Command::get_name).collect();
            let there = format!("there is {}", one_of(names));
            verbs.into_iter().find(|verb| verb.get_name() == name).ok_or_else(|| {
                let message = format!("no verb is called `{name}`");
                Failure::new(Exit::Config, message).hint(there)
            })?
        }
    };
    printer.out(&String::from_utf8_lossy(&page(command)?))?;
    Ok(Exit::Ok)
}

fn write(
    folder: &Path,
    commands: impl Iterator<Item = Command>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new(Exit::Config, format!("cannot write `{}`: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut count = 0;
    for command in commands {
        let path = folder.join(Page::new(command.clone()).get_filename());
        std::fs::write(&path, page(command)?).map_err(|error| failed(&path, &error))?;
        count += 1;
    }
    let folder = shown(folder.as_os_str().as_encoded_bytes());
    printer.err(&format!("wrote {count} pages into {folder}\n"));
    Ok(())
}

/// Makes the page of a command: the examples first, as in the help.
fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let examples = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    let is_program = command.has_subcommands();
    let page = Page::new(command).source(concat!("esteira ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    let mut own = Roff::new();
    own.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in examples.lines().skip(1) {
        own.text([roman(line.trim_start())]);
    }
    own.control("fi", []).to_writer(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    if is_program {
        page.render_subcommands_section(&mut out)?;
    }
    let mut own = Roff::new();
    own.control("SH", ["EXIT STATUS"]);
    for exit in EXITS {
        own.control("TP", []).text([bold(exit.code().to_string())]);
        own.text([roman(exit.meaning())]);
    }
    own.control("TP", []).text([bold("128 + N")]);
    own.text([roman("ended by the signal N: 130 by Ctrl-C, 143 by TERM")]);
    own.to_writer(&mut out).map(|()| out)
}
