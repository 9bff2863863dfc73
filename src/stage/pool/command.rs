//! The `command` protocol: a process for each record, whose exit code is the reply.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::child::guard::KILL;
use crate::child::nursery::{End, Worker};
use crate::child::pump::{Found, Reader, Writer};
use crate::json;
use crate::plan::Reply;
use crate::stage::ended::{Ended, ended};
use crate::stage::feed::Traffic;
use crate::stage::log::Log;
use crate::stage::order::{Outcome, Refusal};
use crate::stage::pool::Shared;
use crate::stage::pool::desk::{Next, Parcel, without_feed};
use crate::stage::pool::judge::{Facts, refusal, too_many};
use crate::stage::pool::slot::broken_start;
use crate::stage::stall::Watch;
use crate::stage::teller::Teller;
use crate::stage::verdict::Left;
use crate::words::belt::{Stop, stopped};
use crate::words::clock;
use crate::words::dead_letter::{Complaint, Trace};
use crate::words::event::{Event, StderrKept};
use crate::words::outcome::{Exit, Failure};
use crate::words::policy::Check;
use crate::words::text::{excerpt, grouped};

/// How much of what a process says about a record its dead letter tells, in bytes.
const MESSAGE: usize = 1024;

/// The exit codes that refuse a record; those above say that the program could not be run.
const REFUSES: std::ops::RangeInclusive<i32> = 1..=125;

/// What came of one process.
struct Spent {
    end: End,
    stdout: Vec<u8>,
    over: bool,
    stderr: StderrKept,
    late: bool,
}

/// Runs processes at one place, a record each, until there are no more.
pub(super) async fn tend(shared: Arc<Shared>, number: usize) -> Vec<Failure> {
    let mut stop = shared.stop.clone();
    {
        let mut desk = shared.desk();
        desk.open(number);
        shared.give_out(&mut desk);
    }
    loop {
        let next = shared.desk().next(number);
        let id = match next {
            Next::Close => return Vec::new(),
            Next::Parcel(Parcel::Record(id)) => id,
            Next::Parcel(_) | Next::Wait => {
                tokio::select! {
                    biased;
                    () = stopped(&mut stop, Stop::Abort) => return Vec::new(),
                    () = shared.mail[number].notified() => {}
                }
                continue;
            }
        };
        if let Err(failure) = one(&shared, number, id).await {
            return vec![failure];
        }
        if shared.is_stopping() {
            return Vec::new();
        }
    }
}

/// Runs the process of one record and settles it.
async fn one(shared: &Shared, number: usize, id: u64) -> Result<(), Failure> {
    let worker = u32::try_from(number).unwrap_or(u32::MAX);
    let hired =
        crate::stage::hire(&shared.plan, &shared.nursery, &shared.run, &shared.events, worker);
    let process = hired.await.map_err(broken_start)?;
    let pid = process.pid();
    let line = shared.desk().order.line(id).unwrap_or_default().to_vec();
    let teller = shared.teller(number);
    shared.tally.alive.add(1);
    let spent = attend(shared, &teller, process, &line).await;
    shared.tally.alive.sub(1);
    let spent = spent.map_err(|error| {
        let (stage, worker) = (&teller.stage, teller.worker);
        let message = format!("stage `{stage}`: lost touch with worker {worker}: {error}");
        Failure::new(Exit::World, message)
    })?;
    let left = teller.left(&spent.end);
    let settled = matches!(left, Left::Code(code) if code == 0 || REFUSES.contains(&code));
    let outstanding = u64::from(!settled || spent.late);
    // How much it reads is its own affair: its exit code is the reply.
    teller.worker_ended(&spent.end, Some(0), outstanding, spent.stderr.clone());
    if shared.is_stopping() {
        return Ok(());
    }
    let outcome = match left {
        _ if spent.over => {
            let max = grouped(shared.plan.max_record as u64);
            let what = format!("more than the {max} bytes of `max_record`");
            return Err(violates(&teller, &what));
        }
        _ if spent.late => return crashed(shared, number, &spent, (pid, left)),
        Left::Code(0) => match replacement(shared, &spent, without_feed(&line)) {
            Ok(None) => Outcome::Kept,
            Ok(Some(text)) => return answer(shared, number, id, Outcome::Replaced(&text)),
            Err(what) => return Err(violates(&teller, &what)),
        },
        Left::Code(code) if REFUSES.contains(&code) => {
            let attempts = shared.desk().attempts(id);
            let trace = Trace { worker, pid, exit: Some(code), attempts, ..Trace::default() };
            let complaint =
                Complaint::new("", format!("exit.{code}"), message(&spent.stderr, code));
            Outcome::Rejected(Refusal { errors: vec![complaint], trace })
        }
        _ => return crashed(shared, number, &spent, (pid, left)),
    };
    answer(shared, number, id, outcome)
}

fn answer(shared: &Shared, number: usize, id: u64, outcome: Outcome<'_>) -> Result<(), Failure> {
    let mut desk = shared.desk();
    // It is with this worker, which has just been given it.
    let told = desk.answer(number, id, outcome);
    shared.give_out(&mut desk);
    drop(desk);
    shared.out.notify_one();
    told.map_err(|what| {
        let message = format!("stage `{}`: {what}: this is a bug in esteira", shared.plan.stage);
        Failure::new(Exit::Bug, message)
    })
}

/// The process broke down over the record: it gets another one, or is refused.
fn crashed(
    shared: &Shared,
    number: usize,
    spent: &Spent,
    (pid, left): (u32, Left),
) -> Result<(), Failure> {
    let facts = Facts {
        plan: &shared.plan,
        reply: shared.pool.reply,
        worker: u32::try_from(number).unwrap_or(u32::MAX),
        left,
        all_fed: true,
        unread: None,
        outstanding: 1,
        oldest: None,
        gap: false,
        torn: 0,
        lines: 0,
        late: spent.late,
        stderr: &spent.stderr,
    };
    let mut desk = shared.desk();
    desk.crashed(number, |attempts| refusal(&facts, pid, attempts));
    desk.open(number);
    shared.give_out(&mut desk);
    drop(desk);
    shared.out.notify_one();
    match shared.restart() {
        Some(attempt) => {
            let (stage, worker) = (shared.plan.stage.clone(), facts.worker);
            let event = Event::Restart { stage, worker, attempt, delay_ms: 0, outstanding: 1 };
            shared.events.emit(event);
            Ok(())
        }
        None => Err(too_many(&facts, shared.pool.restarts)),
    }
}

fn violates(teller: &Teller, what: &str) -> Failure {
    teller.tell_protocol(1, what);
    let (stage, worker) = (&teller.stage, teller.worker);
    let message = format!("stage `{stage}`: worker {worker} wrote {what}");
    Failure::new(Exit::Stage, message)
        .hint("a process that accepts its record writes nothing, or the one JSON text that takes its place")
}

/// Returns what a process that accepts puts in the place of its record, if anything.
fn replacement(shared: &Shared, spent: &Spent, record: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let text = spent.stdout.trim_ascii();
    if text.is_empty() || text == record {
        return Ok(None);
    }
    // A line feed between two tokens is white space like a blank; in a string it cannot stand.
    let text: Vec<u8> = text.iter().map(|&b| if b == b'\n' { b' ' } else { b }).collect();
    let Reply::Command { check_output } = shared.pool.reply else { return Ok(Some(text)) };
    let checked = match check_output {
        Check::Json => json::check(text.as_slice()).map_err(|fault| (fault, "no JSON text")),
        Check::Utf8 => json::check_utf8(&text).map_err(|fault| (fault, "no UTF-8")),
        Check::None => Ok(()),
    };
    match checked {
        Ok(()) => Ok(Some(text)),
        Err((fault, what)) => {
            let (column, why) = (fault.column, fault.message);
            Err(format!("{what} (column {column}: {why}): {}", excerpt(&text)))
        }
    }
}

/// What a process says about a record that it refuses.
fn message(stderr: &StderrKept, code: i32) -> String {
    let lines: Vec<&str> = stderr.head.iter().chain(&stderr.tail).map(|line| line.trim()).collect();
    let mut text = lines.join("; ");
    text.truncate(text.floor_char_boundary(MESSAGE));
    if text.is_empty() { format!("exit code {code}") } else { text }
}

async fn attend(
    shared: &Shared,
    teller: &Teller,
    process: Worker,
    line: &[u8],
) -> io::Result<Spent> {
    let process_id = (process.pid(), process.session());
    let Worker { stdin, mut stdout, mut stderr, keeper, .. } = process;
    let traffic = Traffic::default();
    traffic.listening.store(true, Ordering::Relaxed);
    traffic.pending.store(true, Ordering::Relaxed);
    let (herald, ended) = ended();
    let (remote, late) = (keeper.remote(), AtomicBool::new(false));
    let living = async {
        let end = crate::stage::stream::live(keeper, shared.plan.grace, shared.stop.clone()).await;
        herald.tell(false);
        end
    };
    let watch = Watch {
        stage: &shared.plan.stage,
        worker: teller.worker,
        process: process_id,
        traffic: &traffic,
        limit: shared.plan.stall,
        buffers: None,
        events: &shared.events,
    };
    let watching = async {
        teller.failed(watch.stalled().await);
        std::future::pending::<()>().await;
    };
    let timing = async {
        overdue(shared.pool.record_timeout).await;
        late.store(true, Ordering::Relaxed);
        remote.tell(KILL);
        std::future::pending::<()>().await;
    };
    let log = Log::new(shared.plan.stage.clone(), teller.worker, shared.events.clone());
    let parts = async {
        tokio::try_join!(
            feed(stdin, line, &traffic, ended.clone()),
            async {
                let gathered =
                    gather(&mut stdout, shared.plan.max_record, &traffic, ended.clone()).await?;
                if gathered.1 {
                    // There may be no end to it.
                    remote.tell(KILL);
                }
                Ok(gathered)
            },
            log.drain(&mut stderr, ended.clone()),
            living
        )
    };
    let parts = tokio::select! {
        parts = parts => parts,
        () = watching => Err(io::Error::other("the watch never ends")),
        () = timing => Err(io::Error::other("the clock never ends")),
    };
    let ((), (stdout, over), stderr, (end, _)) = parts?;
    Ok(Spent { end, stdout, over, stderr, late: late.load(Ordering::Relaxed) })
}

/// Gives a process its record; whether it reads it is its own affair.
async fn feed(
    mut stdin: Writer,
    mut line: &[u8],
    traffic: &Traffic,
    mut ended: Ended,
) -> io::Result<()> {
    while !line.is_empty() {
        let written = tokio::select! {
            written = stdin.write(line) => written?,
            () = ended.over() => return Ok(()),
        };
        let Ok(count) = written else { return Ok(()) };
        traffic.fed.add(count as u64);
        line = line.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Reads all that a process writes, and says whether it was more than `max` bytes.
async fn gather(
    stdout: &mut Reader,
    max: usize,
    traffic: &Traffic,
    mut ended: Ended,
) -> io::Result<(Vec<u8>, bool)> {
    let mut all = Vec::new();
    let mut room = vec![0; 64 << 10];
    loop {
        tokio::task::coop::consume_budget().await;
        match stdout.read(&mut room)? {
            Found::Bytes(count) => {
                traffic.got.add(count as u64);
                // A line feed or two behind the text are not counted.
                if all.len() + count > max + 2 {
                    return Ok((Vec::new(), true));
                }
                all.extend_from_slice(room.get(..count).unwrap_or_default());
            }
            Found::End => return Ok((all, false)),
            Found::Idle => tokio::select! {
                ready = stdout.ready() => ready?,
                () = ended.pipes_over() => return Ok((all, false)),
            },
        }
    }
}

/// Waits until so much time was spent.
async fn overdue(limit: Option<Duration>) {
    let Some(limit) = limit else { return std::future::pending().await };
    clock::sleep(limit).await;
}
