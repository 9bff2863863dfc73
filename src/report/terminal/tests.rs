//! Tests of what a person sees.

use std::io;
use std::sync::{Arc, Mutex};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Bars, Clock, Display, Look, Progress, Terminal};
use crate::report::Listener as _;
use crate::report::fixtures::{
    Broken, Shared, ended, every_event, finished, name, pace, spent, stamped, started, stderr,
    worker_exit,
};
use crate::words::event::{Event, Kind, Pace, StderrKept};
use crate::words::outcome::Exit;

/// A screen that remembers what is drawn, or one that has hung up.
#[derive(Clone, Debug, Default)]
struct Screen {
    drawn: Arc<Mutex<String>>,
    width: u16,
    gone: bool,
}

impl Screen {
    fn take(&self) -> String {
        std::mem::take(&mut self.drawn.lock().unwrap())
    }

    fn add(&self, text: &str) -> io::Result<()> {
        if self.gone {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.drawn.lock().unwrap().push_str(text);
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.width
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.add(&format!("<up {n}>"))
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        self.add("")
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        self.add("")
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        self.add("")
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.add(&format!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.add(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("<clear>")
    }

    fn flush(&self) -> io::Result<()> {
        self.add("")
    }
}

fn with_screen(screen: &Screen, to: &Shared) -> Terminal {
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    let bars = Bars::on(MultiProgress::with_draw_target(target));
    Terminal::with(Box::new(to.clone()), Display::Bars(bars), Look::default())
}

fn tell(progress: Progress, events: impl IntoIterator<Item = (f64, Event)>) -> String {
    let shared = Shared::default();
    let mut terminal = Terminal::new(Box::new(shared.clone()), progress, Look::default());
    for (t, event) in events {
        terminal.on(&stamped(t, event)).unwrap();
    }
    assert!(terminal.finish().is_empty());
    shared.text()
}

fn tick(done: u64) -> Event {
    let source = Pace { total: Some(100_000), ..pace("users", Kind::Source, done) };
    let source = Pace { spent: spent(done, 0, 4 * done), ..source };
    let stage = Pace { spent: spent(5 * done, 0, 0), ..pace("validate", Kind::Stage, done) };
    let sink = Pace { spent: spent(4 * done, done, 0), ..pace("file", Kind::Sink, done) };
    Event::Tick { tables: vec![source, stage, sink] }
}

#[test]
fn plain_counts_every_ten_seconds_at_most() {
    let ticks = (0..26_u32).map(|s| (f64::from(s), tick(u64::from(s) * 200)));
    let text = tell(Progress::Plain, std::iter::once((0.0, started())).chain(ticks));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "esteira: 10 s: users 2,000 lines, 200/s, 20% busy, 40 s left; \
             validate 2,000 records, 200/s, 1 worker, 100% busy, bottleneck; \
             file 2,000 records, 200/s, 80% busy",
            "esteira: 20 s: users 4,000 lines, 200/s, 20% busy, 30 s left; \
             validate 4,000 records, 200/s, 1 worker, 100% busy, bottleneck; \
             file 4,000 records, 200/s, 80% busy",
        ]
    );
}

#[test]
fn plain_tells_notes_warnings_children_and_the_closing() {
    let text = tell(
        Progress::Plain,
        [
            (0.0, started()),
            (
                0.1,
                Event::Note {
                    table: Some(name("users")),
                    message: "unfinished work is discarded".into(),
                },
            ),
            (0.2, stderr("warming up")),
            (0.3, Event::KilledAfterGrace { stage: name("validate"), worker: 2 }),
            (0.5, finished(ended(Exit::Ok, ""), 5, 0, 5)),
        ],
    );
    let expected = "\
esteira: users: unfinished work is discarded
validate | warming up
esteira: warning: validate, worker 2, did not end when asked to and was killed; \
a longer `grace` would give it time
           in   accepted   rejected   out
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("\nesteira: exit 0, all accounted for\n"), "{text}");
}

#[test]
fn none_tells_children_and_failures_only() {
    let good = [
        (0.0, started()),
        (0.1, stderr("warming up")),
        (0.2, Event::KilledAfterGrace { stage: name("validate"), worker: 2 }),
        (20.0, tick(5)),
    ];
    let text = tell(
        Progress::None,
        good.clone().into_iter().chain([(21.0, finished(ended(Exit::Ok, ""), 5, 0, 5))]),
    );
    assert_eq!(text, "validate | warming up\n");
    let mut exit = ended(Exit::Data, "too many");
    exit.hints.push("look at them".into());
    let text = tell(Progress::None, good.into_iter().chain([(21.0, finished(exit, 5, 1, 4))]));
    assert_eq!(
        text,
        "validate | warming up\n1 error with code json.syntax\nesteira: exit 1, the data is bad: too many\nhint: look at them\n"
    );
}

#[test]
fn what_was_held_back_of_a_flood_follows_at_the_end() {
    let kept = StderrKept {
        head: vec!["first".into()],
        tail: vec!["last but one".into(), "last".into()],
        omitted: 1_000_000,
    };
    let flood = Event::StderrTruncated { stage: name("validate"), worker: 0, shown: 5 };
    let quiet = worker_exit(Some(0), 0, kept.clone());
    let text = tell(
        Progress::None,
        [(0.0, stderr("first")), (0.1, flood), (0.2, quiet.clone()), (0.3, quiet)],
    );
    assert_eq!(
        text,
        "validate | first\nvalidate | … 1,000,000 bytes left out …\nvalidate | last but one\n\
         validate | last\n"
    );
}

#[test]
fn a_closed_pipe_ends_the_talking_and_nothing_else() {
    for progress in [Progress::Plain, Progress::None, Progress::Bar] {
        let broken = Broken::pipe();
        let tries = broken.tries();
        let mut terminal =
            Terminal::new(Box::new(broken), progress, Look { color: true, ..Look::default() });
        for event in every_event() {
            terminal.on(&stamped(11.0, event)).unwrap();
        }
        assert!(terminal.finish().is_empty());
        assert_eq!(tries.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}

#[test]
fn without_a_terminal_bars_are_plain() {
    let display = |progress| Terminal::new(Box::new(io::sink()), progress, Look::default()).display;
    if !io::IsTerminal::is_terminal(&io::stderr()) {
        assert!(matches!(display(Progress::Bar), Display::Plain(_)));
    }
    assert!(matches!(display(Progress::None), Display::Nothing));
}

#[test]
fn bars_stand_below_the_text_and_are_gone_before_the_closing() {
    let (screen, to) = (Screen { width: 120, ..Screen::default() }, Shared::default());
    let mut terminal = with_screen(&screen, &to);
    terminal.on(&stamped(0.0, started())).unwrap();
    terminal.on(&stamped(0.0, tick(0))).unwrap();
    terminal.on(&stamped(1.0, tick(1000))).unwrap();
    let drawn = screen.take();
    for part in [
        "users       1,000 lines  1,000/s  20% busy  9.0 s left  data/users.ndjson",
        "validate  1,000 records  1,000/s  1 worker  100% busy  bottleneck  python3 validate.py",
        "[==>                 ]  10%",
    ] {
        assert!(drawn.contains(part), "{part}: {drawn}");
    }
    terminal.on(&stamped(1.1, stderr("hello"))).unwrap();
    assert_eq!(to.text(), "validate | hello\n");
    let drawn = screen.take();
    assert!(drawn.starts_with("<up 2><clear>"), "first the bars go: {drawn}");
    assert!(drawn.contains("bottleneck"), "then they come again: {drawn}");
    terminal.on(&stamped(2.0, finished(ended(Exit::Ok, ""), 5, 0, 5))).unwrap();
    let drawn = screen.take();
    let behind = drawn.rsplit("<clear>").next().unwrap();
    assert!(!behind.contains("users"), "the screen is clear at the end: {drawn}");
    assert!(to.text().ends_with("exit 0, all accounted for\n"));
    assert!(terminal.finish().is_empty());
    assert!(!screen.take().contains("users"));
}

#[test]
fn a_long_line_is_cut_to_the_width() {
    let (screen, to) = (Screen { width: 40, ..Screen::default() }, Shared::default());
    let mut terminal = with_screen(&screen, &to);
    let Event::RunStarted { run, pipeline, mut tables } = started() else { panic!() };
    tables[1].what = "\u{1b}[2J行".repeat(100);
    terminal.on(&stamped(0.0, Event::RunStarted { run, pipeline, tables })).unwrap();
    screen.take();
    terminal
        .on(&stamped(0.0, Event::Tick { tables: vec![pace("validate", Kind::Stage, 7)] }))
        .unwrap();
    let drawn = screen.take();
    let line = "validate  7 records  0/s  1 worker  \\u{1";
    assert!(drawn.contains(line) && !drawn.contains(&format!("{line}b")), "{drawn:?}");
    assert!(!drawn.contains('\u{1b}'), "{drawn:?}");
}

#[test]
fn a_terminal_that_hung_up_harms_nothing() {
    let screen = Screen { width: 80, gone: true, ..Screen::default() };
    let mut terminal = with_screen(&screen, &Shared::default());
    for event in every_event() {
        terminal.on(&stamped(1.0, event)).unwrap();
    }
    assert!(terminal.finish().is_empty());
}

#[test]
fn nothing_foreign_begins_a_line_or_steers_the_terminal() {
    for progress in [Progress::Plain, Progress::None] {
        let text = tell(progress, every_event().into_iter().map(|e| (11.0, e)));
        for line in text.lines() {
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(!line.trim_start().starts_with("::"), "{line:?}");
            assert!(!line.contains("##["), "{line:?}");
        }
    }
}

#[test]
fn nothing_depends_on_colour() {
    let strip = |text: String| {
        let codes = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[1;31m", "\x1b[1;32m"];
        codes.iter().fold(text, |text, code| text.replace(code, ""))
    };
    let told = |color| {
        let shared = Shared::default();
        let look = Look { color, ..Look::default() };
        let mut terminal =
            Terminal::with(Box::new(shared.clone()), Display::Plain(Clock::new()), look);
        for event in every_event() {
            terminal.on(&stamped(11.0, event)).unwrap();
        }
        shared.text()
    };
    assert_ne!(told(true), told(false));
    assert_eq!(strip(told(true)), told(false));
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(1024))]

    #[test]
    fn whatever_a_child_writes_stands_behind_its_name(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let line = String::from_utf8_lossy(&bytes).into_owned();
        let kept = StderrKept { head: vec![], tail: vec![line.clone()], omitted: 0 };
        let flood = Event::StderrTruncated { stage: name("validate"), worker: 0, shown: 0 };
        let text = tell(
            Progress::None,
            [stderr(&line), flood, worker_exit(Some(0), 0, kept)].map(|e| (0.0, e)),
        );
        prop_assert_eq!(text.matches('\n').count(), 2);
        for line in text.split_terminator('\n') {
            prop_assert!(line.starts_with("validate | "), "{line:?}");
            prop_assert!(line.chars().all(|c| c == '\t' || !c.is_control()), "{line:?}");
        }
    }
}
