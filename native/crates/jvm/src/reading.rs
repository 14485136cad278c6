//! What a proxy says of itself, and the counts behind it.

use jvmti_bindings::env::JniEnv;
use jvmti_bindings::sys::jni::jobject;
use platform::memory;

use crate::bindings::{Binding, Value};

/// Bytes from the start of an `Arc`'s allocation, where its counts are, to the object.
pub const COUNTS_BYTES: u64 = 16;
/// A count beyond this is no count.
const MOST_REFERENCES: u64 = 1 << 31;

/// What a proxy says of itself.
pub struct Said {
    /// `destroy` was called.
    pub is_destroyed: bool,
    /// Calls that run on it.
    pub calls: i64,
}

/// The reference on the Rust object; `None`: it has none.
///
/// # Safety
/// `object` is an instance of the binding, a reference of this thread.
pub unsafe fn value_of(env: &JniEnv, binding: &Binding, object: jobject) -> Option<u64> {
    // SAFETY: the caller's promise, as below.
    let value = unsafe {
        match binding.value {
            Value::Handle(field) => env.get_long_field(object, field),
            Value::Pointer(field) => {
                let pointer = env.get_object_field(object, field);
                if pointer.is_null() {
                    return None;
                }
                let class = env.get_object_class(pointer);
                let Some(peer) = env.get_field_id(class, "peer", "J") else {
                    env.exception_clear();
                    return None;
                };
                env.get_long_field(pointer, peer)
            }
        }
    };
    (value != 0).then_some(value as u64)
}

/// # Safety
/// As [`value_of`].
pub unsafe fn said_by(env: &JniEnv, binding: &Binding, object: jobject) -> Said {
    // SAFETY: the caller's promise, as below.
    unsafe {
        let flag = env.get_object_field(object, binding.flag);
        let calls = env.get_object_field(object, binding.calls);
        let is_destroyed = !flag.is_null() && env.get_int_field(flag, binding.of_flag) != 0;
        let count = if calls.is_null() { 1 } else { env.get_long_field(calls, binding.of_calls) };
        for reference in [flag, calls].into_iter().filter(|each| !each.is_null()) {
            env.delete_local_ref(reference);
        }
        // until it is destroyed, the proxy itself counts as a call
        Said { is_destroyed, calls: if is_destroyed { count } else { count - 1 } }
    }
}

/// Whether the constructor has set all that tells of it. A proxy that never gets a reference is made
/// up by the program.
///
/// # Safety
/// As [`value_of`].
pub unsafe fn is_made(env: &JniEnv, binding: &Binding, object: jobject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let parts = [binding.flag, binding.calls].map(|field| env.get_object_field(object, field));
        let is_made = parts.iter().all(|part| !part.is_null());
        for part in parts.into_iter().filter(|part| !part.is_null()) {
            env.delete_local_ref(part);
        }
        is_made && value_of(env, binding, object).is_some()
    }
}

/// The start of the allocation that a reference leads into; 0: it leads to nothing with counts.
pub fn allocation_of(data: u64) -> u64 {
    if data % 8 != 0 || data <= COUNTS_BYTES {
        return 0;
    }
    let address = data - COUNTS_BYTES;
    let mut counts = [0_u64; 2];
    let is_read = memory::read_own_words(address, &mut counts) == counts.len();
    let is_count = |count: u64| (1..MOST_REFERENCES).contains(&count);
    if is_read && counts.into_iter().all(is_count) {
        address
    } else {
        0
    }
}
