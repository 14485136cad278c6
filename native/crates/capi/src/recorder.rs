//! The recorder's part of the interface: start and stop, threads, sites, collections.

use std::path::Path;
use std::slice;
use std::time::Duration;

use super::{catch, catch_value, text, AiError, AiText};
use agent::Options;
use control::Stay;
use recorder::events;
use recorder::runtime::runtime;
use recorder::sites::Frame;
use recorder::threads;
use segment::clock;
use segment::layout::GcRecord;
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

/// Reads the counts of all live objects now; 1: done within so many milliseconds, 0: it was not.
#[no_mangle]
pub extern "C" fn ai_sample(patience_millis: u32) -> i32 {
    catch_value(0, || {
        i32::from(agent::sample_now(Duration::from_millis(u64::from(patience_millis))))
    })
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
