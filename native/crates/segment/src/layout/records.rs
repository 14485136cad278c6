//! The records of the sections, in the order of the file, and the header's memory of losses.

use super::*;

/// A part of the file: `capacity` records of `record_bytes`; records below `used` may be in use.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Byte offset in the file.
    pub offset: u64,
    /// Bytes of a record.
    pub record_bytes: u32,
    /// Records (bytes for strings).
    pub capacity: u32,
    /// High-water mark: records below it were used at some time. Only grows.
    pub used: u32,
    /// Not used.
    pub reserved: u32,
}

/// One garbage collection of the host language.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GcRecord {
    /// When it began, ticks.
    pub at_ticks: u64,
    /// How long it took.
    pub took_nanos: u64,
    /// Objects collected.
    pub collected: u32,
    /// Generation collected.
    pub generation: u16,
    /// 1 when the inspector forced it.
    pub forced: u16,
}

/// When a pending close is withdrawn.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CloseDeadline {
    /// The handle that the close was asked for by, 0: this place is free. Written last.
    pub handle: u64,
    /// When, ticks.
    pub at_ticks: u64,
}

/// Counts of lost or refused records since the segment was made. Each count only grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    /// Handles that found no row (table full, or no room in the file system).
    pub untracked_handles: u64,
    /// Threads that found no slot.
    pub threads: u64,
    /// Types that found no slot.
    pub types: u64,
    /// Stacks that found no slot.
    pub sites: u64,
    /// Frames or strings that found no room.
    pub strings: u64,
    /// Events of threads without a ring.
    pub events: u64,
    /// Calls nested deeper than `CALL_DEPTH`.
    pub deep_calls: u64,
    /// Sampler passes that were cut short by the cost limit.
    pub sampler_skips: u64,
    /// Rows whose counts could not be read.
    pub unreadable: u64,
    /// Requests on the control socket that were refused or given up.
    pub control_drops: u64,
    /// Panics caught at the boundary.
    pub panics: u64,
    /// Descriptors of the agent that the program closed.
    pub descriptors: u64,
    /// Uses of handle 0.
    pub misuse_zero: u64,
    /// Uses of a handle after its release.
    pub misuse_stale: u64,
    /// Uses of a handle of another type.
    pub misuse_type: u64,
    /// Uses of a number that was never a handle.
    pub misuse_unknown: u64,
    /// Uses of, or second closes of, a closed resource.
    pub misuse_closed: u64,
}

/// The first page of the file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// `MAGIC`.
    pub magic: u64,
    /// `LAYOUT_VERSION` of the writer.
    pub layout_version: u32,
    /// Size of this struct at the writer.
    pub header_bytes: u32,
    /// Process id in the target's own namespace.
    pub pid: u32,
    /// Effective user id.
    pub uid: u32,
    /// Field 22 of `/proc/self/stat`: with `pid` the process's identity.
    pub start_time: u64,
    /// `Level` in force.
    pub level: u8,
    /// `Level` to return to when no viewer is attached.
    pub idle_level: u8,
    /// `ClockSource`.
    pub clock_source: u8,
    /// `Ending`.
    pub ending: u8,
    /// Viewers attached now.
    pub viewers: u32,
    /// Ticks per second.
    pub ticks_per_sec: u64,
    /// The clock anchor: at `anchor_ticks` the wall clock showed `anchor_unix_nanos`.
    pub anchor_ticks: u64,
    /// See `anchor_ticks`.
    pub anchor_unix_nanos: u64,
    /// Written by the sampler thread at the viewers' rate; old while the lock is held: stopped.
    pub heartbeat_ticks: u64,
    /// When the interpreter last answered the worker, ticks; old while `heartbeat` is fresh: held
    /// up.
    pub interpreter_ticks: u64,
    /// When the counts were last sampled.
    pub sampled_at_ticks: u64,
    /// Duration of that pass.
    pub sample_nanos: u64,
    /// CPU time of the tool's own threads in the target since start.
    pub agent_cpu_nanos: u64,
    /// When the segment ended, ticks; 0 while it lives.
    pub ended_at_ticks: u64,
    /// Handles that are live now, all types. The file holds only the handles that no
    /// `TypeShard::live` counts; a reader of the header adds these.
    pub live_handles: u64,
    /// Close requests that have not run.
    pub pending_closes: u64,
    /// Time that the newest finished close took, nanoseconds; 0: none yet.
    pub last_close_nanos: u64,
    /// Parts of the file.
    pub threads: Section,
    /// See `TypeSlot`.
    pub types: Section,
    /// See `SiteSlot`.
    pub sites: Section,
    /// See `FrameSlot`.
    pub frames: Section,
    /// Bytes; see `MAX_STRING_BYTES`.
    pub strings: Section,
    /// See `HandleSlot`.
    pub handles: Section,
    /// See `RingHeader`; a record is a header and its events.
    pub rings: Section,
    /// Counts of lost records.
    pub lost: Lost,
    /// Collections logged since start; the newest `GC_LOG` are in `gc_log` at `(n - 1) % GC_LOG`.
    pub gc_logged: u64,
    /// Newest collections.
    pub gc_log: [GcRecord; GC_LOG],
    /// Deadlines of closes that pend now.
    pub close_deadlines: [CloseDeadline; CLOSE_DEADLINES],
    /// Pending closes with a deadline that found no place there.
    pub hidden_deadlines: u64,
    /// UTF-8, NUL-padded: the program (`python app.py`), and the runtime's version.
    pub program: [u8; 256],
    /// Runtime and version, such as `CPython 3.11.7`.
    pub runtime: [u8; 64],
    /// Path of the executable.
    pub executable: [u8; 256],
}

/// A thread that touched a handle. 256 bytes; written by that thread alone, except `name` and
/// `state`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ThreadSlot {
    /// `ThreadState`.
    pub state: u8,
    /// 1 when `name` came from the host language, 0 when from the system.
    pub named: u8,
    /// Index of its ring + 1, 0: none yet.
    pub ring: u16,
    /// Kernel thread id.
    pub tid: u32,
    /// When first seen, ticks.
    pub started_at_ticks: u64,
    /// When it ended, ticks.
    pub ended_at_ticks: u64,
    /// Handles created on it.
    pub created: u64,
    /// Handles released on it.
    pub released: u64,
    /// Calls in flight now; calls beyond `CALL_DEPTH` are not in the arrays.
    pub depth: u64,
    /// Handles that its calls use now, outermost first.
    pub calls: [u64; CALL_DEPTH],
    /// When each began, ticks; 0 below level *history*.
    pub call_ticks: [u64; CALL_DEPTH],
    /// UTF-8, NUL-padded.
    pub name: [u8; 80],
}

/// Counters of one type, of the threads of one shard. A cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TypeShard {
    /// Handles created.
    pub created: u64,
    /// Handles released.
    pub released: u64,
    /// Resources closed by a close call.
    pub closed: u64,
    /// Objects dropped without having been closed.
    pub never_closed: u64,
    /// Destructors that ran.
    pub dropped: u64,
    /// Handles born less handles ended on these threads, at every level; wraps below 0. The sum
    /// over all shards is the number of live handles.
    pub live: u64,
    /// Not used.
    pub reserved: [u64; 2],
}

/// A type. 896 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TypeSlot {
    /// 1 when the slot is in use; written last.
    pub ready: u32,
    /// `Kind`.
    pub kind: u8,
    /// 1 when the type opted in to closing.
    pub closes: u8,
    /// 1 when only the owner thread may close.
    pub thread_affine: u8,
    /// `Level` of this type, 255: as the process.
    pub level: u8,
    /// Size of the value, 0: unknown.
    pub size_bytes: u64,
    /// Bytes from the allocation's start to the data. For a Rust-implemented trait: from the start
    /// of the `Arc` that a handle points into, which holds one reference of the object's own and
    /// counts in `HandleSlot::outer_strong`; 0: a handle points to a `Box`, which counts nothing.
    pub data_offset: u64,
    /// UTF-8, NUL-padded: `TodoList`.
    pub name: [u8; 128],
    /// Origin of the type: crate or Python module.
    pub origin: [u8; 128],
    /// How it closes, for people: `close(flush)`.
    pub close_signature: [u8; 64],
    /// Not used; puts the counters on cache lines of their own.
    pub reserved: [u64; 5],
    /// Counters.
    pub shards: [TypeShard; TYPE_SHARDS],
}

/// An interned stack, innermost frame first. 64 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SiteSlot {
    /// Hash of the frames.
    pub hash: u64,
    /// Frames in use; written last.
    pub frame_count: u32,
    /// 1 when deeper frames were cut off.
    pub cut: u32,
    /// Indices of frames.
    pub frames: [u32; SITE_FRAMES],
}

/// An interned frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FrameSlot {
    /// Byte offset of the function's name in the string arena.
    pub function: u32,
    /// Byte offset of the file's name.
    pub file: u32,
    /// Line, 0: unknown.
    pub line: u32,
    /// 1 when ready; written last.
    pub ready: u32,
    /// Instruction pointer of a native frame, 0 otherwise.
    pub address: u64,
}

/// A handle: 64 bytes, one cache line. A handle's number is
/// `generation << 32 | index << 1 | foreign bit`.
///
/// Words 1, 3 and 7, `created_thread` and `created_site` do not change within a generation; word 2
/// is one atomic word of the sampler (or of a `thin` object), which changes `outer_strong` as well;
/// the rest changes only while `BUSY` is set.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HandleSlot {
    /// `ReferenceState`, with `BUSY`. A call validates word 0:
    /// `word >> 16 == generation << 16 | type`.
    pub reference_state: u8,
    /// `ResourceState`.
    pub resource_state: u8,
    /// Index of the type.
    pub type_id: u16,
    /// Grows each time the slot is used again; never 0 for a used slot.
    pub generation: u32,
    /// Heap address of the allocation: `{strong, weak, data}`. The identity of the object. 0: none.
    pub address: u64,
    /// Resting strong count that the allocation at `address` would have if this were its only
    /// handle; a signed number, 0 or less when there are fewer references than handles. Each
    /// further live handle on the object adds one. So the count and the number of handles are of
    /// one moment, whenever the table is read, and all rows of an object show the same count. For a
    /// Rust-implemented trait each `Arc` that handles point into adds one reference.
    pub strong: u32,
    /// Weak count, without the weak reference that all strong references share.
    pub weak: u16,
    /// Calls in flight as far as sampling can see them (kinds that clone for a call).
    pub in_flight: u16,
    /// Birth.
    pub created_at_ticks: u64,
    /// Time of the last change of a state.
    pub changed_at_ticks: u64,
    /// Thread that created the handle.
    pub created_thread: u16,
    /// Thread that last changed it.
    pub last_thread: u16,
    /// Thread that alone may close, 0: any.
    pub owner_thread: u16,
    /// Thread that asked for the close, or released.
    pub requester_thread: u16,
    /// Stack of the creation.
    pub created_site: u16,
    /// Stack of the last change: the close request, the close, or the release.
    pub last_site: u16,
    /// For a Rust-implemented trait: resting strong count of the `Arc` that the handle points into,
    /// of the same instant as `strong` and in the same way: as if this were the only handle that
    /// points there. `OUTER_UNKNOWN`: it was not read, or there is none (see
    /// `TypeSlot::data_offset`).
    pub outer_strong: u32,
    /// The handle's value: the data pointer as lowered, a map's key, a proxy's `_handle`.
    pub data: u64,
}

/// An event ring's start; `RING_EVENTS` events follow.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RingHeader {
    /// Events written since the ring was made. Event *n* is at `n % RING_EVENTS`.
    pub written: u64,
    /// Number of the first event of the thread that writes now. Earlier events are of threads that
    /// ended, and are lost.
    pub since: u64,
    /// Thread that writes.
    pub thread: u32,
    /// Not used.
    pub reserved: [u32; 11],
}

/// An event. 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// When, ticks.
    pub at_ticks: u64,
    /// Handle, 0 for a native clone or release that has none.
    pub handle: u64,
    /// Heap address of the object.
    pub address: u64,
    /// Strong count after it in the upper 24 bits, `EVENT_COUNT_UNKNOWN` or saturating one below
    /// it; `EventKind` in the lower 8.
    pub count_kind: u32,
    /// Stack, 0: not recorded.
    pub site: u16,
    /// Type of the object, 0: not known.
    pub type_id: u16,
}
