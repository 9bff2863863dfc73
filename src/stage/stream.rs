//! The `stream` protocol: an unmodified filter that reads lines to the end of its input, writes
//! any number of lines, and exits. It is judged as a whole: only when it read everything, wrote
//! what is expected and left with a good code is anything it wrote taken as good.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::child::nursery::{End, Keeper, Worker};
use crate::child::stop::{Rung, ladder};
use crate::plan::{Program, Stream as Expected};
use crate::stage::check;
use crate::stage::ended::ended;
use crate::stage::feed::{Fed, Feed, Feeder, Traffic};
use crate::stage::gather::{Gathered, Gatherer};
use crate::stage::log::Log;
use crate::stage::stall::Watch;
use crate::stage::teller::Teller;
use crate::stage::verdict::{self, Facts, judge};
use crate::stage::{Io, Life, Stage};
use crate::words::belt::{Inlet, Outlet, Stop, StopSign, edge};
use crate::words::clock;
use crate::words::event::{Event, StderrKept};
use crate::words::ledger::Tally;
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Check;
use crate::words::record::Origin;

/// How many batches may wait between the pump and the check.
const CHECK_QUEUE: usize = 1;

/// How long a killed worker may take to be gone before it is left behind as unkillable.
const UNKILLABLE: Duration = Duration::from_millis(1500);

/// A stage of one filter.
pub struct Stream {
    plan: Program,
    expected: Expected,
    worker: Worker,
}

impl Stream {
    /// Makes a stage of a worker that runs.
    pub fn new(plan: Program, expected: Expected, worker: Worker) -> Self {
        Self { plan, expected, worker }
    }
}

impl Stage for Stream {
    fn live(self: Box<Self>, io: Io) -> Life {
        Box::pin(async move {
            let Io { mut input, output, letters, tally, stop, events, post, .. } = io;
            // It has no say about single records, so it refuses none.
            letters.close().await;
            let teller = Teller::new(self.plan.stage.clone(), 0, events, post);
            tally.alive.add(1);
            let pumped = self.pump(&mut input, output, &tally, &stop, &teller).await;
            tally.alive.sub(1);
            match pumped {
                Ok(failures) => failures,
                Err(error) => {
                    let stage = &teller.stage;
                    let message = format!("stage `{stage}`: lost touch with its worker: {error}");
                    teller.failed(Failure::new(Exit::World, message));
                    // What still comes is counted, whatever happened here.
                    input.drain().await;
                    tally.in_doubt.set(tally.input.get());
                    Vec::new()
                }
            }
        })
    }
}

/// Everything the parts of a pump say when they are through.
struct Ends {
    fed: Fed,
    gathered: Gathered,
    stderr: StderrKept,
    end: End,
    rung: Option<Rung>,
}

impl Stream {
    async fn pump(
        self,
        input: &mut Inlet,
        output: Outlet,
        tally: &Tally,
        stop: &StopSign,
        teller: &Teller,
    ) -> io::Result<Vec<Failure>> {
        let Self { plan, expected, worker } = self;
        let way = Way::lay(expected.check_output, output, teller)?;
        let pump = Pump { plan: &plan, output: way.entry(), stop, teller };
        let ends = pump.run(worker, input).await?;
        let stopping = *stop.borrow() >= Stop::Abort;
        let output = way.arrive(teller).await?;
        let facts = Facts {
            stage: &plan.stage,
            worker: teller.worker,
            expected,
            exit: &plan.exit,
            left: teller.left(&ends.end),
            fed: match &ends.fed.end {
                Feed::All(unread) => verdict::Fed::All { unread: unread.bytes()? },
                Feed::Part => verdict::Fed::Part,
                Feed::Stopped(_) => verdict::Fed::Stopped,
            },
            sent: ends.fed.sent,
            taken: tally.input.get(),
            wrote: tally.output.get(),
            stderr: &ends.stderr,
            stopping,
            broke_protocol: teller.broke.load(Ordering::Relaxed),
        };
        let verdict = judge(&facts);
        let unread = match facts.fed {
            verdict::Fed::All { unread } => Some(unread),
            verdict::Fed::Part => None,
            verdict::Fed::Stopped => Some(0),
        };
        teller.worker_ended(&ends.end, unread, verdict.in_doubt, ends.stderr.clone());
        let worker = teller.worker;
        if ends.gathered == Gathered::Held {
            teller.tell(|stage| Event::OutputHeld { stage, worker });
        }
        if ends.rung == Some(Rung::GraceOver) {
            teller.tell(|stage| Event::KilledAfterGrace { stage, worker });
        }
        count(tally, &verdict);
        if verdict.clean {
            output.end().await;
        }
        Ok(verdict.failure.into_iter().collect())
    }
}

fn count(tally: &Tally, verdict: &verdict::Verdict) {
    tally.accepted.set(verdict.accepted);
    tally.dropped.set(verdict.dropped);
    tally.in_doubt.set(verdict.in_doubt);
}

/// Where the pump's batches go: straight on, or through the check.
enum Way {
    Straight(Outlet),
    Checked { entry: Outlet, done: oneshot::Receiver<check::Done> },
}

impl Way {
    fn lay(check: Check, output: Outlet, teller: &Teller) -> io::Result<Self> {
        if check == Check::None {
            return Ok(Self::Straight(output));
        }
        // Only what leaves the check is counted as the stage's output.
        let (entry, input) = edge(CHECK_QUEUE, Arc::default(), Arc::default());
        let (tell_done, done) = oneshot::channel();
        let teller = teller.clone();
        let name = format!("check:{}", teller.stage);
        std::thread::Builder::new().name(name).spawn(move || {
            let stray = |stray: check::Stray| teller.protocol(stray.line, &stray.message);
            let found = check::run(check, input, output, stray);
            // The stage waits for this to its end, unless it was dropped with the run.
            tell_done.send(found).ok();
        })?;
        Ok(Self::Checked { entry, done })
    }

    fn entry(&self) -> &Outlet {
        match self {
            Self::Straight(outlet) | Self::Checked { entry: outlet, .. } => outlet,
        }
    }

    /// Waits until everything that entered has left; returns the end of the way.
    async fn arrive(self, teller: &Teller) -> io::Result<Outlet> {
        match self {
            Self::Straight(output) => Ok(output),
            Self::Checked { entry, done } => {
                entry.end().await;
                let done = done.await.map_err(|_| io::Error::other("its check panicked"))?;
                teller.blank(done.blank);
                Ok(done.output)
            }
        }
    }
}

/// What all parts of a pump share.
struct Pump<'a> {
    plan: &'a Program,
    output: &'a Outlet,
    stop: &'a StopSign,
    teller: &'a Teller,
}

impl Pump<'_> {
    /// Feeds, gathers, drains and waits, all at once, until the worker is gone.
    async fn run(self, worker: Worker, input: &mut Inlet) -> io::Result<Ends> {
        let Self { plan, output, stop, teller } = self;
        let identity = (worker.pid(), worker.session());
        let Worker { stdin, mut stdout, mut stderr, keeper, .. } = worker;
        let traffic = Traffic::default();
        let (herald, ended) = ended();
        let feeder =
            Feeder { input, traffic: &traffic, stop: stop.clone(), ended: ended.clone(), teller };
        let gatherer = Gatherer {
            origin: Arc::new(Origin { table: plan.stage.clone(), file: None }),
            max_record: plan.max_record,
            output,
            traffic: &traffic,
            ended: ended.clone(),
        };
        let log = Log::new(plan.stage.clone(), teller.worker, teller.events.clone());
        let gather = async {
            let gathered = gatherer
                .gather(&mut stdout, |long| {
                    teller.protocol(long.line, &long.message);
                })
                .await?;
            // Nothing more is to go to the place behind: only the worker is waited for now.
            traffic.listening.store(true, Ordering::Relaxed);
            teller.closed_early(ended.clone()).await;
            Ok(gathered)
        };
        let living = async {
            let end = live(keeper, plan.grace, stop.clone()).await;
            let failed = end
                .as_ref()
                .is_ok_and(|(end, _)| verdict::has_failed(&plan.exit, teller.left(end)));
            herald.tell(failed);
            end
        };
        let watch = Watch {
            stage: &plan.stage,
            worker: teller.worker,
            process: identity,
            traffic: &traffic,
            limit: plan.stall,
            buffers: None,
            events: &teller.events,
        };
        let parts = async {
            tokio::try_join!(
                feeder.feed(stdin),
                gather,
                log.drain(&mut stderr, ended.clone()),
                living
            )
        };
        let watching = async {
            teller.failed(watch.stalled().await);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            parts = parts => {
                let (fed, gathered, stderr, (end, rung)) = parts?;
                Ok(Ends { fed, gathered, stderr, end, rung })
            }
            () = watching => Err(io::Error::other("the watch never ends")),
        }
    }
}

/// Waits for a worker's end, and brings it about when the run stops.
pub async fn live(
    keeper: Keeper,
    grace: Duration,
    mut stop: StopSign,
) -> io::Result<(End, Option<Rung>)> {
    let remote = keeper.remote();
    let end = keeper.end();
    tokio::pin!(end);
    let rung = tokio::select! {
        biased;
        end = &mut end => return Ok((end?, None)),
        rung = ladder(&remote, grace, &mut stop) => rung,
    };
    match clock::within(UNKILLABLE, end).await {
        Some(end) => Ok((end?, Some(rung))),
        None => Err(io::Error::other("it cannot be killed; it may wait for a dead disk or server")),
    }
}
