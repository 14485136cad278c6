//! Carries out requests. Runs on the control thread and never waits: slow work is given to the
//! closer or to the interpreter.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audit::{Act, Audit};
use super::closer::{Closer, Errand, MOST_AT_ONCE};
use super::connection::{Connection, Wishes};
use super::jobs::{Finish, Jobs};
use super::peer::Origin;
use super::target::{CloseWish, Target, Totals};
use crate::wire::{self, BadLine, Command, Fields, Hello, Request};
use segment::layout::{Level, LAYOUT_VERSION};

/// Fastest and slowest sampling that a viewer can ask for, milliseconds.
const INTERVAL_MILLIS: (u32, u32) = (10, 10_000);

/// The objects that requests work on.
pub struct Commands {
    /// The process.
    pub target: Arc<dyn Target>,
    /// For the interpreter.
    pub jobs: Arc<Jobs>,
    /// For the native thread that closes.
    pub closer: Arc<Closer>,
    /// The log of viewers' acts.
    pub audit: Arc<Audit>,
    /// Processes of the viewers attached now.
    pub viewers: RefCell<Vec<u32>>,
}

/// The server's next step after a request.
pub enum After {
    /// Nothing.
    Nothing,
    /// Apply the viewers' changed settings, and then answer with the resulting state.
    Wishes(Origin),
}

impl Commands {
    /// Carry out the request in `line`. The line has waited since `arrival` at most.
    pub fn run_line(&self, connection: &mut Connection, line: &[u8], arrival: Instant) -> After {
        let now = Instant::now();
        match wire::parse(line) {
            Ok(request) => self.run(connection, request, arrival),
            Err(BadLine::Garbage(why)) => {
                self.target.count_drop();
                connection.dismiss(0, "BadArgument", &why, now);
                After::Nothing
            }
            Err(BadLine::Refused { nonce, why }) => {
                self.target.count_drop();
                connection.peer.send(&wire::failure(nonce, "BadArgument", &why));
                After::Nothing
            }
        }
    }

    fn run(&self, connection: &mut Connection, request: Request, arrival: Instant) -> After {
        if let Some(why) = too_much(&request.command) {
            self.target.count_drop();
            connection.peer.send(&wire::failure(request.nonce, "BadArgument", &why));
            return After::Nothing;
        }
        let origin = Origin {
            peer: Arc::clone(&connection.peer),
            nonce: request.nonce,
            deadline: arrival + request.deadline,
            act: Act::of(&request.command).map(|act| (Arc::clone(&self.audit), Arc::new(act))),
        };
        if origin.drop_if_given_up(&*self.target, "the process ran again") {
            return After::Nothing;
        }
        match request.command {
            Command::Hello(hello) => return self.hello(connection, &hello, origin),
            Command::Ping => origin.succeed(self.state()),
            _ if connection.wishes.is_none() => return self.refuse(&origin, "say hello first"),
            command if command.operation().changes && !connection.is_armed => {
                self.target.count_drop();
                origin
                    .fail("NotArmed", "this connection only reads: actions have to be armed first");
            }
            Command::Level { level } => return self.level(connection, level, origin),
            Command::Interval { interval_ms } => {
                return wish(connection, origin, |wishes| wishes.interval = interval(interval_ms))
            }
            Command::Audit => origin.succeed(self.audit.report()),
            Command::Detach { only_unused } => self.detach(only_unused, &origin),
            command => self.delegate(command, origin),
        }
        After::Nothing
    }

    /// Commands that take time.
    fn delegate(&self, command: Command, origin: Origin) {
        let op = command.operation().name;
        let pass = |fields, origin| self.jobs.push(op, fields, origin, Finish::Pass);
        match command {
            Command::Gc if self.is_native() && self.target.collects() => {
                self.closer.push(Errand::Collect, origin);
            }
            Command::Gc => {
                self.jobs.push(op, Fields::new(), origin, Finish::Collection(Totals::default()))
            }
            Command::Threads | Command::Scan | Command::Adapters => pass(Fields::new(), origin),
            Command::Declare { declarations } => {
                pass(Fields::from_iter([("declarations".to_owned(), declarations.into())]), origin)
            }
            Command::Referrers { handle }
            | Command::Retainers { handle }
            | Command::Withdraw { handle } => pass(of_handle(handle), origin),
            Command::Cycles { handle, held } => {
                let mut fields = of_handle(handle);
                fields.insert("held".to_owned(), held.into());
                pass(fields, origin);
            }
            Command::Holders { handle } => self.closer.push(Errand::Holders(handle), origin),
            Command::TypeLevel { type_id, level } => self.type_level(type_id, level, &origin),
            Command::Preview { handles } => self.closer.push(Errand::Preview(handles), origin),
            Command::Close { handles, although_held, withdraw_after_ms } => {
                let wish = CloseWish {
                    although_held,
                    withdraw_after: withdraw_after_ms.map(Duration::from_millis),
                };
                self.closer.push(Errand::Close(handles, wish), origin);
            }
            Command::Cancel { handle } => self.closer.push(Errand::Cancel(handle), origin),
            Command::Drain => self.closer.push(Errand::Drain, origin),
            Command::Hello(_)
            | Command::Ping
            | Command::Audit
            | Command::Detach { .. }
            | Command::Level { .. }
            | Command::Interval { .. } => {}
        }
    }

    /// Take the agent out of the process. `only_unused`: refuse, with the reason, while another
    /// viewer or the program needs it.
    fn detach(&self, only_unused: bool, origin: &Origin) {
        let others =
            self.viewers.borrow().iter().filter(|&&pid| pid == 0 || pid != origin.peer.pid).count();
        let why = match others {
            _ if !only_unused => None,
            _ if !self.target.stay().is_brought => {
                Some("the program started its agent itself".to_owned())
            }
            0 => None,
            1 => Some("another viewer is attached".to_owned()),
            more => Some(format!("{more} other viewers are attached")),
        };
        match why {
            // the answer is on its way before the agent ends
            None if self.is_native() => {
                origin.succeed(Fields::new());
                if !self.target.leave() {
                    self.target.count_drop();
                }
            }
            None => self.jobs.push("detach", Fields::new(), origin.clone(), Finish::Pass),
            Some(why) => origin.succeed(Fields::from_iter([("stays".to_owned(), why.into())])),
        }
    }

    /// Whether no interpreter takes jobs.
    fn is_native(&self) -> bool {
        !self.jobs.has_worker() && !self.target.may_have_interpreter()
    }

    fn hello(&self, connection: &mut Connection, hello: &Hello, origin: Origin) -> After {
        // a peer that only asks reads no segment, so any layout is as good to it
        if hello.role == "viewer" && hello.layout != LAYOUT_VERSION {
            let why = format!(
                "this process writes layout version {LAYOUT_VERSION}, the viewer reads version {}",
                hello.layout
            );
            self.target.count_drop();
            connection.dismiss(origin.nonce, "VersionMismatch", &why, Instant::now());
            return After::Nothing;
        }
        if hello.level.is_some_and(|level| level > Level::Stacks as u8) {
            return self.refuse(&origin, "there is no such level");
        }
        if hello.allow_ptrace {
            if let Err(error) = platform::allow_tracer(connection.peer.pid) {
                origin.fail("Unavailable", &format!("{error}: allowing the viewer to trace"));
                return After::Nothing;
            }
        }
        connection.is_armed = hello.armed;
        connection.wishes = Some(Wishes {
            is_viewer: hello.role == "viewer",
            interval: interval(hello.interval_ms),
            level: hello.level.map(|level| level.max(self.target.idle_level())),
        });
        After::Wishes(origin)
    }

    fn level(&self, connection: &mut Connection, level: u8, origin: Origin) -> After {
        if level > Level::Stacks as u8 {
            return self.refuse(&origin, "there is no such level");
        }
        wish(connection, origin, |wishes| wishes.level = Some(level))
    }

    fn type_level(&self, type_id: u16, level: u8, origin: &Origin) {
        if self.target.set_type_level(type_id, level) {
            origin.succeed(self.state());
        } else {
            self.refuse(origin, "there is no such type or level");
        }
    }

    fn refuse(&self, origin: &Origin, why: &str) -> After {
        self.target.count_drop();
        origin.fail("BadArgument", why);
        After::Nothing
    }

    /// The answer to hello, ping, level and interval.
    pub fn state(&self) -> Fields {
        let identity = self.target.identity();
        let mut fields = Fields::new();
        fields.insert("layout".into(), LAYOUT_VERSION.into());
        fields.insert("pid".into(), identity.pid.into());
        fields.insert("start_time".into(), identity.start_time.into());
        fields.insert("level".into(), self.target.level().into());
        fields.insert("idle_level".into(), self.target.idle_level().into());
        fields.insert("viewers".into(), self.viewers.borrow().len().into());
        let stay = self.target.stay();
        fields.insert("brought".into(), stay.is_brought.into());
        fields.insert(
            "leaves_after_secs".into(),
            stay.leaves_after.map(|after| after.as_secs_f64()).into(),
        );
        fields.insert("python".into(), self.jobs.interpreter(Instant::now()));
        fields
    }
}

/// Why a request is too long to be kept while it waits.
fn too_much(command: &Command) -> Option<String> {
    match command {
        Command::Preview { handles } | Command::Close { handles, .. }
            if handles.len() > MOST_AT_ONCE =>
        {
            Some(format!("{} handles are too many, {MOST_AT_ONCE} go at once", handles.len()))
        }
        _ => None,
    }
}

fn of_handle(handle: u64) -> Fields {
    Fields::from_iter([("handle".to_owned(), handle.into())])
}

fn interval(millis: u32) -> Duration {
    Duration::from_millis(millis.clamp(INTERVAL_MILLIS.0, INTERVAL_MILLIS.1).into())
}

fn wish(connection: &mut Connection, origin: Origin, change: impl FnOnce(&mut Wishes)) -> After {
    if let Some(wishes) = &mut connection.wishes {
        change(wishes);
    }
    After::Wishes(origin)
}
