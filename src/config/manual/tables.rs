//! `[pipeline]`, sources, stages with a program, sinks: their keys, explained.

use crate::config::keys;
use crate::config::manual::Without::{Inner, Means, Required, Value};
use crate::config::manual::takes::now;
use crate::config::manual::{Key, Kind, Takes, Words};

/// `check`, `check_output`
const CHECKS: Words = || now(keys::CHECKS);

/// `order`
const ORDERS: Words = || now(keys::ORDERS);

/// `locale`
const LOCALES: Words = || now(keys::LOCALES);

/// `on_reject`
const ON_REJECTS: Words = || now(keys::ON_REJECTS);

/// `rejects`, `max_rejects`, `on_reject` of a table.
pub(super) const RULES: &[Key] = &[
    Key::new(
        "rejects",
        Takes::Path,
        Means("where the pipeline's go"),
        "A file for its dead letters.",
    ),
    Key::new(
        "max_rejects",
        Takes::Limit,
        Means("counts for the pipeline's"),
        "Its own limit, judged alone; a share is one of what came in.",
    ),
    Key::new(
        "on_reject",
        Takes::Word(ON_REJECTS),
        Means("the pipeline's"),
        "`\"stop\"`: stop soon after the limit, a count, is passed.",
    ),
];

/// `inputs`
pub(super) const INPUTS: Key = Key::new(
    "inputs",
    Takes::Inputs,
    Means("the nearest source or stage above"),
    "From whom it takes: all records of one, then those of the next. `\"NAME.rejects\"` stands for the \
     dead letters of a table.",
);

/// `output`
pub(super) const OUTPUT: Key =
    Key::new("output", Takes::Path, Means("none"), "Short for a file sink of its own.");

/// `workers`
pub(super) const WORKERS: Takes = Takes::Workers;

/// `order` of a sink
pub(super) const SINK_ORDER: Key = Key::new(
    "order",
    Takes::Word(ORDERS),
    Value("\"input\""),
    "`\"none\"`: several `inputs` are taken as they come.",
);

/// `order`
pub(super) const ORDER: Key = Key::new(
    "order",
    Takes::Word(ORDERS),
    Value("\"input\""),
    "`\"none\"`: records leave as they are done, not as they came, and several `inputs` are taken as \
     they come.",
);

/// `deadline`
pub(super) const DEADLINE: Key = Key::new(
    "deadline",
    Takes::Limited,
    Means("none"),
    "How long after the start of the run the stage must have ended.",
);

/// `max_record`
pub(super) const fn max_record(says: &'static str) -> Key {
    Key::new("max_record", Takes::Size, Value("\"16MiB\""), says)
}

/// `[pipeline]`
pub(super) static PIPELINE: Kind = Kind {
    table: "pipeline",
    mark: None,
    chooser: None,
    says: "What holds for all tables. It is optional, and so is everything in it.",
    keys: &[&[
        Key::new(
            "name",
            Takes::Text,
            Means("the file's name without `.toml`"),
            "What reports call the pipeline.",
        ),
        Key::new(
            "root",
            Takes::Path,
            Value("\".\""),
            "The folder that paths begin at, relative to this file.",
        ),
        Key::new(
            "rejects",
            Takes::Path,
            Means("none"),
            "A file for the dead letters of tables without a `rejects` of their own.",
        ),
        Key::new(
            "max_rejects",
            Takes::Limit,
            Value("0"),
            "How many rejects the tables without a limit of their own may have together; a share \
             is one of the lines read.",
        ),
        Key::new(
            "on_reject",
            Takes::Word(ON_REJECTS),
            Value("\"continue\""),
            "`\"stop\"`: stop soon after the limit, a count, is passed.",
        ),
        Key::new(
            "deadline",
            Takes::Limited,
            Means("none"),
            "How long the run may take, its start included.",
        ),
        Key::new(
            "watch",
            Takes::Paths,
            Means("none"),
            "Files, or patterns of files, that results depend on beside those named in `run`: \
             after a change of one, `--resume` is refused.",
        ),
    ]],
};

/// `[sources.NAME]`
pub(super) static SOURCE: Kind = Kind {
    table: "sources",
    mark: Some(("type", &["file", "stdin", "generate"])),
    chooser: Some("type"),
    says: "Where records come from.",
    keys: &[
        &[
            Key::new("type", Takes::Word(|| now(keys::SOURCE_KINDS)), Required, "What it reads."),
            Key::new(
                "path",
                Takes::Paths,
                Required,
                "The files, read in this order; a pattern (`*`, `?`, `[…]`, `**`) stands for its \
                 matches in sorted order.",
            )
            .with(&["file"]),
            Key::new(
                "spool",
                Takes::Truth,
                Value("false"),
                "Whether to keep a copy of what comes until the run is over, so that `--resume` can \
                 read it again.",
            )
            .with(&["stdin"]),
            Key::new(
                "check",
                Takes::Word(CHECKS),
                Value("\"json\""),
                "What each line must be; `\"none\"` keeps blank lines and the byte order mark, too.",
            ),
            max_record("A longer line is rejected."),
            Key::new(
                "max_unpacked",
                Takes::Unpacked,
                Value("\"1TiB\""),
                "How much a packed file (`.gz`, `.zst`) may hold.",
            )
            .with(&["file"]),
            Key::new(
                "max_ratio",
                Takes::Ratio,
                Value("500"),
                "How many times its own size a packed file may hold; it counts from 1 GiB on.",
            )
            .with(&["file"]),
            OUTPUT,
        ],
        GENERATE,
        RULES,
    ],
};

/// The keys of a source that makes its records.
const GENERATE: &[Key] = &[
    Key::new(
        "count",
        Takes::Whole,
        Means("no end: until the run is stopped"),
        "How many records are made.",
    )
    .with(&["generate"]),
    Key::new(
        "seed",
        Takes::Whole,
        Value("0"),
        "What they are made from: the same seed makes the same bytes, on every machine.",
    )
    .with(&["generate"]),
    Key::new(
        "locale",
        Takes::Word(LOCALES),
        Value("\"en\""),
        "Whose names, addresses and words they hold.",
    )
    .with(&["generate"]),
    Key::new(
        "dirt",
        Takes::Share,
        Value("\"0%\""),
        "How many of them are made dirty: a field missing or of another type, an e-mail address \
         that is none, a line that is no JSON.",
    )
    .with(&["generate"]),
    Key::new(
        "fields",
        Takes::Fields,
        Means("a user as the validators want one"),
        "What is in each record, in this order.",
    )
    .with(&["generate"]),
];

/// `in_flight` in a stage.
const IN_FLIGHT: &[Key] = &[
    Key::new(
        "records",
        Takes::Count,
        Value("256"),
        "So many records; with `on_crash = \"reject\"` it is 1 where it is left out.",
    )
    .with(&["records"]),
    Key::new("bytes", Takes::Size, Value("\"256KiB\""), "So many bytes of them."),
];

/// `exit` in a stage.
const EXIT: &[Key] = &[
    Key::new("ok", Takes::ExitCodes, Value("[0]"), "Codes that say that all is well."),
    Key::new("invalid", Takes::ExitCodes, Value("[]"), "Codes that say that the data is bad."),
];

/// `[stages.NAME]` with `run`
pub(super) static STAGE: Kind = Kind {
    table: "stages",
    mark: Some(("run", &[])),
    chooser: Some("protocol"),
    says: "What records go through: a program, in processes of its own.",
    keys: &[
        &[
            Key::new(
                "run",
                Takes::Arguments,
                Required,
                "The program and its arguments; a shell only where one is named: \
                 `[\"sh\", \"-c\", \"…\"]`.",
            ),
            Key::new(
                "protocol",
                Takes::Word(|| now(keys::PROTOCOLS)),
                Value("\"stream\""),
                "How it is spoken to.",
            ),
            INPUTS,
            OUTPUT,
            Key::new(
                "expect",
                Takes::Word(|| now(keys::EXPECTS)),
                Value("\"any\""),
                "How many lines come out for those that go in.",
            )
            .with(&["stream"]),
            Key::new(
                "check_output",
                Takes::Word(CHECKS),
                Value("\"json\""),
                "What each line it writes must be.",
            )
            .with(&["stream", "lines", "command"]),
            max_record("The longest record it may write."),
            Key::new(
                "early_exit",
                Takes::Word(|| now(keys::EARLY_EXITS)),
                Value("\"fail\""),
                "`\"ok\"`: it may end without reading everything, as `head` does.",
            )
            .with(&["stream"]),
            Key::new(
                "per_record",
                Takes::Truth,
                Value("false"),
                "Your word that the filter keeps nothing from line to line: its input is cut into \
                 pieces, each for a process of its own, `workers` of them at a time.",
            )
            .with(&["stream"]),
            Key::new(
                "split",
                Takes::Size,
                Means("16 MiB"),
                "With `per_record`: how many bytes of whole lines make a piece.",
            )
            .with(&["stream"]),
            Key::new(
                "exit",
                Takes::Table(EXIT),
                Inner,
                "What its exit codes mean; after any other code it has failed.",
            )
            .with(&["stream", "lines", "records"]),
        ],
        POOL,
        &[
            Key::new(
                "inherit_env",
                Takes::Patterns,
                Means("all of them"),
                "Which of the caller's variables it sees: names, or beginnings of names.",
            ),
            Key::new(
                "env",
                Takes::Variables,
                Value("{}"),
                "Variables set on top of those; their values are never shown.",
            ),
            Key::new(
                "grace",
                Takes::Duration,
                Value("\"5s\""),
                "The time between the request to end (TERM) and KILL.",
            ),
            Key::new(
                "stall",
                Takes::Duration,
                Value("\"60s\""),
                "How long it may neither read, write nor compute while input waits, or be stopped \
                 (as by SIGSTOP); `0`: for ever.",
            ),
            DEADLINE,
        ],
        RULES,
    ],
};

/// The keys of a stage with many workers.
const POOL: &[Key] = &[
    Key::new(
        "workers",
        WORKERS,
        Value("1"),
        "How many of the program run at once; `\"auto\"`: as many as the machine has cores. \
         `stream` has one without `per_record`.",
    ),
    Key::new(
        "dispatch",
        Takes::Dispatch,
        Value("\"round-robin\""),
        "Who gets a record: the next in turn that has room, or, with `by` (a JSON Pointer), the \
         same worker for the same value.",
    )
    .with(&["lines", "records"]),
    Key::new(
        "in_flight",
        Takes::Table(IN_FLIGHT),
        Inner,
        "How much is with a worker at a time; one record always may be.",
    )
    .with(&["lines", "records"]),
    Key::new(
        "order",
        Takes::Word(ORDERS),
        Value("\"input\""),
        "`\"none\"`: records leave as they are answered (`stream`: as they are written, as ever), \
                 and several `inputs` are taken as they come.",
    ),
    Key::new(
        "restarts",
        Takes::Restarts,
        Value("\"3/1m\""),
        "How many workers of the stage may be replaced in how long; one more fails it.",
    )
    .with(&["records", "command"]),
    Key::new(
        "on_crash",
        Takes::Word(|| now(keys::ON_CRASHES)),
        Value("\"retry\""),
        "What becomes of records whose worker dies: tried once more, or rejected at once.",
    )
    .with(&["records", "command"]),
    Key::new(
        "record_timeout",
        Takes::Limited,
        Means("none"),
        "How long a worker may take for a record before it is killed.",
    )
    .with(&["records", "command"]),
    Key::new(
        "ready",
        Takes::Truth,
        Value("false"),
        "`true`: a worker gets nothing before it has said `{\"ready\":true}`, and nobody gets \
         anything before all have.",
    )
    .with(&["records"]),
];

/// `[sinks.NAME]`
pub(super) static SINK: Kind = Kind {
    table: "sinks",
    mark: Some(("type", &["file", "stdout"])),
    chooser: Some("type"),
    says: "Where records end.",
    keys: &[
        &[
            Key::new("type", Takes::Word(|| now(keys::SINK_KINDS)), Required, "What it writes."),
            Key::new("path", Takes::Path, Required, "The file.").with(&["file"]),
            INPUTS,
            SINK_ORDER,
            Key::new(
                "publish",
                Takes::Word(|| now(keys::PUBLISHES)),
                Value("\"ok\""),
                "When the file appears: when the run ends with exit 0; `\"always\"`: also when the \
                 data is bad (exit 1), never when something broke.",
            )
            .with(&["file"]),
        ],
        RULES,
    ],
};
