//! Functions that are not emulated: each has an effect on the copy, or stops the run.

use crate::machine::Machine;
use crate::memory::{Source, SCRATCH, SCRATCH_BYTES};
use crate::stop::Stop;

const RAX: usize = 0;
const RDX: usize = 2;
const RSI: usize = 6;
const RDI: usize = 7;
/// Bytes that one call may copy, compare or fill.
const MOST_BYTES: u64 = 8 << 20;
const FUTEX: u64 = 202;
/// System calls that give memory back or wake another thread: madvise, munmap, sched_yield, close.
const HARMLESS: [u64; 4] = [28, 11, 24, 3];

/// The effect of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Free,
    Allocate,
    AllocateMany,
    Reallocate,
    AllocateAligned,
    AllocateInto,
    Copy,
    Fill,
    Compare,
    Length,
    Find,
    FindLast,
    /// Returns a number, and does nothing on a copy.
    Returns(u64),
    /// A Python object whose count fell to 0.
    Ends,
    System,
    Stops,
}

/// The functions by their exported names. A name's place in the list is its number.
pub const FUNCTIONS: [&str; 61] = names();

const ROLES: [(&str, Role); 61] = [
    ("free", Role::Free),
    ("PyObject_Free", Role::Free),
    ("PyObject_GC_Del", Role::Free),
    ("PyMem_Free", Role::Free),
    ("PyMem_RawFree", Role::Free),
    ("malloc", Role::Allocate),
    ("PyObject_Malloc", Role::Allocate),
    ("PyMem_Malloc", Role::Allocate),
    ("PyMem_RawMalloc", Role::Allocate),
    ("calloc", Role::AllocateMany),
    ("PyObject_Calloc", Role::AllocateMany),
    ("PyMem_Calloc", Role::AllocateMany),
    ("PyMem_RawCalloc", Role::AllocateMany),
    ("realloc", Role::Reallocate),
    ("PyObject_Realloc", Role::Reallocate),
    ("PyMem_Realloc", Role::Reallocate),
    ("PyMem_RawRealloc", Role::Reallocate),
    ("aligned_alloc", Role::AllocateAligned),
    ("memalign", Role::AllocateAligned),
    ("posix_memalign", Role::AllocateInto),
    ("memcpy", Role::Copy),
    ("memmove", Role::Copy),
    ("memset", Role::Fill),
    ("memcmp", Role::Compare),
    ("bcmp", Role::Compare),
    ("strlen", Role::Length),
    ("memchr", Role::Find),
    ("memrchr", Role::FindLast),
    ("_Py_Dealloc", Role::Ends),
    ("PyObject_GC_UnTrack", Role::Returns(0)),
    ("PyObject_ClearWeakRefs", Role::Returns(0)),
    ("PyGILState_Ensure", Role::Returns(0)),
    ("PyGILState_Release", Role::Returns(0)),
    ("PyGILState_Check", Role::Returns(1)),
    ("PyEval_SaveThread", Role::Returns(0)),
    ("PyEval_RestoreThread", Role::Returns(0)),
    ("Py_IsInitialized", Role::Returns(1)),
    ("pthread_mutex_lock", Role::Returns(0)),
    ("pthread_mutex_trylock", Role::Returns(0)),
    ("pthread_mutex_unlock", Role::Returns(0)),
    ("pthread_mutex_destroy", Role::Returns(0)),
    ("pthread_cond_signal", Role::Returns(0)),
    ("pthread_cond_broadcast", Role::Returns(0)),
    ("pthread_cond_destroy", Role::Returns(0)),
    ("sched_yield", Role::Returns(0)),
    ("madvise", Role::Returns(0)),
    ("munmap", Role::Returns(0)),
    ("close", Role::Returns(0)),
    ("__cxa_thread_atexit_impl", Role::Returns(0)),
    ("syscall", Role::System),
    ("write", Role::Stops),
    ("writev", Role::Stops),
    ("send", Role::Stops),
    ("shutdown", Role::Stops),
    ("pthread_join", Role::Stops),
    ("pthread_create", Role::Stops),
    ("pthread_cond_wait", Role::Stops),
    ("abort", Role::Stops),
    ("_Unwind_RaiseException", Role::Stops),
    ("PyErr_WriteUnraisable", Role::Stops),
    ("PyErr_SetString", Role::Stops),
];

const fn names() -> [&'static str; 61] {
    let mut names = [""; 61];
    let mut at = 0;
    while at < names.len() {
        names[at] = ROLES[at].0;
        at += 1;
    }
    names
}

/// The role of a function by its number.
pub(crate) fn role_of(number: usize) -> Option<(&'static str, Role)> {
    ROLES.get(number).copied()
}

impl<S: Source> Machine<'_, S> {
    /// Does what a function would do, and returns to its caller.
    pub(crate) fn call(&mut self, name: &'static str, role: Role) -> Result<(), Stop> {
        let [first, second, third] = [RDI, RSI, RDX].map(|register| self.cpu.general[register]);
        let result = match role {
            Role::Free => {
                self.freed.extend((first != 0).then_some(first));
                0
            }
            Role::Ends => {
                self.ended.push(first);
                0
            }
            Role::Returns(number) => number,
            Role::Allocate => self.allocate(first, 16)?,
            Role::AllocateMany => self.allocate(first.saturating_mul(second), 16)?,
            Role::AllocateAligned => self.allocate(second, first)?,
            Role::AllocateInto => {
                let place = self.allocate(third, second)?;
                self.memory.write(first, &place.to_le_bytes())?;
                0
            }
            Role::Reallocate => self.reallocate(first, second)?,
            Role::System => self.system(first, second, third)?,
            Role::Stops => return Err(Stop::Calls(name)),
            _ => self.bytes(role, first, second, third)?,
        };
        self.cpu.general[RAX] = result;
        self.cpu.next = self.pop()?;
        Ok(())
    }

    /// The system call of an instruction.
    pub(crate) fn system_call(&mut self) -> Result<(), Stop> {
        let [number, first, second] = [RAX, RDI, RSI].map(|each| self.cpu.general[each]);
        self.cpu.general[RAX] = self.system(number, first, second)?;
        Ok(())
    }

    fn system(&mut self, number: u64, _first: u64, second: u64) -> Result<u64, Stop> {
        match number {
            // waiting is even among the operations, with and without flags: 0 and 9
            FUTEX if matches!(second & 0x7f, 0 | 9) => Err(Stop::Locked),
            FUTEX => Ok(0),
            _ if HARMLESS.contains(&number) => Ok(0),
            _ => Err(Stop::System(number)),
        }
    }

    fn allocate(&mut self, bytes: u64, alignment: u64) -> Result<u64, Stop> {
        let alignment = alignment.clamp(16, 1 << 20).next_power_of_two();
        let place = self.free_scratch.next_multiple_of(alignment);
        let end = place.checked_add(bytes).ok_or(Stop::Memory)?;
        if end > SCRATCH + SCRATCH_BYTES {
            return Err(Stop::Memory);
        }
        self.free_scratch = end + 16;
        Ok(place)
    }

    fn reallocate(&mut self, place: u64, bytes: u64) -> Result<u64, Stop> {
        let new = self.allocate(bytes, 16)?;
        if place != 0 {
            let content = self.content(place, bytes)?;
            self.memory.write(new, &content)?;
            self.freed.push(place);
        }
        Ok(new)
    }

    fn content(&mut self, address: u64, bytes: u64) -> Result<Vec<u8>, Stop> {
        if bytes > MOST_BYTES {
            return Err(Stop::Memory);
        }
        let mut content = vec![0; bytes as usize];
        self.memory.read(address, &mut content)?;
        Ok(content)
    }

    /// Functions over bytes.
    fn bytes(&mut self, role: Role, first: u64, second: u64, third: u64) -> Result<u64, Stop> {
        match role {
            Role::Copy => {
                let content = self.content(second, third)?;
                self.memory.write(first, &content)?;
                Ok(first)
            }
            Role::Fill if third <= MOST_BYTES => {
                self.memory.write(first, &vec![second as u8; third as usize])?;
                Ok(first)
            }
            Role::Compare => {
                let order = self.content(first, third)?.cmp(&self.content(second, third)?);
                Ok(order as i64 as u64)
            }
            Role::Length => self.length(first),
            Role::Find | Role::FindLast => {
                let content = self.content(first, third)?;
                let wanted = |&byte: &u8| byte == second as u8;
                let found = match role {
                    Role::Find => content.iter().position(wanted),
                    _ => content.iter().rposition(wanted),
                };
                Ok(found.map_or(0, |place| first.wrapping_add(place as u64)))
            }
            _ => Err(Stop::Memory),
        }
    }

    fn length(&mut self, text: u64) -> Result<u64, Stop> {
        for offset in 0..MOST_BYTES {
            if self.memory.number(text.wrapping_add(offset), 1)? == 0 {
                return Ok(offset);
            }
        }
        Err(Stop::Memory)
    }
}
