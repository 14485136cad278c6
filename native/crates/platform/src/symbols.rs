//! Functions of other libraries of this process, by name.

use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether an interpreter of Python is in this process, so that its worker may come however late.
pub fn has_python() -> bool {
    static IS_INITIALIZED: AtomicUsize = AtomicUsize::new(0);
    function(&IS_INITIALIZED, c"Py_IsInitialized").is_some()
}

/// A function of this process by name, looked up once: the lookup takes about 200 ns. Relaxed: a
/// thread that finds no address yet looks it up as well.
pub fn function(found: &AtomicUsize, name: &CStr) -> Option<usize> {
    let mut address = found.load(Ordering::Relaxed);
    if address == 0 {
        // SAFETY: a name; looking it up changes nothing.
        address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) } as usize;
        found.store(address, Ordering::Relaxed);
    }
    (address != 0).then_some(address)
}
