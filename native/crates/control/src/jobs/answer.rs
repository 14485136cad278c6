//! The worker's answers, and the viewers' answers made of them.

use serde_json::Value;

use super::queue::Job;
use crate::target::{CloseAnswer, Target, Totals};
use crate::wire::Fields;

/// The use of the worker's answer.
pub enum Finish {
    /// Nothing: it was asked to see that it answers.
    Beat,
    /// It is passed to the viewer unchanged.
    Pass,
    /// It is sent to the viewer with the collection's effect: the sums compared with the sums
    /// before.
    Collection(Totals),
    /// The answers about single handles are sent to the viewer together with the native answers.
    Closes {
        /// Answers of native code.
        decided: Vec<CloseAnswer>,
        /// Handles that are left to the interpreter.
        foreign: Vec<u64>,
    },
}

/// Answers the viewer of a job with the JSON object that the worker sent.
pub fn finish(job: Job, answer: &[u8], target: &dyn Target) {
    let Some(origin) = job.origin else { return };
    let Ok(mut fields) = serde_json::from_slice::<Fields>(answer) else {
        return origin.fail("BadArgument", "the agent answered with something that is not JSON");
    };
    if fields.remove("ok") != Some(Value::Bool(true)) {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        return origin.fail(
            text("status").unwrap_or("Unavailable"),
            text("error").unwrap_or("the agent gave no reason"),
        );
    }
    match job.finish {
        Finish::Beat | Finish::Pass => {}
        Finish::Collection(before) => add_totals(&mut fields, before, target.totals()),
        Finish::Closes { decided, foreign } => merge_answers(&mut fields, decided, &foreign),
    }
    origin.succeed(fields);
}

/// The changes between two sums. New close requests are the increase of waiting and of finished
/// requests together.
pub fn add_totals(fields: &mut Fields, before: Totals, after: Totals) {
    let queued = (after.pending + after.closed).saturating_sub(before.pending + before.closed);
    fields.insert("released".into(), after.released.saturating_sub(before.released).into());
    fields.insert("closes_queued".into(), queued.into());
    fields.insert("still_pending".into(), after.pending.into());
}

/// Put the adapters' answers beside the native answers. A handle without an answer counts as
/// refused.
fn merge_answers(fields: &mut Fields, mut decided: Vec<CloseAnswer>, foreign: &[u64]) {
    let answers = fields.remove("answers").unwrap_or_default();
    let mut answers: Vec<CloseAnswer> = serde_json::from_value(answers).unwrap_or_default();
    for &handle in foreign {
        if !answers.iter().any(|answer| answer.handle == handle) {
            answers.push(CloseAnswer::new(handle, "refused", "its adapter did not answer"));
        }
    }
    decided.append(&mut answers);
    fields.insert("answers".into(), serde_json::json!(decided));
}
