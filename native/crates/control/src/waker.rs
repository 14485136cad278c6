//! Wakes the control thread out of its waiting.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use platform::descriptors::{Descriptor, Table};
use platform::sockets::Waiting;
use segment::sync::lock;

/// A socket pair: a byte in one end makes the other readable.
pub struct Waker {
    table: Arc<Table>,
    /// Near and far end.
    ends: Mutex<[Descriptor; 2]>,
    /// The thread that waits; 0: none yet.
    waiter: AtomicU32,
}

impl Waker {
    /// A waker that is not woken.
    pub fn new(table: &Arc<Table>) -> io::Result<Self> {
        Ok(Self {
            table: Arc::clone(table),
            ends: Mutex::new(new_ends(table)?),
            waiter: AtomicU32::new(0),
        })
    }

    /// Makes the calling thread the waiting thread.
    pub fn wait_here(&self) {
        // Relaxed: no other thread has this number.
        self.waiter.store(platform::thread_id(), Ordering::Relaxed);
    }

    /// Make `waiting` ready. Any thread; does not wait. A full pair is ready already, and the
    /// thread that waits is awake when it calls.
    pub fn wake(&self) {
        if self.waiter.load(Ordering::Relaxed) != platform::thread_id() {
            self.table.ring(&lock(&self.ends)[0]);
        }
    }

    /// The end to wait on. Ends that the program closed are replaced.
    pub fn waiting(&self) -> io::Result<Waiting> {
        let mut ends = lock(&self.ends);
        if ends.iter().any(Descriptor::is_lost) {
            self.table.count_lost();
            *ends = new_ends(&self.table)?;
        }
        Ok(Waiting::new(ends[1].number()?, false))
    }

    /// Read the bytes that woke the thread.
    pub fn clear(&self) {
        let mut bytes = [0_u8; 256];
        while matches!(lock(&self.ends)[1].read(&mut bytes), Ok(count) if count == bytes.len()) {}
    }
}

fn new_ends(table: &Arc<Table>) -> io::Result<[Descriptor; 2]> {
    let ends = table.pair()?;
    table.set_bell(&ends[0]);
    Ok(ends)
}

/// A socket in the program's table, and a waker beside it, for tests of single parts.
#[cfg(any(test, feature = "testing"))]
pub fn in_table(socket: std::os::unix::net::UnixStream) -> (Descriptor, Arc<Waker>) {
    let table = Table::of_program();
    let waker = Arc::new(Waker::new(&table).expect("sockets"));
    (table.take(socket).expect("a socket"), waker)
}
