//! The log of viewers' acts on this process: time, viewer, objects and result. Bounded in memory;
//! also written to a file if the program's environment names one.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{json, Value};

use super::audit_file::AuditFile;
use crate::wire::{Command, Fields};
use platform::descriptors::Table;
use segment::sync::lock;

/// Names the file that acts are appended to, one JSON object a line.
const FILE_VARIABLE: &str = "ARC_INSPECTOR_AUDIT";
/// Acts kept; older acts are only counted.
const MAX_KEPT: usize = 500;
/// Bytes of all acts that are kept, as JSON.
const MAX_KEPT_BYTES: usize = 192 << 10;
/// Longest text kept of the code in a declaration.
const MAX_CODE_CHARS: usize = 160;
/// Characters of the reason why an act was not done.
const MAX_REASON_CHARS: usize = 300;
/// Handles of an act that are written down; the rest are counted.
const LOGGED_HANDLES: usize = 16;

/// An act that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    op: &'static str,
    /// The first of them.
    handles: Vec<u64>,
    handle_count: usize,
    /// The request's parameters.
    wish: Value,
}

impl Act {
    fn new(op: &'static str, handles: &[u64], wish: Value) -> Self {
        Self {
            op,
            handles: handles[..handles.len().min(LOGGED_HANDLES)].to_vec(),
            handle_count: handles.len(),
            wish,
        }
    }

    /// The act of a command; None for a command that changes nothing.
    pub fn of(command: &Command) -> Option<Self> {
        let act = |handles, wish| Some(Self::new(command.operation().name, handles, wish));
        match command {
            Command::Close { handles, although_held, withdraw_after_ms } => act(
                handles,
                json!({"although_held": although_held, "withdraw_after_ms": withdraw_after_ms}),
            ),
            Command::Cancel { handle } | Command::Withdraw { handle } => {
                act(&[*handle], Value::Null)
            }
            Command::Level { level } => act(&[], json!({"level": level})),
            Command::TypeLevel { type_id, level } => {
                act(&[], json!({"type": type_id, "level": level}))
            }
            Command::Hello(hello) if hello.allow_ptrace => {
                Some(Self::new("allow_ptrace", &[], json!({"level": hello.level})))
            }
            Command::Hello(hello) if hello.level.is_some() => {
                Some(Self::new("level", &[], json!({"level": hello.level})))
            }
            Command::Detach { only_unused } => act(&[], json!({"only_unused": only_unused})),
            Command::Declare { declarations } => {
                act(&[], json!({"declarations": declarations.len(), "runs": code_of(declarations)}))
            }
            other if other.operation().changes => act(&[], Value::Null),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Kept {
    /// Each act with the length of its JSON.
    acts: VecDeque<(Value, usize)>,
    bytes: usize,
    dropped: u64,
    file: Option<AuditFile>,
    trouble: Option<String>,
}

/// The log.
#[derive(Default)]
pub struct Audit {
    kept: Mutex<Kept>,
}

impl Audit {
    /// A log in memory, and in a file if the environment names one. A file that cannot be written
    /// is reported on stderr and in each `report`.
    pub fn from_environment(table: &Arc<Table>) -> Self {
        let audit = Self::default();
        if let Some(path) = std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()) {
            audit.write_to(table, Path::new(&path));
        }
        audit
    }

    fn write_to(&self, table: &Arc<Table>, path: &Path) {
        let mut kept = lock(&self.kept);
        match AuditFile::new(table, path) {
            Ok(file) => kept.file = Some(file),
            Err(error) => {
                let trouble = format!("{error}: audit log {}", path.display());
                eprintln!("arc-inspector: {trouble}");
                kept.trouble = Some(trouble);
            }
        }
    }

    /// Writes down the outcome of an act: the fields of its answer, or the status and the reason
    /// for the failure.
    pub fn record(&self, act: &Act, pid: u32, uid: u32, outcome: Result<&Fields, (&str, &str)>) {
        let secs =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let handles = &act.handles;
        let mut line = json!({"at": secs, "op": act.op, "pid": pid, "uid": uid, "handles": handles, "handle_count": act.handle_count, "wish": act.wish});
        match outcome {
            Ok(fields) => {
                line["outcome"] = "done".into();
                line["result"] = result_of(act, fields);
            }
            Err((status, reason)) => {
                line["outcome"] = status.into();
                line["result"] = reason.chars().take(MAX_REASON_CHARS).collect::<String>().into();
            }
        }
        self.keep(line);
    }

    fn keep(&self, line: Value) {
        let mut kept = lock(&self.kept);
        let text = line.to_string();
        if let Some(Err(error)) = kept.file.as_ref().map(|file| file.append(&text)) {
            kept.file = None;
            kept.trouble = Some(format!("{error}: audit log, nothing more is written to it"));
        }
        kept.bytes += text.len();
        kept.acts.push_back((line, text.len()));
        while kept.acts.len() > MAX_KEPT || kept.bytes > MAX_KEPT_BYTES {
            let Some((_, bytes)) = kept.acts.pop_front() else { break };
            kept.bytes -= bytes;
            kept.dropped += 1;
        }
    }

    /// All kept acts, oldest first; `dropped` counts the older acts, `trouble` says why the file is
    /// not written.
    pub fn report(&self) -> Fields {
        let kept = lock(&self.kept);
        let mut fields = Fields::new();
        fields.insert("acts".into(), kept.acts.iter().map(|(act, _)| act.clone()).collect());
        fields.insert("dropped".into(), kept.dropped.into());
        fields.insert("trouble".into(), kept.trouble.clone().into());
        fields
    }
}

/// The code that the first declarations make the program run, in their own words: class, place of
/// the handle, methods.
fn code_of(declarations: &[Value]) -> String {
    let told = |declaration: &Value| {
        let text = |name: &str| {
            declaration.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let parts = ["class", "library", "handle", "released", "close"].map(text);
        let told = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        told.chars().take(MAX_CODE_CHARS).collect::<String>()
    };
    declarations.iter().take(LOGGED_HANDLES).map(told).collect::<Vec<_>>().join("; ")
}

/// The part of an answer that the log keeps.
fn result_of(act: &Act, fields: &Fields) -> Value {
    let pick = |names: &[&str]| {
        names
            .iter()
            .filter_map(|&name| Some((name.to_owned(), fields.get(name)?.clone())))
            .collect::<Fields>()
            .into()
    };
    match act.op {
        "close" => {
            let answers = fields.get("answers").and_then(Value::as_array);
            let outcome =
                |answer: &Value| json!({"handle": answer["handle"], "outcome": answer["outcome"]});
            answers.into_iter().flatten().take(LOGGED_HANDLES).map(outcome).collect()
        }
        "gc" => pick(&["collected", "released", "closes_queued", "still_pending", "took_nanos"]),
        "drain" => pick(&["ran", "still_pending"]),
        "withdraw" => pick(&["outcome"]),
        "level" => pick(&["level"]),
        "declare" => pick(&["taken"]),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cancel(handle: u64) -> Act {
        Act::of(&Command::Cancel { handle }).expect("an act")
    }

    #[test]
    fn what_only_looks_is_no_act() {
        assert_eq!(Act::of(&Command::Ping), None);
        assert_eq!(Act::of(&Command::Preview { handles: vec![1] }), None);
        assert_eq!(Act::of(&Command::Threads), None);
    }

    #[test]
    fn a_declaration_is_kept_with_what_it_runs() {
        let declarations = vec![
            json!({"class": "a.B", "handle": "wipe()", "close": "shut"}),
            json!([1]),
            json!({"class": "x".repeat(1000)}),
        ];
        let act = Act::of(&Command::Declare { declarations }).map(|act| act.wish);
        let runs = format!("a.B, wipe(), shut; ; {}", "x".repeat(MAX_CODE_CHARS));
        assert_eq!(act, Some(json!({"declarations": 3, "runs": runs})));
    }

    #[test]
    fn an_act_is_kept_with_who_and_what_came_of_it() {
        let audit = Audit::default();
        audit.record(&cancel(2), 7, 8, Err(("CloseRefused", "its close runs already")));
        let act = &audit.report()["acts"][0];
        assert_eq!(
            (&act["op"], &act["pid"], &act["uid"]),
            (&json!("cancel"), &json!(7), &json!(8))
        );
        assert_eq!((&act["handles"], &act["outcome"]), (&json!([2]), &json!("CloseRefused")));
        assert_eq!(act["result"], json!("its close runs already"));
    }

    #[test]
    fn the_oldest_acts_are_dropped_and_counted() {
        let audit = Audit::default();
        (0..MAX_KEPT as u64 + 3)
            .for_each(|handle| audit.record(&cancel(handle), 1, 1, Ok(&Fields::new())));
        let report = audit.report();
        assert_eq!(report["acts"].as_array().map(Vec::len), Some(MAX_KEPT));
        assert_eq!((&report["dropped"], &report["acts"][0]["handles"]), (&json!(3), &json!([3])));
    }

    #[test]
    fn the_longest_log_is_bounded_in_bytes_and_tells_what_was_dropped() {
        let audit = Audit::default();
        let handles: Vec<u64> = (0..1000).map(|low| u64::MAX - low).collect();
        let answers: Vec<Value> = handles
            .iter()
            .map(|handle| json!({"handle": handle, "outcome": "would_close"}))
            .collect();
        let mut fields = Fields::new();
        fields.insert("answers".into(), answers.into());
        let act = Act::new(
            "close",
            &handles,
            json!({"although_held": true, "withdraw_after_ms": u64::MAX}),
        );
        (0..MAX_KEPT).for_each(|_| audit.record(&act, u32::MAX, u32::MAX, Ok(&fields)));
        (0..MAX_KEPT)
            .for_each(|_| audit.record(&act, 1, 1, Err(("Unavailable", &"x".repeat(1 << 20)))));
        let report = audit.report();
        let kept = report["acts"].as_array().map_or(0, Vec::len);
        assert_eq!(report["dropped"].as_u64(), Some((2 * MAX_KEPT - kept) as u64));
        let line = crate::wire::success(u64::MAX, report);
        assert!(
            kept > 100 && line.len() < MAX_KEPT_BYTES + 1024,
            "{kept} acts of {} bytes",
            line.len()
        );
    }

    #[test]
    fn all_that_a_viewer_can_change_is_an_act_with_its_wishes() {
        let op = |command: &Command| Act::of(command).map(|act| act.op);
        let hello = |allow_ptrace, level| {
            let text = json!({"nonce": 1, "op": "hello", "layout": 1, "allow_ptrace": allow_ptrace, "level": level}).to_string();
            crate::wire::parse(text.as_bytes()).map(|request| request.command).ok()
        };
        assert_eq!(hello(true, Value::Null).as_ref().and_then(op), Some("allow_ptrace"));
        assert_eq!(hello(false, json!(2)).as_ref().and_then(op), Some("level"));
        assert_eq!(hello(false, Value::Null).as_ref().and_then(op), None);
        assert_eq!(op(&Command::TypeLevel { type_id: 1, level: 2 }), Some("type_level"));
        let close =
            Command::Close { handles: vec![2], although_held: true, withdraw_after_ms: Some(5) };
        let audit = Audit::default();
        audit.record(&Act::of(&close).expect("an act"), 7, 8, Err(("GivenUp", "too late")));
        assert_eq!(
            audit.report()["acts"][0]["wish"],
            json!({"although_held": true, "withdraw_after_ms": 5})
        );
    }

    #[test]
    fn acts_go_to_the_file_too_and_why_not_is_in_the_report() {
        let path = std::env::temp_dir().join(format!("arc-inspector-acts-{}", std::process::id()));
        let audit = Audit::default();
        audit.write_to(&Table::of_program(), &path);
        audit.record(&cancel(2), 7, 8, Ok(&Fields::new()));
        let text = std::fs::read_to_string(&path).expect("the file");
        std::fs::remove_file(&path).expect("the file");
        assert_eq!(text.lines().count(), 1);
        let refused = Audit::default();
        refused.write_to(&Table::of_program(), &std::env::temp_dir());
        assert!(refused.report()["trouble"].is_string());
    }
}
