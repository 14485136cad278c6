//! The lines of the control socket: one JSON object each, a request with a nonce, its answer with
//! the same.
//!
//! Any bytes can be fed in; bytes that are no request give an error with one line. Nothing here
//! does I/O.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A longer line ends the connection.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Time that a request without `deadline_ms` has.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// Longest time a request may ask for.
const MAX_DEADLINE: Duration = Duration::from_secs(600);
/// So much of a line that is not understood is quoted.
const SHOWN_CHARS: usize = 60;

/// Fields of a message.
pub type Fields = Map<String, Value>;

/// A viewer's request.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Command {
    /// The first request: says which layout the viewer reads, and its settings.
    Hello(Hello),
    /// Is the native side there, and how is the interpreter?
    Ping,
    /// Record this much while I am here.
    Level {
        /// `Level`.
        level: u8,
    },
    /// Sample this often while I am here.
    Interval {
        /// Milliseconds.
        interval_ms: u32,
    },
    /// Collect garbage.
    Gc,
    /// What would closing do?
    Preview {
        /// Rows.
        handles: Vec<u64>,
    },
    /// Close resources.
    Close {
        /// Rows.
        handles: Vec<u64>,
        /// Close objects even while other holders exist.
        #[serde(default)]
        although_held: bool,
        /// A close that has not run by then is withdrawn, milliseconds; none: it waits for ever.
        #[serde(default)]
        withdraw_after_ms: Option<u64>,
    },
    /// Take a close request back.
    Cancel {
        /// Row.
        handle: u64,
    },
    /// Take a close back that waits for an event loop, or cancel it there.
    Withdraw {
        /// Row.
        handle: u64,
    },
    /// Run the closes that wait and may run.
    Drain,
    /// What did viewers do?
    Audit,
    /// Look at the names of the interpreter's threads again.
    Threads,
    /// Look for objects again.
    Scan,
    /// Who holds the proxy of this row?
    Referrers {
        /// Row.
        handle: u64,
    },
    /// Which native references on the object of this row have a name?
    Holders {
        /// Row.
        handle: u64,
    },
    /// What holds the proxy of this row, up to a root?
    Retainers {
        /// Row.
        handle: u64,
    },
    /// Which cycles across the boundary go through this row, or through any?
    Cycles {
        /// Row, 0: any.
        #[serde(default)]
        handle: u64,
        /// For objects of native code, each the row and then the addresses of the Python objects
        /// that it holds, as the viewer learned from its destructor.
        #[serde(default)]
        held: Vec<Vec<u64>>,
    },
    /// Record so much of one type while viewers are here.
    TypeLevel {
        /// Index of the type.
        type_id: u16,
        /// `Level`, 255: as the process.
        level: u8,
    },
    /// Follow these classes as well.
    Declare {
        /// Declarations, which the agent checks.
        declarations: Vec<Value>,
    },
    /// What do adapters follow, and why not more?
    Adapters,
    /// Stop the agent.
    Detach {
        /// Only an agent that a viewer brought in, and only when no other viewer is attached.
        #[serde(default)]
        only_unused: bool,
    },
}

/// The code that carries an operation out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Native threads of the agent.
    Native,
    /// The worker thread of the interpreter.
    Interpreter,
    /// Native threads; for handles of adapters the worker thread of the interpreter.
    Both,
}

/// An operation of the control socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// As requests have it.
    pub name: &'static str,
    /// It changes the process, or makes it run code of its program: only an armed connection may
    /// ask for it. All other requests only look, except that they set how much is recorded while
    /// viewers are here.
    pub changes: bool,
    /// The thread that carries it out.
    pub place: Place,
    /// The worker does it in slices.
    pub is_long: bool,
}

/// Makes the list of all operations, and the operation of each command, from one line each.
macro_rules! operations {
    ($($command:pat => $name:literal, $effect:ident, $place:ident, $length:ident;)+) => {
        /// All operations; viewers have the same list (`inspector/vocabulary/operations.py`).
        pub const OPERATIONS: &[Operation] = &[$(operations!(@row $name, $effect, $place, $length)),+];

        impl Command {
            /// The operation that the command asks for.
            pub const fn operation(&self) -> Operation {
                match self { $($command => operations!(@row $name, $effect, $place, $length)),+ }
            }
        }
    };
    (@row $name:literal, $effect:ident, $place:ident, $length:ident) => {
        Operation { name: $name, changes: operations!(@ $effect), place: Place::$place, is_long: operations!(@ $length) }
    };
    (@ changes) => { true };
    (@ reads) => { false };
    (@ long) => { true };
    (@ short) => { false };
}

operations! {
    Self::Hello(_) => "hello", reads, Native, short;
    Self::Ping => "ping", reads, Native, short;
    Self::Level { .. } => "level", reads, Native, short;
    Self::TypeLevel { .. } => "type_level", reads, Native, short;
    Self::Interval { .. } => "interval", reads, Native, short;
    Self::Audit => "audit", reads, Native, short;
    Self::Threads => "threads", reads, Interpreter, short;
    Self::Scan => "scan", reads, Interpreter, long;
    Self::Adapters => "adapters", reads, Interpreter, short;
    Self::Preview { .. } => "preview", reads, Both, short;
    Self::Referrers { .. } => "referrers", reads, Interpreter, short;
    Self::Holders { .. } => "holders", reads, Native, short;
    Self::Retainers { .. } => "retainers", reads, Interpreter, long;
    Self::Cycles { .. } => "cycles", reads, Interpreter, long;
    Self::Gc => "gc", changes, Interpreter, short;
    Self::Close { .. } => "close", changes, Both, short;
    Self::Cancel { .. } => "cancel", changes, Native, short;
    Self::Withdraw { .. } => "withdraw", changes, Interpreter, short;
    Self::Drain => "drain", changes, Native, short;
    Self::Detach { .. } => "detach", changes, Interpreter, short;
    Self::Declare { .. } => "declare", changes, Interpreter, short;
}

/// `OPERATIONS` as JSON.
pub fn operations_json() -> Vec<u8> {
    let place = |place| match place {
        Place::Native => "native",
        Place::Interpreter => "interpreter",
        Place::Both => "both",
    };
    let value = |each: &Operation| {
        Value::Object(Fields::from_iter([
            ("name".into(), each.name.into()),
            ("changes".into(), each.changes.into()),
            ("place".into(), place(each.place).into()),
            ("is_long".into(), each.is_long.into()),
        ]))
    };
    OPERATIONS.iter().map(value).collect::<Value>().to_string().into_bytes()
}

/// The first request of a connection.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Hello {
    /// `LAYOUT_VERSION` of the viewer.
    pub layout: u32,
    /// `viewer` looks continuously and keeps the sampler awake; any other role only asks.
    #[serde(default = "viewer")]
    pub role: String,
    /// How often it reads.
    #[serde(default = "default_interval")]
    pub interval_ms: u32,
    /// Record at least this much while it is here.
    #[serde(default)]
    pub level: Option<u8>,
    /// It may change the process, see `Operation::changes`. A viewer asks for this when its person
    /// armed actions.
    #[serde(default)]
    pub armed: bool,
    /// Let it trace this process where Yama would not.
    #[serde(default)]
    pub allow_ptrace: bool,
}

fn viewer() -> String {
    "viewer".into()
}

fn default_interval() -> u32 {
    100
}

/// A request that is understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Repeated in the answer.
    pub nonce: u64,
    /// From its arrival on; a request that would begin later is not done.
    pub deadline: Duration,
    /// The request itself.
    pub command: Command,
}

/// A line that is no request.
#[derive(Debug, PartialEq, Eq)]
pub enum BadLine {
    /// Not a message at all: the peer speaks something else.
    Garbage(String),
    /// A message with a nonce that asks for nothing we know.
    Refused {
        /// Repeated in the answer.
        nonce: u64,
        /// Why, one line.
        why: String,
    },
}

/// The request in `line`, with or without its newline.
pub fn parse(line: &[u8]) -> Result<Request, BadLine> {
    let garbage = || BadLine::Garbage(format!("this is not a request: {}", shown(line)));
    let mut fields: Fields = serde_json::from_slice(line).map_err(|_| garbage())?;
    let nonce = fields.remove("nonce").and_then(|nonce| nonce.as_u64()).ok_or_else(garbage)?;
    let refused = |why: String| BadLine::Refused { nonce, why };
    let deadline = match fields.remove("deadline_ms") {
        None | Some(Value::Null) => DEFAULT_DEADLINE,
        Some(millis) => millis
            .as_u64()
            .map(Duration::from_millis)
            .ok_or_else(|| refused("deadline_ms is not a time".into()))?,
    };
    let command = serde_json::from_value(Value::Object(fields))
        .map_err(|error| refused(one_line(&error.to_string())))?;
    Ok(Request { nonce, deadline: deadline.min(MAX_DEADLINE), command })
}

/// The line that says that a request was done.
pub fn success(nonce: u64, fields: Fields) -> Vec<u8> {
    let mut answer = Fields::new();
    answer.insert("nonce".into(), nonce.into());
    answer.insert("ok".into(), true.into());
    answer.extend(fields);
    line(nonce, &Value::Object(answer))
}

/// A line before the answer: how far a request is.
pub fn progress(nonce: u64, fields: Fields) -> Vec<u8> {
    success(nonce, fields.into_iter().chain([("more".to_owned(), true.into())]).collect())
}

/// The line that says why a request was not done; `nonce` is 0 when it has none. `status` is the
/// name of a `Status`, or `GivenUp`.
pub fn failure(nonce: u64, status: &str, error: &str) -> Vec<u8> {
    line(
        nonce,
        &serde_json::json!({"nonce": nonce, "ok": false, "status": status, "error": one_line(error)}),
    )
}

fn line(nonce: u64, answer: &Value) -> Vec<u8> {
    let mut bytes = answer.to_string().into_bytes();
    bytes.push(b'\n');
    if bytes.len() > MAX_LINE_BYTES {
        return failure(
            nonce,
            "TableFull",
            &format!("the answer has {} bytes, a line has at most {MAX_LINE_BYTES}", bytes.len()),
        );
    }
    bytes
}

/// `text` without line breaks and doubled spaces.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * SHOWN_CHARS)]);
    let start: String = text.trim_end().chars().take(SHOWN_CHARS).collect();
    let cut = if start.len() < text.trim_end().len() { " …" } else { "" };
    format!("{start:?}{cut}")
}

/// Bytes that came and are not answered yet. Holds less than one line's length plus the bytes of
/// one read.
#[derive(Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Start of the next line.
    start: usize,
    /// Up to here the line contains no newline.
    searched: usize,
}

/// A line that grew beyond `MAX_LINE_BYTES`.
#[derive(Debug, PartialEq, Eq)]
pub struct LineTooLong;

impl LineBuffer {
    /// Add the bytes that came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line, without its newline.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, LineTooLong> {
        let newline = self.bytes[self.searched..].iter().position(|&byte| byte == b'\n');
        let end = newline.map_or(self.bytes.len(), |position| self.searched + position);
        if end - self.start >= MAX_LINE_BYTES {
            return Err(LineTooLong);
        }
        if newline.is_none() {
            self.searched = end;
            return Ok(None);
        }
        let start = std::mem::replace(&mut self.start, end + 1);
        self.searched = end + 1;
        Ok(Some(&self.bytes[start..end]))
    }

    /// A whole line is there.
    pub fn has_line(&self) -> bool {
        self.bytes[self.searched..].contains(&b'\n')
    }

    /// No half line is left.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }
}
