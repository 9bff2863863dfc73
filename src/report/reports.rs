//! `--report FORMAT=PATH`: what is to be said of a whole run, in one file each, when it is over.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::report::findings::Around;
use crate::report::summary::{End, Summary};
use crate::report::whole::Target;
use crate::report::{
    Listener, ReportError, TargetError, github, gitlab, html, json, junit, markdown, sarif,
};
use crate::words::event::{Event, Kind, Stamped};
use crate::words::outcome::Exit;
use crate::words::register::Tell;
use crate::words::text::tame_json;

/// A form that a report can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The ledger, the workers and the errors as one JSON object.
    Json,
    /// Test cases in XML: a suite for each table, a case for each error code.
    Junit,
    /// Results of a static analysis, as code scanning services take them.
    Sarif,
    /// Annotations for a GitHub workflow, as commands in its log, and the summary of its job.
    Github,
    /// Code quality issues, as GitLab shows them in a merge request.
    Gitlab,
    /// Text for a comment or a page.
    Markdown,
    /// A page for a browser.
    Html,
}

impl Format {
    /// All there are, in the order in which messages list them.
    pub const ALL: [Self; 7] = [
        Self::Json,
        Self::Junit,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Markdown,
        Self::Html,
    ];

    /// Returns the word that stands for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// Says how many refused records it shows.
    pub fn tell(self) -> Tell {
        match self {
            Self::Json => Tell::default(),
            Self::Github | Self::Markdown => Tell { each: 10, all: 1000 },
            Self::Junit => Tell { each: junit::RECORDS, all: 5000 },
            Self::Sarif | Self::Gitlab | Self::Html => Tell { each: 1000, all: 5000 },
        }
    }
}

/// All reports of a run. One that cannot be written takes nothing from the others.
#[derive(Debug)]
pub struct Reports {
    wanted: Vec<Wanted>,
    around: Around,
    summary: Summary,
    errors: Vec<ReportError>,
}

#[derive(Debug)]
struct Wanted {
    format: Format,
    path: PathBuf,
    to: To,
}

enum To {
    File(Target),
    Stream(Box<dyn Write + Send>),
    /// What is behind the end of a file that others write to, too.
    End,
}

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Stream(_) => "Stream",
            Self::End => "End",
        })
    }
}

impl Reports {
    /// Begins with none.
    pub fn new(around: Around) -> Self {
        let (wanted, errors) = (Vec::new(), Vec::new());
        Self { wanted, around, summary: Summary::default(), errors }
    }

    /// Adds one that goes to a file, and refuses a path that it must not replace.
    pub fn to_file(&mut self, format: Format, path: &Path) -> Result<(), ReportError> {
        let target = Target::check(path).map_err(|why| failed(format, path, why))?;
        self.wanted.push(Wanted { format, path: path.to_owned(), to: To::File(target) });
        Ok(())
    }

    /// Adds one that goes to a stream, which messages call `-`.
    pub fn to_stream(&mut self, format: Format, stream: Box<dyn Write + Send>) {
        self.wanted.push(Wanted { format, path: "-".into(), to: To::Stream(stream) });
    }

    /// Adds the summary of a job, which goes behind what stands in a file already.
    pub fn to_end_of(&mut self, path: &Path) {
        self.wanted.push(Wanted { format: Format::Markdown, path: path.to_owned(), to: To::End });
    }

    fn write(&mut self, end: &End<'_>) {
        for Wanted { format, path, to } in &mut self.wanted {
            let written = render(*format, &self.summary, end, &self.around)
                .and_then(|text| put(to, path, &text));
            if let Err(error) = written {
                self.errors.push(failed(*format, path, TargetError::Io(error)));
            }
        }
    }
}

impl Listener for Reports {
    fn on(&mut self, event: &Stamped) -> Result<(), ReportError> {
        self.summary.add(event);
        if let Event::RunStarted { tables, .. } = &event.event {
            let elsewhere =
                tables.iter().filter(|table| table.kind == Kind::Source && !table.files);
            self.around.elsewhere = elsewhere.map(|table| table.name.clone()).collect();
        }
        if let Some(end) = End::of(event)
            // A start that was refused consumed nothing: there is nothing to report.
            && !matches!(end.finish.exit.code, Exit::Config | Exit::Locked)
        {
            self.write(&end);
        }
        Ok(())
    }

    fn finish(&mut self) -> Vec<ReportError> {
        std::mem::take(&mut self.errors)
    }
}

fn render(
    format: Format,
    summary: &Summary,
    end: &End<'_>,
    around: &Around,
) -> io::Result<Vec<u8>> {
    match format {
        Format::Json => Ok(tame_json(json::render(summary, end)?).into_bytes()),
        Format::Junit => junit::render(summary, end, around),
        Format::Sarif => Ok(tame_json(sarif::render(summary, end, around)?).into_bytes()),
        Format::Github => Ok(github::render(summary, end, around)),
        Format::Gitlab => Ok(tame_json(gitlab::render(summary, end, around)?).into_bytes()),
        Format::Markdown => Ok(markdown::render(summary, end)),
        Format::Html => html::render(summary, end, around),
    }
}

fn put(to: &mut To, path: &Path, text: &[u8]) -> io::Result<()> {
    match to {
        To::File(target) => target.put(text),
        To::Stream(stream) => match stream.write_all(text).and_then(|()| stream.flush()) {
            // A closed stdout is a quiet end.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        },
        To::End => {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
            file.write_all(text)
        }
    }
}

fn failed(format: Format, path: &Path, why: TargetError) -> ReportError {
    ReportError { report: format.name(), path: path.to_owned(), why }
}
