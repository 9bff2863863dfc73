//! How rejects are judged: a table's own rules over the pipeline's.

use crate::config::diagnostic::{Diagnostic, Diagnostics};
use crate::config::origin::Located;
use crate::config::schema::{Rules, Setting};
use crate::plan::Tolerance;
use crate::words::policy::OnReject;
use crate::words::units::Limit;

/// For sinks that cannot reject.
pub(super) const NEVER: Tolerance = Tolerance { max_rejects: None, on_reject: OnReject::Continue };

/// Checks the pipeline's own rules against each other.
pub(super) fn check_pipeline(rules: &Rules, out: &mut Diagnostics) {
    if let (Some(stop), Some(share)) = (stops(&rules.on_reject), shares(&rules.max_rejects)) {
        out.push(counts_only(stop, share));
    }
}

/// Says how the rejects of a table are judged.
pub(super) fn tolerance(rules: &Rules, pipeline: &Rules, out: &mut Diagnostics) -> Tolerance {
    let own = !(rules.on_reject.is_left_out() && rules.max_rejects.is_left_out());
    let on_reject = first(&rules.on_reject, &pipeline.on_reject);
    let limit = first(&rules.max_rejects, &pipeline.max_rejects);
    // What is the pipeline's alone is judged there, once.
    if let (true, Some(stop), Some(share)) = (own, stops(on_reject), shares(limit)) {
        out.push(counts_only(stop, share));
    }
    Tolerance {
        max_rejects: rules.max_rejects.value().copied(),
        on_reject: on_reject.or(OnReject::Continue),
    }
}

fn first<'a, T>(own: &'a Setting<T>, inherited: &'a Setting<T>) -> &'a Setting<T> {
    if own.is_left_out() { inherited } else { own }
}

fn stops(setting: &Setting<OnReject>) -> Option<&Located<OnReject>> {
    setting.given().filter(|on| on.value == OnReject::Stop)
}

fn shares(setting: &Setting<Limit>) -> Option<&Located<Limit>> {
    let share = |limit: &&Located<Limit>| matches!(limit.value, Limit::Share { .. });
    setting.given().filter(share)
}

fn counts_only(stop: &Located<OnReject>, share: &Located<Limit>) -> Diagnostic {
    Diagnostic::new("`on_reject = \"stop\"` goes with counts only")
        .at(stop.origin, "stops as soon as the limit is passed")
        .at(share.origin, "a share is known at the end only")
        .hint("write a count such as `max_rejects = 3`, or `on_reject = \"continue\"`")
}
