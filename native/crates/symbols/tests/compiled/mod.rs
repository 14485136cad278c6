//! Libraries that a test compiles, loads into itself and looks at.

// each test file uses some of them
#![allow(dead_code)]

use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::process::Command;

use platform::testing::function_of;

/// A folder of its own, removed in the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("symbols-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Writes a source file and compiles it to a library.
    pub fn compile(&self, source: &str, content: &str, options: &[&str]) -> PathBuf {
        let path = self.0.join(source);
        std::fs::write(&path, content).expect("a source file");
        let library = path.with_extension("so");
        let options = ["-shared", "-fPIC", "-Wl,--build-id"].iter().chain(options);
        run(Command::new("gcc").args(options).arg("-o").args([&library, &path]));
        library
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Loads a library and calls a function of it that answers with an address.
pub fn called(library: &Path, function: &str) -> u64 {
    let address = function_of(library, function);
    // SAFETY: the library was compiled from a source of the test; the function takes nothing and
    // answers with an address.
    let call: extern "C" fn() -> *const c_void = unsafe { std::mem::transmute(address) };
    call() as u64
}

/// `outer` answers with the address behind a call that `inner` makes, which is inlined into it.
pub const INLINED: &str = "\
__attribute__((noinline)) void *place(void) { return __builtin_return_address(0); }
static inline __attribute__((always_inline)) void *inner(void)
{
    void *here = place();
    __asm__ volatile(\"\" : : : \"memory\");
    return here;
}
void *outer(void)
{
    return inner();
}
";

/// Line of the call in `inner`, and of the call in `outer`.
pub const INNER_LINE: u32 = 4;
pub const OUTER_LINE: u32 = 10;
