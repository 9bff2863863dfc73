//! Tests of the page on made-up events; it is read by an HTML reader of somebody else's.

use std::time::Duration;

use html5gum::{Token, Tokenizer};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{SCRIPT, STYLE, render};
use crate::report::findings::Around;
use crate::report::fixtures::{bad, every_event, name, pace, spent, stage, stamped, table, times};
use crate::report::summary::{End, Summary};
use crate::words::event::{BaselineUse, Ended, Event, Finish, Kind, KindCount, Usage, WorkerEnd};
use crate::words::id::RunId;
use crate::words::kinds::Times;
use crate::words::ledger::{Edge, Ledger, Port};
use crate::words::outcome::{Exit, Failure};
use crate::words::sample::Sample;
use crate::words::text::shown;

/// How large a page may be.
const MOST: usize = 2_000_000;

/// Makes the page of some events, the last of them told at this time.
fn page_at(seconds: f64, events: Vec<Event>) -> String {
    let mut summary = Summary::default();
    let step = seconds / f64::from(u32::try_from(events.len()).unwrap());
    let times = (1_u32..).map(|number| step * f64::from(number));
    let events: Vec<_> = times.zip(events).map(|(t, event)| stamped(t, event)).collect();
    for event in &events {
        summary.add(event);
    }
    let end = events.last().and_then(End::of).unwrap();
    let around =
        Around { prefix: String::new(), pipeline: Some("<p>.toml".into()), ..Around::default() };
    String::from_utf8(render(&summary, &end, &around).unwrap()).unwrap()
}

/// What a reader makes of a page: its tags with their attributes, and its text.
#[derive(Debug, Default)]
struct Read {
    tags: Vec<(String, Vec<(String, String)>)>,
    text: String,
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a page. What is ours to the byte is cut out before: behind that no script and no style
/// may be left.
fn read(page: &str) -> Read {
    let mut page = page.to_owned();
    for (own, least) in
        [(format!("<style>{STYLE}</style>"), 1), (format!("<script>{SCRIPT}</script>"), 0)]
    {
        let times = page.matches(&own).count();
        assert!(times == 1 || times == least, "{times} times");
        page = page.replace(&own, "");
    }
    let mut read = Read::default();
    for Ok(token) in Tokenizer::new(&page) {
        match token {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(k, v)| (lossy(k), lossy(v)));
                read.tags.push((lossy(&tag.name), attributes.collect()));
            }
            Token::String(text) => read.text.push_str(&lossy(&text)),
            Token::EndTag(_) | Token::Doctype(_) => {}
            Token::Comment(text) => panic!("a comment: {text:?}"),
            // A character that HTML does not like, and shows all the same.
            Token::Error(error) if *error == html5gum::Error::NoncharacterInInputStream => {}
            Token::Error(error) => panic!("{error:?} near {:?}", read.tags.last()),
        }
    }
    read
}

/// All that the template and the charts are made of.
const TAGS: &str = "html head meta title body a header div svg circle path p h1 h2 h3 span main dl \
    dt dd section ul li pre ol article rect table caption thead tbody tr th td figure figcaption \
    details summary form label input select option button output code mark strong bdi footer \
    desc g text";

/// Finds what somebody else than we must have written.
fn foreign(read: &Read) -> Vec<String> {
    let mut found = Vec::new();
    for (tag, attributes) in &read.tags {
        if !TAGS.split_whitespace().any(|known| known == tag) {
            found.push(format!("<{tag}>"));
        }
        for (key, value) in attributes {
            let bad = match key.as_str() {
                "style" | "src" | "action" | "formaction" | "srcdoc" => true,
                "href" => !value.starts_with('#'),
                "http-equiv" => value != "Content-Security-Policy",
                key => {
                    key.starts_with("on") || key.contains([':', '\'', '"', '<']) && key != "xmlns"
                }
            };
            found.extend(bad.then(|| format!("<{tag} {key}={value:?}>")));
        }
    }
    found
}

#[test]
fn each_kind_of_event_makes_a_page() {
    let read = read(&page_at(2.5, every_event()));
    assert_eq!(foreign(&read), Vec::<String>::new());
    for want in
        ["Broken", "exit 3: a stage is broken", "##[set-env]".replace("##", "#\\u{23}").as_str()]
    {
        assert!(read.text.contains(want), "{want}: {}", read.text);
    }
}

/// A run with foreign text wherever there can be any.
fn of_texts(texts: &[String]) -> Vec<Event> {
    let mut next = texts.iter().cycle().cloned();
    let mut text = || next.next().unwrap_or_default();
    let tables = vec![
        table("in", Kind::Source, &text()),
        table("judge", Kind::Stage, &text()),
        table("out", Kind::Sink, &text()),
        crate::words::event::Table { letters: true, ..table("judge.rejects", Kind::Sink, &text()) },
    ];
    let names: Vec<_> = tables.iter().map(|table| table.name.clone()).collect();
    let run = RunId::new(1, 2);
    let mut events = vec![Event::RunStarted { run, pipeline: text(), tables }];
    events.extend((0..6).map(|n| Event::Tick { tables: vec![pace("in", Kind::Source, n * n)] }));
    let mut kinds = Vec::new();
    for line in 1..4 {
        let (code, path) = (text(), text());
        let Event::BadRecord(mut record) = bad(Some(&text()), line, &code, &text()) else {
            return vec![];
        };
        record.path.clone_from(&path);
        record.stage = Some(name("judge"));
        let (before, value, after) = (text(), text(), text());
        record.sample = Some(Sample { before, value, after, begins_before: true, goes_on: true });
        events.push(Event::BadRecord(record));
        let times = Times { count: 5, known: 2 };
        kinds.push(KindCount { table: name("judge"), code, path, times });
    }
    events.push(Event::WorkerStarted { stage: name("judge"), worker: 0, pid: 7 });
    events.push(Event::Withheld { sink: name("out"), path: text() });
    let exit = Ended {
        code: Exit::Data,
        reason: text(),
        hints: vec![text(), format!("{}\n  | {}", text(), text())],
        failures: vec![Failure::new(Exit::Data, text())],
    };
    let edge = |from: usize, port, to: usize| Edge {
        from: names[from].clone(),
        port,
        to: names[to].clone(),
    };
    let counts = |at: usize| (names[at].clone(), stage(9, 3, 6));
    events.push(Event::RunFinished(Box::new(Finish {
        kinds,
        over: vec![name("judge")],
        ledger: Ledger {
            tables: (0..4).map(counts).collect(),
            edges: vec![edge(0, Port::Out, 1), edge(1, Port::Out, 2), edge(1, Port::Rejects, 3)],
            ..Ledger::default()
        },
        baseline: Some(BaselineUse { entries: 3, unmet: 1, known: 6, renewed: false }),
        times: names.iter().map(|name| (name.clone(), spent(900, 600, 300))).collect(),
        ..Finish::new(exit, Usage::default())
    })));
    events
}

/// What has been used to break out of markup, templates and scripts, and anything else.
fn hostile() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => proptest::sample::select(vec![
            "<script>alert(1)</script>", "</script>", "</style>", "</title>", "</svg>", "\">", "'>",
            "<img src=x onerror=alert(1)>", "<", ">", "&", "\"", "'", "`", "&lt;", "&#60;", "&amp",
            "<!--", "-->", "]]>", "<![CDATA[", "{{ 7*7 }}", "{% raw %}", "{#", "\u{202e}", "\u{0}",
            "\n", "\t", " onload=x ", "javascript:x", "=", "/>", "\u{fffe}", "a",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(fragment, 0..5).prop_map(|fragments| fragments.concat())
}

proptest! {
    #![proptest_config(crate::words::trials::at_least(256))]

    #[test]
    fn foreign_text_is_text_wherever_it_stands(
        texts in proptest::collection::vec(hostile(), 1..30),
    ) {
        let read = read(&page_at(6.0, of_texts(&texts)));
        prop_assert_eq!(foreign(&read), Vec::<String>::new());
        // With other words in the places of these the page has as many parts.
        let first = |text: &String| texts.iter().position(|other| other == text).unwrap_or(0);
        let plain = |text: &String| if text.is_empty() { String::new() } else { format!("a{}", first(text)) };
        let plain: Vec<String> = texts.iter().map(plain).collect();
        let plain = self::read(&page_at(6.0, of_texts(&plain)));
        let count = |read: &Read, tag: &str| read.tags.iter().filter(|(name, _)| name == tag).count();
        for tag in ["tr", "section", "article", "form", "svg", "h2", "meta", "a", "rect", "mark"] {
            prop_assert_eq!(count(&read, tag), count(&plain, tag), "{}", tag);
        }
        for text in texts.iter().filter(|text| text.len() < 100).take(4) {
            prop_assert!(read.text.contains(&shown(text)), "{:?} is there", text);
        }
    }
}

/// More of everything than a page can hold.
fn flood() -> Vec<Event> {
    let wide = |n: usize| format!("{n}{}", "\"<'&\u{202e}".repeat(120));
    let tables: Vec<_> = (0..300).map(|n| table(&format!("t{n}"), Kind::Stage, &wide(n))).collect();
    let names: Vec<_> = tables.iter().map(|table| table.name.clone()).collect();
    let (run, pipeline) = (RunId::new(1, 2), wide(0));
    let mut events = vec![Event::RunStarted { run, pipeline, tables }];
    let paces = |n: u64| names.iter().map(move |of| pace(of.as_str(), Kind::Stage, n * (n % 7)));
    events.extend((0..400).map(|n| Event::Tick { tables: paces(n).collect() }));
    for n in 0..5000_usize {
        let (stage, worker) = (names[n % 300].clone(), u32::try_from(n).unwrap());
        events.push(Event::WorkerStarted { stage: stage.clone(), worker, pid: worker });
        events.push(Event::Withheld { sink: stage.clone(), path: wide(n) });
        let Event::BadRecord(mut record) =
            bad(Some(&wide(n)), 7, &wide(n % 1000), &wide(n).repeat(2))
        else {
            return vec![];
        };
        record.stage = Some(stage);
        record.path = wide(n);
        let sample = || "\\u{202e}<&\"'".repeat(80);
        let (before, value, after) = (sample(), sample(), sample());
        record.sample = Some(Sample { before, value, after, begins_before: true, goes_on: true });
        events.push(Event::BadRecord(record));
    }
    let kinds = (0..5000).map(|n| KindCount {
        table: names[n % 300].clone(),
        code: wide(n % 1000),
        path: wide(n),
        times: times(9),
    });
    let every = |port| {
        let names = &names;
        names.windows(2).map(move |pair| Edge { from: pair[0].clone(), port, to: pair[1].clone() })
    };
    let exit = Ended {
        code: Exit::Data,
        reason: wide(1),
        hints: (0..100).map(|n| format!("{0}\n{0}\n{0}", wide(n))).collect(),
        failures: (0..100).map(|n| Failure::new(Exit::Data, wide(n))).collect(),
    };
    events.push(Event::RunFinished(Box::new(Finish {
        kinds: kinds.collect(),
        over: names.clone(),
        ledger: Ledger {
            tables: names.iter().map(|name| (name.clone(), stage(9, 3, 6))).collect(),
            edges: every(Port::Out).chain(every(Port::Rejects)).collect(),
            ..Ledger::default()
        },
        times: names.iter().map(|name| (name.clone(), spent(900, 600, 300))).collect(),
        ..Finish::new(exit, Usage::default())
    })));
    events
}

#[test]
fn a_page_stays_small_and_says_what_it_leaves_out() {
    let page = page_at(90.0, flood());
    assert!(page.len() < MOST, "{} bytes", page.len());
    let read = read(&page);
    assert_eq!(foreign(&read), Vec::<String>::new());
    for (more, times) in [
        ("more tables", 2),
        ("more workers", 1),
        ("more outputs", 1),
        ("more kinds", 1),
        ("more codes", 1),
        ("more fields", 1),
        ("more failures", 1),
    ] {
        assert_eq!(read.text.matches(more).count(), times, "{more}");
    }
    let rows = page.matches("<tr data-code").count();
    let (shown, left) = (format!("{rows} errors shown."), 45_000 - rows);
    assert!(rows > 50 && read.text.contains(&shown), "{rows} rows");
    assert!(read.text.contains(&format!(
        "{} more are not shown here.",
        crate::words::text::grouped(left as u64)
    )));
}

#[test]
fn many_short_records_are_all_shown_up_to_a_thousand() {
    let mut events = of_texts(&["plain".to_owned()]);
    let end = events.pop().unwrap();
    events.extend((0..1500).map(|n| {
        let Event::BadRecord(mut record) = bad(Some("in"), n, "plain", "is bad") else {
            unreachable!()
        };
        record.stage = Some(name("judge"));
        Event::BadRecord(record)
    }));
    events.push(end);
    assert_eq!(page_at(6.0, events).matches("<tr data-code").count(), 1000);
}

#[test]
fn workers_and_times_are_told() {
    let mut events = of_texts(&["x".to_owned()]);
    let end = events.pop().unwrap();
    let (judge, worker) = (name("judge"), 0);
    let of_end =
        WorkerEnd { code: None, signal: Some(9), user_ms: 1200, system_ms: 300, peak_rss: 3 << 20 };
    let stderr = crate::words::event::StderrKept::default();
    events.push(Event::WorkerExit {
        stage: judge.clone(),
        worker,
        end: of_end,
        outstanding: 4,
        stderr,
    });
    events.push(Event::Restart { stage: judge, worker, attempt: 1, delay_ms: 10, outstanding: 4 });
    events.push(end);
    let read = read(&page_at(6.0, events.clone()));
    for want in [
        "signal 9",
        "1.5 s",
        "3.0 MiB",
        "50%",
        "The baseline knows 6 of 15 errors.",
        "Rate over time",
    ] {
        assert!(read.text.contains(want), "{want}: {}", read.text);
    }
    assert!(!read.text.contains("too short"), "{}", read.text);
    // Of a short run neither shares nor rates say anything.
    let Some(Event::RunFinished(finish)) = events.last_mut() else { unreachable!() };
    finish.times.iter_mut().for_each(|(_, spent)| spent.busy = Duration::ZERO);
    finish.times.iter_mut().for_each(|(_, spent)| spent.starved = Duration::ZERO);
    events.retain(|event| !matches!(event, Event::Tick { .. }));
    let short = self::read(&page_at(0.2, events));
    assert_eq!(short.text.matches("too short").count(), 2, "{}", short.text);
}
