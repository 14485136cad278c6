//! A Java virtual machine in this process, asked through its own interface of tools.

use std::ffi::c_void;

use platform::loaded::each_library;

/// The versions of the interfaces, which every machine since Java 6 has.
const JVMTI_1_2: i32 = 0x3001_0200;
/// Places of functions in the machine's tables, by their numbers in `jni.h` and `jvmti.h`.
const DETACH: usize = 5;
const GET_ENV: usize = 6;
const ATTACH_AS_DAEMON: usize = 7;
const DISPOSE: usize = 126;
const FORCE_COLLECTION: usize = 107;

/// An object of the machine: a pointer to its table of functions.
type Object = *const *const usize;
type Created = unsafe extern "C" fn(*mut Object, i32, *mut i32) -> i32;
type Attach = unsafe extern "C" fn(Object, *mut *mut c_void, *mut c_void) -> i32;
type Detach = unsafe extern "C" fn(Object) -> i32;
type GetEnv = unsafe extern "C" fn(Object, *mut Object, i32) -> i32;
type OfTools = unsafe extern "C" fn(Object) -> i32;

/// Whether there is a machine.
pub fn is_there() -> bool {
    created() != 0
}

/// The function that lists the machines of this process; 0: there is none.
fn created() -> usize {
    let mut found = 0;
    each_library(|library| {
        if found == 0 && library.path.to_bytes().ends_with(b"libjvm.so") {
            let mut symbols = library.symbols();
            let listing = symbols.find(|symbol| symbol.name == "JNI_GetCreatedJavaVMs");
            found = listing.map_or(0, |symbol| symbol.address as usize);
        }
    });
    found
}

/// Has the machine collect all garbage. Blocks.
pub fn collect() -> Result<(), String> {
    let machine = machine().ok_or("no Java virtual machine runs in the process")?;
    let mut environment = std::ptr::null_mut();
    // SAFETY: the machine's own function, with places for its results.
    let attached = unsafe {
        of::<Attach>(machine, ATTACH_AS_DAEMON)(machine, &raw mut environment, std::ptr::null_mut())
    };
    if attached != 0 {
        return Err(format!("the Java virtual machine takes no thread: error {attached}"));
    }
    let done = collect_attached(machine);
    // SAFETY: this thread was attached above.
    unsafe { of::<Detach>(machine, DETACH)(machine) };
    done
}

fn collect_attached(machine: Object) -> Result<(), String> {
    let mut tools: Object = std::ptr::null();
    // SAFETY: the machine's own function, with a place for its result.
    let got = unsafe { of::<GetEnv>(machine, GET_ENV)(machine, &raw mut tools, JVMTI_1_2) };
    if got != 0 || tools.is_null() {
        return Err(format!("the Java virtual machine has no interface for tools: error {got}"));
    }
    // SAFETY: an environment of tools, which this thread has alone and gives back.
    let done = unsafe {
        let done = of::<OfTools>(tools, FORCE_COLLECTION)(tools);
        of::<OfTools>(tools, DISPOSE)(tools);
        done
    };
    match done {
        0 => Ok(()),
        error => Err(format!("the Java virtual machine refused a collection: error {error}")),
    }
}

fn machine() -> Option<Object> {
    let created = created();
    if created == 0 {
        return None;
    }
    let (mut machine, mut count): (Object, i32) = (std::ptr::null(), 0);
    // SAFETY: the machine's own function of this signature.
    unsafe {
        std::mem::transmute::<usize, Created>(created)(&raw mut machine, 1, &raw mut count);
    }
    (count > 0 && !machine.is_null()).then_some(machine)
}

/// # Safety
/// The object's table has a function of type `F` in this place.
unsafe fn of<F: Copy>(object: Object, place: usize) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    // SAFETY: the caller's promise.
    unsafe { std::mem::transmute_copy(&*(*object).add(place)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_machine_says_so() {
        assert!(!is_there());
        assert!(collect().is_err_and(|why| why.contains("no Java virtual machine")));
    }
}
