//! Native worker threads that create, share, call and release sample objects, all through handles.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::{TodoItem, TodoList, ORIGIN};
use objects::object::Life;
use objects::object::Object;
use objects::object::{CloseSpec, TypeSpec};
use objects::ownership;
use objects::ownership::{borrow, clone_handle, closable, lower, Traced};
use recorder::runtime::runtime;
use segment::status::{Error, Result, Status};
use segment::sync::lock;

static CHURN: TypeSpec =
    closable::<Churn>("Churn", ORIGIN, CloseSpec { signature: "stop()", is_thread_affine: false });

/// Workers at most.
const MAX_WORKERS: u32 = 64;
/// Objects that a worker keeps before it releases its oldest.
const KEPT: usize = 64;
/// Shared handles that wait for another worker.
const SHARED: usize = 256;
/// A worker does its work in portions of this length.
const TURN: Duration = Duration::from_millis(10);

/// Running workers; closing stops them and waits until each has released its handles.
pub struct Churn {
    life: Life,
    /// The process that has the threads: a forked child does not.
    pid: u32,
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    is_stopped: AtomicBool,
    /// Handles on items that one worker made and another takes.
    items: Mutex<Vec<u64>>,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Churn {
    fn spec() -> &'static TypeSpec {
        &CHURN
    }

    fn life(&self) -> &Life {
        &self.life
    }

    fn close_with_defaults(&self) -> Result<()> {
        self.stop();
        Ok(())
    }
}

impl Churn {
    /// Starts `threads` workers that together create `per_second` objects.
    pub fn start(threads: u32, per_second: u32) -> Result<Self> {
        if threads == 0 || threads > MAX_WORKERS {
            return Err(Error::new(
                Status::BadArgument,
                format!("1 to {MAX_WORKERS} workers, not {threads}"),
            ));
        }
        let shared =
            Arc::new(Shared { is_stopped: AtomicBool::new(false), items: Mutex::default() });
        let churn = Self {
            life: Life::new(&CHURN),
            pid: platform::process_id(),
            shared,
            workers: Mutex::default(),
        };
        for number in 1..=threads {
            let shared = Arc::clone(&churn.shared);
            let rate = f64::from(per_second) / f64::from(threads);
            let worker = Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || Worker::new(&shared).work(rate));
            match worker {
                Ok(worker) => lock(&churn.workers).push(worker),
                Err(error) => {
                    churn.stop();
                    return Err(Error::io("cannot start a worker", &error));
                }
            }
        }
        Ok(churn)
    }

    /// Stops all workers and waits for them.
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        for worker in lock(&self.workers).drain(..) {
            if self.pid == platform::process_id() {
                // a worker that panicked has nothing left to say
                let _ = worker.join();
            } else {
                std::mem::forget(worker);
            }
        }
        let left = std::mem::take(&mut *lock(&self.shared.items));
        left.into_iter().for_each(let_go);
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.stop();
    }
}

fn let_go(handle: u64) {
    // each handle here is ours and live, so it cannot be refused
    let _ = ownership::release(runtime(), handle);
}

struct Worker<'a> {
    shared: &'a Shared,
    kept: std::collections::VecDeque<u64>,
    made: u64,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, kept: std::collections::VecDeque::new(), made: 0 }
    }

    fn work(mut self, per_second: f64) {
        let began = Instant::now();
        while !self.shared.is_stopped.load(Ordering::Relaxed) {
            let due = (began.elapsed().as_secs_f64() * per_second) as u64;
            while self.made < due && !self.shared.is_stopped.load(Ordering::Relaxed) {
                // a full table is a state of the demo like another: try again
                let _ = self.step();
            }
            std::thread::sleep(TURN);
        }
        self.kept.drain(..).for_each(let_go);
    }

    /// Makes one object, uses it together with another, shares it at times, and releases the
    /// oldest.
    fn step(&mut self) -> Result<()> {
        self.made += 1;
        match self.made % 4 {
            0 => self.make_list()?,
            1 => self.share_item()?,
            _ => self.make_item()?,
        }
        if self.kept.len() > KEPT {
            self.kept.pop_front().into_iter().for_each(let_go);
        }
        Ok(())
    }

    fn make_item(&mut self) -> Result<()> {
        let handle = lower(Arc::new(TodoItem::new("chore")))?;
        borrow::<TodoItem>(handle)?.set_done(true);
        self.kept.push_back(handle);
        Ok(())
    }

    fn share_item(&mut self) -> Result<()> {
        let handle = lower(Arc::new(TodoItem::new("shared chore")))?;
        let for_another = clone_handle(handle)?;
        self.kept.push_back(handle);
        let mut items = lock(&self.shared.items);
        items.push(for_another);
        let surplus = if items.len() > SHARED { Some(items.swap_remove(0)) } else { None };
        drop(items);
        surplus.into_iter().for_each(let_go);
        Ok(())
    }

    fn make_list(&mut self) -> Result<()> {
        let handle = lower(Arc::new(TodoList::new()))?;
        self.kept.push_back(handle);
        let item = lock(&self.shared.items).pop();
        if let Some(item) = item {
            let added = borrow::<TodoItem>(item).and_then(|item| {
                borrow::<TodoList>(handle)?.add(Traced::from_arc(Arc::clone(item.arc())));
                Ok(())
            });
            let_go(item);
            added?;
        }
        borrow::<TodoList>(handle).map(|list| drop(list.items()))
    }
}
