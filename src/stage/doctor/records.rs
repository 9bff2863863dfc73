//! Does a child speak the `records` protocol? Judges what it said; pure.

use std::collections::HashSet;

use serde_json::Value;

use crate::stage::doctor::inputs::MANY;
use crate::stage::doctor::trial::{Left, Seen};
use crate::stage::doctor::words::left;
use crate::words::text::{excerpt, grouped};

/// A line that a worker wrote.
enum Said {
    Ready,
    Log,
    Reply(u64),
}

fn said(line: &[u8]) -> Result<Said, String> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else {
        return Err(format!("it wrote what is no JSON object: `{}`", excerpt(line)));
    };
    if fields.get("ready") == Some(&Value::Bool(true)) {
        return Ok(Said::Ready);
    }
    if fields.contains_key("log") {
        return Ok(Said::Log);
    }
    let Some(id) = fields.get("id").and_then(Value::as_u64) else {
        return Err("it answered with no `id`".to_owned());
    };
    let verdict = fields.get("ok").is_some_and(Value::is_boolean)
        || fields.get("drop") == Some(&Value::Bool(true));
    if verdict { Ok(Said::Reply(id)) } else { Err("it answered with no `ok`".to_owned()) }
}

/// Judges the answer to one request; what is wrong with it is the error.
pub(super) fn answered(seen: &Seen) -> Result<(), String> {
    let before = seen.lines_by(0).len();
    let mut replied = false;
    for (at, line) in seen.lines().into_iter().enumerate() {
        match said(line)? {
            Said::Ready | Said::Log => {}
            Said::Reply(1) if !replied && at < before => replied = true,
            Said::Reply(1) if !replied => {
                return Err(
                    "it answers only when its input ends: flush stdout after each line".to_owned()
                );
            }
            Said::Reply(id) => {
                return Err(format!("it answered twice, or an id that it was not sent: {id}"));
            }
        }
    }
    match (replied, seen.left) {
        (true, Left::Code(0)) => Ok(()),
        (true, how) => Err(format!("it answers, but {} at the end of its input", left(how))),
        (false, Left::Code(0)) => Err("it gave no answer".to_owned()),
        (false, how) => Err(format!("it gave no answer and {}", left(how))),
    }
}

/// Judges the answers to many requests, sent without waiting; says what they show.
pub(super) fn kept_up(seen: &Seen) -> Result<String, String> {
    let (mut ids, mut ready, mut in_order, mut last) = (HashSet::new(), false, true, 0);
    for line in seen.lines() {
        match said(line)? {
            Said::Ready => ready = true,
            Said::Log => {}
            Said::Reply(id) => {
                in_order &= id > last;
                last = id;
                let asked = usize::try_from(id).is_ok_and(|id| (1..=MANY).contains(&id));
                if !asked || !ids.insert(id) {
                    return Err(format!("it answered {id} twice, or was not sent it"));
                }
            }
        }
    }
    if ids.len() < MANY {
        let (some, all) = (grouped(ids.len() as u64), grouped(MANY as u64));
        return Err(format!("it answered {some} of {all} requests that were sent at once"));
    }
    if seen.left != Left::Code(0) {
        return Err(format!("it answers, but {} at the end of its input", left(seen.left)));
    }
    let order = if in_order { "" } else { ", in an order of its own" };
    let ready = if ready { "; it says when it is ready" } else { "" };
    Ok(format!("{} sent at once are answered{order}{ready}", grouped(MANY as u64)))
}
