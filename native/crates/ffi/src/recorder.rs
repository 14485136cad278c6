//! The recorder's part of the interface: start and stop, threads, sites, and the rows that adapters
//! keep.

use std::path::Path;
use std::slice;
use std::time::Duration;

use super::{catch, catch_value, place, text, AiError, AiText};
use agent::Options;
use control::Stay;
use recorder::events::{self, Entry};
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::runtime;
use recorder::sites::Frame;
use recorder::threads;
use recorder::types::{self, Described};
use segment::clock;
use segment::layout::{GcRecord, ReferenceState, ResourceState};
use segment::status::{Error, Result, Status};

/// Frames of one stack that a caller may pass.
const FRAMES_LIMIT: usize = 4096;

/// How to start. Texts are UTF-8.
#[repr(C)]
pub struct AiOptions {
    /// `Level` to begin with.
    pub level: u8,
    /// `Level` to return to without viewers.
    pub idle_level: u8,
    /// The program and its arguments: `python app.py`.
    pub program: AiText,
    /// Runtime and version: `CPython 3.11.7`.
    pub runtime: AiText,
    /// Directory of the segment; empty: the default directory.
    pub directory: AiText,
    /// 1: a viewer brought the agent in.
    pub is_brought: u8,
    /// Without a connection for so long it leaves by itself; 0: never.
    pub leaves_after_millis: u64,
}

/// A frame of a stack. Texts are UTF-8.
#[repr(C)]
pub struct AiFrameText {
    /// Function.
    pub function: *const u8,
    /// Its bytes.
    pub function_length: usize,
    /// File.
    pub file: *const u8,
    /// Its bytes.
    pub file_length: usize,
    /// Line, 0: unknown.
    pub line: u32,
}

/// A type as an adapter describes it. Texts are UTF-8.
#[repr(C)]
pub struct AiTypeSpec {
    /// Name.
    pub name: AiText,
    /// Crate or module.
    pub origin: AiText,
    /// How it closes, for people; empty: it does not say.
    pub close_signature: AiText,
    /// `Kind`.
    pub kind: u8,
    /// 1 when it closes.
    pub closes: u8,
    /// 1 when only the owner thread may close.
    pub thread_affine: u8,
    /// Size of the value, 0: unknown.
    pub size_bytes: u64,
    /// Bytes from the allocation's start to the data.
    pub data_offset: u64,
}

/// Publishes the segment and starts the control socket and the sampler. Does nothing when they run.
///
/// # Safety
/// `options` points to valid options, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_start(options: *const AiOptions, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        catch(error, || {
            let options =
                options.as_ref().ok_or_else(|| Error::new(Status::BadArgument, "no options"))?;
            let directory = options.directory.read()?;
            agent::start(&Options {
                level: options.level,
                idle_level: options.idle_level,
                program: options.program.read()?,
                runtime: options.runtime.read()?,
                directory: (!directory.is_empty()).then(|| Path::new(directory)),
                stay: Stay {
                    is_brought: options.is_brought != 0,
                    leaves_after: (options.leaves_after_millis > 0)
                        .then(|| Duration::from_millis(options.leaves_after_millis)),
                },
            })
        })
    }
}

/// Ends recording: threads are joined, the files removed, handles continue to work. Does nothing
/// when nothing runs. Not from a worker that serves `ai_control_next`.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_stop(error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            agent::stop();
            Ok(())
        })
    }
}

/// The program wants the agent that a viewer brought in: it stays until it is stopped.
#[no_mangle]
pub extern "C" fn ai_keep() {
    catch_value((), agent::keep);
}

/// The process ends: marks the segment, removes the files and ends the wait in `ai_control_next`;
/// waits for no thread.
#[no_mangle]
pub extern "C" fn ai_exit() {
    catch_value((), agent::exit);
}

/// 1 while the agent runs.
#[no_mangle]
pub extern "C" fn ai_is_running() -> i32 {
    catch_value(0, || i32::from(agent::is_running()))
}

/// The path of the segment, without a terminating NUL: returns its length in bytes and writes as
/// many as fit; 0 when the agent does not run.
///
/// # Safety
/// `buffer` points to `capacity` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn ai_segment_path(buffer: *mut u8, capacity: usize) -> usize {
    catch_value(0, || {
        let path = agent::segment_path()
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default();
        if !buffer.is_null() {
            // SAFETY: not more than `capacity` bytes, the caller's promise.
            unsafe {
                std::ptr::copy_nonoverlapping(path.as_ptr(), buffer, path.len().min(capacity))
            };
        }
        path.len()
    })
}

/// In a forked child, after the C library's fork handlers: starts the agent if the parent ran it.
/// Otherwise does nothing.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_fork_child_start(error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            recorder::fork::end_in_child();
            agent::start_in_child()
        })
    }
}

/// Tells viewers of this directory that this process is not recorded, and gives the reason.
///
/// # Safety
/// `data` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn ai_say_unrecorded(data: *const u8, length: usize) {
    catch_value((), || {
        // SAFETY: the caller's promise.
        agent::say_unrecorded(unsafe { text(data, length) }.unwrap_or("it could not be recorded"));
    });
}

/// Index of the calling thread's slot, 0: it found none.
#[no_mangle]
pub extern "C" fn ai_thread_here() -> u32 {
    catch_value(0, || u32::from(threads::here()))
}

/// Names a live thread by its kernel id, as the host language calls it. A `Status`; `BadArgument`
/// when it touched no handle yet.
///
/// # Safety
/// `data` points to `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn ai_thread_name(tid: u32, data: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(std::ptr::null_mut(), || {
            let name = text(data, length)?;
            let is_found = threads::set_name(runtime(), tid, name);
            is_found
                .then_some(())
                .ok_or_else(|| Error::new(Status::BadArgument, format!("no such thread: {tid}")))
        })
    }
}

/// The index of a stack, innermost frame first; 0: no room, or nothing given. `cut`: 1 when deeper
/// frames were left out.
///
/// # Safety
/// `frames` points to `count` frames whose texts are valid.
#[no_mangle]
pub unsafe extern "C" fn ai_site(frames: *const AiFrameText, count: usize, cut: i32) -> u32 {
    catch_value(0, || {
        if frames.is_null() || count == 0 || count > FRAMES_LIMIT {
            return 0;
        }
        // SAFETY: not NULL, the rest is the caller's promise.
        let frames = unsafe { slice::from_raw_parts(frames, count) };
        // SAFETY: the caller's promise.
        let frames: Result<Vec<Frame<'_>>> =
            frames.iter().map(|frame| unsafe { frame_of(frame) }).collect();
        frames.map_or(0, |frames| runtime().sites.intern(runtime().segment(), &frames, cut != 0))
    })
}

/// # Safety
/// The frame's texts are valid for `'a`.
unsafe fn frame_of<'a>(frame: &AiFrameText) -> Result<Frame<'a>> {
    // SAFETY: the caller's promise.
    let (function, file) = unsafe {
        (text(frame.function, frame.function_length)?, text(frame.file, frame.file_length)?)
    };
    Ok(Frame { function, file, line: frame.line })
}

/// The calling thread's site for its acts from now on, 0: none.
#[no_mangle]
pub extern "C" fn ai_set_site(site: u32) {
    catch_value((), || threads::local(|local| local.site.set(site)));
}

/// The stack of a use that was refused just now on the calling thread.
#[no_mangle]
pub extern "C" fn ai_misuse_site(site: u32) {
    catch_value((), || events::add_site_to_misuse(site));
}

/// Logs a collection that took `took_nanos` and began at `began_ticks`, 0: that long ago.
#[no_mangle]
pub extern "C" fn ai_gc(
    began_ticks: u64,
    took_nanos: u64,
    collected: u32,
    generation: u32,
    forced: u32,
) {
    catch_value((), || {
        let at_ticks = if began_ticks == 0 { clock::ticks() } else { began_ticks };
        let (generation, forced) =
            (generation.min(u32::from(u16::MAX)) as u16, u16::from(forced != 0));
        agent::log_collection(
            runtime(),
            &GcRecord { at_ticks, took_nanos, collected, generation, forced },
        );
    });
}

/// Now, in the segment's ticks.
#[no_mangle]
pub extern "C" fn ai_ticks() -> u64 {
    clock::ticks()
}

/// The index of a type that an adapter describes; the same name, origin and kind give the same
/// index.
///
/// # Safety
/// `spec` points to a valid description, `type_id` to a place for an index, `error` is NULL or a
/// place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_type(
    spec: *const AiTypeSpec,
    type_id: *mut u16,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise, for all of them.
    unsafe {
        catch(error, || {
            let spec = spec
                .as_ref()
                .ok_or_else(|| Error::new(Status::BadArgument, "no description of a type"))?;
            let described = Described {
                name: spec.name.read()?,
                origin: spec.origin.read()?,
                close_signature: spec.close_signature.read()?,
                kind: spec.kind,
                closes: spec.closes != 0,
                is_thread_affine: spec.thread_affine != 0,
                size_bytes: spec.size_bytes,
                data_offset: spec.data_offset,
            };
            *place(type_id)? = types::describe(runtime(), &described)?;
            Ok(())
        })
    }
}

pub(super) fn new_row(type_id: u16, address: u64, data: u64, is_born_now: bool) -> NewRow {
    let is_foreign = rows::is_foreign(runtime(), type_id);
    let owner = if is_born_now && types::is_thread_affine(runtime(), type_id) {
        threads::here()
    } else {
        0
    };
    NewRow { type_id, address, data, owner, is_foreign, is_born_now }
}

pub(super) fn known_type(type_id: u16) -> Result<()> {
    let is_known =
        type_id != 0 && u32::from(type_id) < runtime().segment().used(segment::Part::Types);
    is_known
        .then_some(())
        .ok_or_else(|| Error::new(Status::BadArgument, format!("no such type: {type_id}")))
}

/// A row for an object that lives elsewhere. `born_now` 0: the object is older than the recording.
///
/// # Safety
/// `row` points to a place for a handle, `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_row_add(
    type_id: u16,
    address: u64,
    data: u64,
    born_now: i32,
    row: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let row = place(row)?;
            known_type(type_id)?;
            *row = rows::add(runtime(), &new_row(type_id, address, data, born_now != 0))?;
            Ok(())
        })
    }
}

/// Rows for `count` objects that are older than the recording. After an error `rows` holds the rows
/// made so far, and 0 beyond.
///
/// # Safety
/// `addresses` and `datas` point to `count` numbers, `rows` to places for as many, `error` is NULL
/// or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_rows_add(
    type_id: u16,
    addresses: *const u64,
    datas: *const u64,
    count: usize,
    rows: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            if count == 0 {
                return Ok(());
            }
            if addresses.is_null() || datas.is_null() || rows.is_null() || count > u32::MAX as usize
            {
                return Err(Error::new(Status::BadArgument, "no numbers where rows were promised"));
            }
            known_type(type_id)?;
            let (addresses, datas) =
                (slice::from_raw_parts(addresses, count), slice::from_raw_parts(datas, count));
            let made = slice::from_raw_parts_mut(rows, count);
            made.fill(0);
            for (place, (&address, &data)) in made.iter_mut().zip(addresses.iter().zip(datas)) {
                *place = rows::add(runtime(), &new_row(type_id, address, data, false))?;
            }
            Ok(())
        })
    }
}

/// Ends a row: `Released`, or `Dropped` when the destructor is known to have run.
///
/// # Safety
/// `error` is NULL or a place for an error.
#[no_mangle]
pub unsafe extern "C" fn ai_row_end(row: u64, reference_state: u8, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        catch(error, || {
            let ends = [ReferenceState::Released, ReferenceState::Dropped];
            let state = ends.into_iter().find(|&state| state as u8 == reference_state);
            let state = state.ok_or_else(|| {
                Error::new(
                    Status::BadArgument,
                    format!("not a state that ends a row: {reference_state}"),
                )
            })?;
            rows::end(runtime(), row, state)
        })
    }
}

/// Sets a row's address, found out later. A `Status`.
#[no_mangle]
pub extern "C" fn ai_row_address(row: u64, address: u64) -> i32 {
    // SAFETY: no place for an error.
    unsafe { catch(std::ptr::null_mut(), || rows::set_address(runtime(), row, address)) }
}

/// Sets a row's counts as an adapter knows them. A `Status`.
#[no_mangle]
pub extern "C" fn ai_row_counts(row: u64, strong: u32, weak: u16, in_flight: u16) -> i32 {
    // SAFETY: no place for an error.
    unsafe {
        catch(std::ptr::null_mut(), || rows::set_counts(runtime(), row, strong, weak, in_flight))
    }
}

/// Sets the `ResourceState` of a row's resource, which an adapter closes. A `Status`.
#[no_mangle]
pub extern "C" fn ai_row_resource(row: u64, resource_state: u8) -> i32 {
    // SAFETY: no place for an error.
    unsafe {
        catch(std::ptr::null_mut(), || {
            let state = ResourceState::from_number(resource_state);
            let state = state.ok_or_else(|| {
                Error::new(Status::BadArgument, format!("no such state: {resource_state}"))
            })?;
            rows::set_resource(runtime(), row, state)
        })
    }
}

/// Forgets all live rows of an adapter's type, without a word on their objects.
#[no_mangle]
pub extern "C" fn ai_rows_clear(type_id: u16) {
    catch_value((), || {
        // an unknown type has no rows
        let _ = rows::clear(runtime(), type_id);
    });
}

/// Writes an event of a row to the history of the calling thread, if its type has a history.
#[no_mangle]
pub extern "C" fn ai_event(kind: u8, row: u64, address: u64, count: u32) {
    catch_value((), || {
        let Some(slot) = runtime().table.slot_of(row) else { return };
        let type_id = slot.word0().type_id();
        if levels::has_history(runtime(), type_id) {
            events::write(runtime(), &Entry { kind, type_id, handle: row, address, count });
        }
    });
}
