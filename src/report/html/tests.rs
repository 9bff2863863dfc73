//! Tests of the page on made-up events.

use super::render;
use crate::report::findings::Around;
use crate::report::fixtures::{every_event, stamped};
use crate::report::summary::{End, Summary};

#[test]
fn each_kind_of_event_makes_a_page() {
    let mut summary = Summary::default();
    let events: Vec<_> = every_event().into_iter().map(|event| stamped(2.5, event)).collect();
    events.iter().for_each(|event| summary.add(event));
    let end = events.last().and_then(End::of).unwrap();
    let page = render(&summary, &end, &Around::default()).unwrap();
    assert!(String::from_utf8(page).unwrap().ends_with("</html>"));
}
