//! Questions and orders of viewers that the agent's thread answers.

use std::time::Instant;

use jvmti_bindings::env::JniEnv;
use recorder::runtime::Runtime;
use serde_json::{json, Value};

use crate::bindings::Bindings;
use crate::machine::Machine;
use crate::proxies::Proxies;
use crate::reading::{said_by, Said};

/// Why a question about the Java heap has no answer.
const NOT_SEARCHED: &str = "the heap of a Java virtual machine is not searched for holders";

/// All that an answer may need.
pub struct Desk<'a> {
    /// The virtual machine.
    pub machine: &'a Machine,
    /// The environment of this thread.
    pub env: &'a JniEnv,
    /// The recorder.
    pub runtime: &'a Runtime,
    /// The classes.
    pub bindings: &'a mut Bindings,
    /// The objects.
    pub proxies: &'a mut Proxies,
}

/// A refusal, as one line.
type Answer = Result<Value, String>;

impl Desk<'_> {
    /// The answer to a job other than `detach`, as JSON.
    pub fn answer(&mut self, operation: &str, fields: &Value) -> Value {
        let answered = match operation {
            "beat" => Ok(json!({})),
            "threads" => Ok(json!({"named": 0})),
            "gc" => self.collect(),
            "scan" => Ok(json!({"rows": self.look()})),
            "adapters" => Ok(self.report()),
            "close" => self.closes(fields, false),
            "preview" => self.closes(fields, true),
            "referrers" | "retainers" | "cycles" => Err(NOT_SEARCHED.to_owned()),
            "withdraw" => Err("a destroyed Kotlin object cannot be taken back".to_owned()),
            "declare" => Err("a Java virtual machine takes no declarations".to_owned()),
            other => Err(format!("unknown operation {other:?}")),
        };
        match answered {
            Ok(mut answer) => {
                answer["ok"] = json!(true);
                answer
            }
            Err(error) => json!({"ok": false, "status": "Unavailable", "error": error}),
        }
    }

    /// Looks for new proxies and reads all of them; the number of rows made.
    pub fn look(&mut self) -> usize {
        self.bindings.refresh(self.machine, self.env, self.runtime);
        let made = self.proxies.find(self.machine, self.env, self.runtime, self.bindings);
        self.read();
        made
    }

    /// Reads all proxies.
    pub fn read(&mut self) {
        self.proxies.refresh(self.machine, self.env, self.runtime, self.bindings);
    }

    fn collect(&mut self) -> Answer {
        self.look();
        let began = Instant::now();
        let forced = self.machine.tools().force_garbage_collection();
        forced.map_err(|code| format!("the virtual machine refused a collection: {code:?}"))?;
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.read();
        // the virtual machine does not say how many objects it freed
        Ok(json!({"uncollectable": 0, "took_nanos": took}))
    }

    fn report(&self) -> Value {
        let walks = self.proxies.walks;
        let millis = |each: std::time::Duration| each.as_secs_f64() * 1e3;
        let notes = [
            format!(
                "{} looks through the heap; the program stood still for {:.1} ms in the newest, for {:.1} ms in the longest",
                walks.made, millis(walks.last), millis(walks.longest),
            ),
            "objects that are made and destroyed between two looks are not seen".to_owned(),
            format!("collected objects that wait for their cleaner: {}", self.proxies.uncleaned()),
        ];
        json!({"adapters": ["uniffi (Kotlin)"], "notes": notes})
    }

    fn closes(&mut self, fields: &Value, is_preview: bool) -> Answer {
        let although_held = fields["although_held"] == json!(true);
        let rows = fields["handles"].as_array().ok_or("handles is not a list of numbers")?;
        let rows: Vec<u64> = rows.iter().filter_map(Value::as_u64).collect();
        let answers: Vec<Value> =
            rows.into_iter().map(|row| self.close(row, although_held, is_preview)).collect();
        Ok(json!({"answers": answers}))
    }

    /// Destroys a proxy as the program would: a call in flight postpones the end of the object.
    fn close(&mut self, row: u64, although_held: bool, is_preview: bool) -> Value {
        let Some((place, object)) = self
            .proxies
            .of_row(row)
            .and_then(|proxy| Some((proxy.binding(), proxy.object(self.env)?)))
        else {
            return verdict(row, "refused", "the object was collected or destroyed", &[]);
        };
        let binding = &self.bindings.found[place];
        // SAFETY: an instance of the binding, a reference of this thread.
        let said = unsafe { said_by(self.env, binding, object) };
        let answer = match said {
            Said { is_destroyed: true, .. } => {
                verdict(row, "refused", "it was destroyed before", &[])
            }
            Said { calls, .. } if calls > 0 && !although_held => {
                let holder = if calls == 1 {
                    "1 call in flight".to_owned()
                } else {
                    format!("{calls} calls in flight")
                };
                verdict(
                    row,
                    if is_preview { "would_wait" } else { "refused" },
                    &format!("still held by {holder}"),
                    &[holder],
                )
            }
            Said { .. } if is_preview => verdict(row, "would_close", "", &[]),
            // SAFETY: as above.
            Said { calls, .. } => unsafe { self.destroy(row, place, object, calls) },
        };
        // SAFETY: used no more.
        unsafe { self.env.delete_local_ref(object) };
        answer
    }

    /// # Safety
    /// `object` is an instance of the binding in this place, a reference of this thread.
    unsafe fn destroy(
        &mut self,
        row: u64,
        place: usize,
        object: jvmti_bindings::sys::jni::jobject,
        calls: i64,
    ) -> Value {
        // SAFETY: the caller's promise; the method has no parameters.
        unsafe { self.env.call_void_method(object, self.bindings.found[place].destroy, &[]) };
        if self.env.exception_check() {
            self.env.exception_clear();
            return verdict(row, "failed", "destroy() threw an exception", &[]);
        }
        self.read();
        if calls > 0 {
            verdict(row, "pending", "it waits for calls in flight", &[])
        } else {
            verdict(row, "closed", "", &[])
        }
    }
}

fn verdict(row: u64, outcome: &str, reason: &str, holders: &[String]) -> Value {
    json!({"handle": row, "outcome": outcome, "reason": reason, "holders": holders})
}
