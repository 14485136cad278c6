//! The agent in programs of any language. A library of ours is loaded before the program's own, so
//! that its `dlsym` is found first; it starts the agent when the program uses a library of UniFFI's
//! for the first time, and gives the program our stand-ins for that library's functions.
//!
//! A process that uses no such library runs as without us: no thread, no file. A process with
//! Python has an agent of its own kind and is left alone.

mod jvm;
mod slots;
mod starting;

use std::ffi::CStr;

use segment::sync::Lock;

use starting::Settings;

/// The versions of the C library's symbol on x86-64 and aarch64.
const VERSIONS: [&CStr; 3] = [c"GLIBC_2.34", c"GLIBC_2.2.5", c"GLIBC_2.17"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No library of UniFFI's was met.
    Waiting,
    /// Its functions are followed.
    Following,
    /// They are not: the agent could not start, or has left.
    Off,
}

static STATE: Lock<State> = Lock::new(State::Waiting);

/// The C library's `dlsym`, an address; 0: it is not found.
pub fn next_dlsym() -> usize {
    platform::loaded::next_function(c"dlsym", &VERSIONS)
}

/// The library was loaded: stand-ins go into the words by which the program and its libraries call
/// a library of UniFFI's that they are linked with.
pub fn loaded() {
    slots::fill(resolve);
}

/// The function that the program gets in place of the function of this name at this address.
pub fn resolve(name: &str, address: usize) -> usize {
    if address == 0 || !is_of_uniffi(name) || !is_following() {
        return address;
    }
    abi::stand_in(name, address)
}

/// Whether a name is of a function that gives, takes or ends handles or futures.
fn is_of_uniffi(name: &str) -> bool {
    match name.strip_prefix("uniffi_") {
        Some(rest) => rest.contains("_fn_"),
        None => name.starts_with("ffi_") && name.contains("_rust_future_"),
    }
}

fn is_following() -> bool {
    let state = *STATE.lock();
    if state != State::Waiting {
        return state == State::Following;
    }
    let settings = Settings::of_environment();
    if !settings.is_wanted || platform::has_python() || !abi::is_supported() {
        *STATE.lock() = State::Off;
        return false;
    }
    // the agent starts threads, so the lock is not held; a second thread starts nothing
    if jvm::is_there() {
        agent::on_collecting(jvm::collect);
    }
    let is_started = starting::start(&settings, leave);
    let mut state = STATE.lock();
    if *state == State::Waiting {
        *state = if is_started { State::Following } else { State::Off };
    }
    *state == State::Following
}

/// Follows nothing any more.
fn leave() {
    *STATE.lock() = State::Off;
    slots::restore();
    abi::leave();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_of_handles_and_futures_are_looked_at() {
        assert!(is_of_uniffi("uniffi_bdkffi_fn_free_amount"));
        assert!(is_of_uniffi("ffi_bdkffi_rust_future_complete_u64"));
        assert!(!is_of_uniffi("uniffi_bdkffi_checksum_method_amount_to_sat"));
        assert!(!is_of_uniffi("ffi_bdkffi_rustbuffer_alloc"));
        assert!(!is_of_uniffi("getpid"));
    }

    #[test]
    fn without_a_wish_in_the_environment_a_process_stays_as_it_is() {
        assert_eq!(resolve("uniffi_bdkffi_fn_free_amount", 4711), 4711);
        assert_eq!(*STATE.lock(), State::Off);
    }
}
