//! The control socket: viewers ask, this process acts.
//!
//! Three threads share the work, so that a question is answered even if a close method or the
//! interpreter hangs. The *control thread* reads requests and writes answers and never waits. The
//! *closer* runs close methods. Work for the interpreter waits in `jobs` for a thread of the
//! interpreter's own. Each request has a deadline and is dropped, not done later, when the deadline
//! passes or its viewer hangs up first.

mod audit;
mod audit_file;
mod closer;
mod commands;
mod connection;
#[cfg(feature = "testing")]
pub mod fuzzing;
mod jobs;
mod listener;
mod peer;
mod running;
mod server;
mod target;
mod waker;
pub mod wire;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use platform::descriptors::Table;
use platform::threads;
use segment::status::{Error, Result};
use segment::sync::lock;

use audit::Audit;
use closer::Closer;
use commands::Commands;
use listener::Listener;
use server::Server;
use waker::Waker;

pub use jobs::{Jobs, Next};
pub use running::{after_fork, running, start, stop};
pub use server::MAX_CONNECTIONS;
pub use target::{CloseAnswer, CloseWish, Identity, Stay, Target, Totals};

/// How long stopping waits for a close method that runs.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// A control socket and its threads.
pub struct Control {
    path: PathBuf,
    jobs: Arc<Jobs>,
    closer: Arc<Closer>,
    waker: Arc<Waker>,
    is_stopping: Arc<AtomicBool>,
    threads: Mutex<Option<[JoinHandle<()>; 2]>>,
}

impl Control {
    /// Listen at `path`, with a socket in `table`, and serve `target`. The directory must be ours
    /// alone; a socket that an earlier start left there is replaced.
    ///
    /// # Errors
    /// The system's, when it gives no socket or no thread.
    pub fn start(path: &Path, target: Arc<dyn Target>, table: Arc<Table>) -> Result<Self> {
        let failed =
            |error: std::io::Error| Error::io(format!("control socket {}", path.display()), &error);
        let listener = Listener::new(path, &table).map_err(failed)?;
        let waker = Arc::new(Waker::new(&table).map_err(failed)?);
        let jobs = Arc::new(Jobs::new(Arc::clone(&target)));
        let closer = Arc::new(Closer::new(Arc::clone(&target), Arc::clone(&jobs)));
        let is_stopping = Arc::new(AtomicBool::new(false));
        let commands = Commands {
            target,
            jobs: Arc::clone(&jobs),
            closer: Arc::clone(&closer),
            audit: Arc::new(Audit::from_environment(&table)),
            viewers: RefCell::default(),
        };
        let server = Server::new(listener, Arc::clone(&waker), Arc::clone(&is_stopping), commands);
        let control = Self {
            path: path.to_owned(),
            jobs,
            closer,
            waker,
            is_stopping,
            threads: Mutex::new(None),
        };
        control
            .spawn(server)
            .inspect_err(|_| control.unlink())
            .map_err(|error| Error::io("no thread for the control socket", &error))?;
        Ok(control)
    }

    fn spawn(&self, server: Server) -> std::io::Result<()> {
        let closer = Arc::clone(&self.closer);
        let closing =
            threads::spawn("ai-closer", threads::FOREIGN_STACK_BYTES, move || closer.serve())?;
        match threads::spawn("ai-control", threads::OWN_STACK_BYTES, move || server.serve()) {
            Ok(serving) => *lock(&self.threads) = Some([serving, closing]),
            Err(error) => {
                self.closer.stop(CLOSE_PATIENCE);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The queue of work for the interpreter.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Remove the socket, end connections and workers, and wait for the threads; not for a close
    /// method that hangs.
    pub fn stop(&self) {
        let Some([serving, closing]) = lock(&self.threads).take() else { return };
        self.unlink();
        self.jobs.stop();
        // Release pairs with the Acquire of the loop that this wakes.
        self.is_stopping.store(true, Ordering::Release);
        self.waker.wake();
        // A thread that ended by a panic was counted there.
        let _ = serving.join();
        if self.closer.stop(CLOSE_PATIENCE) {
            let _ = closing.join();
        }
    }

    /// The process exits: remove the socket and end the worker; wait for no thread.
    pub fn exit(&self) {
        self.unlink();
        self.jobs.stop();
    }

    /// Remove the socket only.
    pub fn unlink(&self) {
        // It fails if the file was swept before.
        let _ = fs::remove_file(&self.path);
    }
}
