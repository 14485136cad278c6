//! Names the shared library, so that programs find it by its name and not by the path it was linked
//! from.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libarc_inspector.so");
}
