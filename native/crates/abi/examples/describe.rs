//! Says what a library of UniFFI's describes: `describe LIBRARY…`. A line for each: its contract,
//! classes, functions, descriptions of no known form, and functions that would be followed.

use std::ffi::{c_char, c_int, c_void, CStr, CString};

use platform::loaded::each_library;

extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

const RTLD_NOW: c_int = 2;

fn main() {
    for path in std::env::args().skip(1) {
        let name = CString::new(path.clone()).expect("a path");
        // SAFETY: the library's initialisers are those that a host would run.
        if unsafe { dlopen(name.as_ptr(), RTLD_NOW) }.is_null() {
            // SAFETY: the loader's text on the failure just now.
            let reason = unsafe { CStr::from_ptr(dlerror()) }.to_string_lossy();
            eprintln!("{reason}");
            std::process::exit(1);
        }
        let mut symbols = Vec::new();
        each_library(|library| {
            if library.path.to_string_lossy() == path {
                symbols.extend(library.symbols().map(|each| (each.name.to_owned(), each.address)));
            }
        });
        let is_replaced = |(name, address): &&(String, u64)| {
            arc_inspector_abi::stand_in(name, *address as usize) != *address as usize
        };
        let followed = symbols.iter().filter(is_replaced).count();
        for each in arc_inspector_abi::summaries().into_iter().filter(|each| each.path == path) {
            let arc_inspector_abi::Summary { contract, classes, functions, unread, .. } = each;
            println!("{contract} {classes} {functions} {unread} {followed}");
        }
    }
}
