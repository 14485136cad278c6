//! Functions, files and lines of native code that was just compiled.

extern crate arc_inspector_symbols as symbols;

mod compiled;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{self, Command};

use compiled::{called, run, Folder, INLINED, INNER_LINE, OUTER_LINE};
use symbols::elf::{ElfFile, Place};
use symbols::{Found, Symbols};

fn at(address: u64) -> Found {
    Symbols::of(process::id()).at(address)
}

fn place(function: &str, file: &Path, line: u32) -> Place {
    Place { function: function.into(), file: file.to_str().expect("text").into(), line }
}

/// The two places of `INLINED`, in a file of this name.
fn inlined(folder: &Folder, source: &str) -> Vec<Place> {
    let file = folder.0.join(source);
    vec![place("inner", &file, INNER_LINE), place("outer", &file, OUTER_LINE)]
}

/// A function without a line.
fn bare(function: &str) -> Vec<Place> {
    vec![place(function, Path::new(""), 0)]
}

#[test]
fn a_function_has_its_file_and_line_and_so_has_the_function_that_was_inlined_into_it() {
    let folder = Folder::new("inlined");
    let library = folder.compile("shop.c", INLINED, &["-O2", "-g"]);
    let found = at(called(&library, "outer"));
    assert_eq!(found.places, inlined(&folder, "shop.c"));
    assert_eq!(found.library, library.as_os_str().as_bytes());
    assert_eq!(found.reason, "");
}

#[test]
fn debug_information_of_older_and_newer_forms_is_read() {
    for (name, options) in [
        ("four.c", &["-O2", "-gdwarf-4"][..]),
        ("five.c", &["-O2", "-gdwarf-5"]),
        ("lines.c", &["-O2", "-g1"]),
        ("zlib.c", &["-O2", "-g", "-gz=zlib"]),
    ] {
        let folder = Folder::new(name);
        let library = folder.compile(name, INLINED, options);
        let file = ElfFile::open(&library).expect("a library");
        let info = file.section(".debug_info").expect("debug information");
        assert_eq!(info.packed.is_some(), name == "zlib.c");
        assert_eq!(at(called(&library, "outer")).places, inlined(&folder, name), "{options:?}");
    }
}

#[test]
fn a_library_without_debug_information_has_names_and_no_lines() {
    let folder = Folder::new("bare");
    let library = folder.compile("bare.c", INLINED, &["-O2"]);
    let stripped = folder.compile("stripped.c", INLINED, &["-O2", "-g", "-s"]);
    for library in [library, stripped] {
        let found = at(called(&library, "outer"));
        assert_eq!((found.places, found.reason.as_str()), (bare("outer"), ""));
    }
}

#[test]
fn a_stripped_library_whose_debug_information_lies_beside_it_has_lines() {
    let folder = Folder::new("beside");
    let library = folder.compile("beside.c", INLINED, &["-O2", "-g"]);
    let debug = folder.0.join(".debug");
    std::fs::create_dir(&debug).expect("a folder");
    let debug = debug.join("beside.so.debug");
    run(Command::new("objcopy").arg("--only-keep-debug").args([&library, &debug]));
    run(Command::new("objcopy")
        .arg("--strip-all")
        .arg(format!("--add-gnu-debuglink={}", debug.display()))
        .arg(&library));
    let address = called(&library, "outer");
    assert_eq!(at(address).places, inlined(&folder, "beside.c"));

    // the debug file is now of another build
    folder.compile("other.c", &INLINED.replace("inner", "other"), &["-O2", "-g"]);
    std::fs::copy(folder.0.join("other.so"), &debug).expect("a file");
    assert_eq!((at(address).places, at(address).reason.as_str()), (bare("outer"), ""));
}

#[test]
fn a_library_that_was_replaced_since_tells_no_names_and_the_reason() {
    let folder = Folder::new("replaced");
    let library = folder.compile("shop.c", INLINED, &["-O2", "-g"]);
    let address = called(&library, "outer");
    std::fs::remove_file(&library).expect("it is there");
    folder.compile("shop.c", &format!("int first;\n\n{INLINED}"), &["-O2", "-g"]);
    let found = Symbols::of(process::id()).without_links().at(address);
    assert_eq!(found.places, []);
    assert_eq!(found.reason, "the file was replaced since it was loaded");
    assert!(found.library.starts_with(library.as_os_str().as_bytes()));
}

#[test]
fn a_copy_of_the_same_build_in_another_file_is_as_good() {
    let folder = Folder::new("copied");
    let library = folder.compile("shop.c", INLINED, &["-O2", "-g"]);
    let address = called(&library, "outer");
    std::fs::copy(&library, folder.0.join("copy")).expect("a file");
    std::fs::remove_file(&library).expect("it is there");
    std::fs::rename(folder.0.join("copy"), &library).expect("a file");
    let found = Symbols::of(process::id()).without_links().at(address);
    assert_eq!(found.places, inlined(&folder, "shop.c"));
}

#[test]
fn a_library_that_cannot_be_read_any_more_tells_the_reason() {
    let folder = Folder::new("unreadable");
    let library = folder.compile("shop.c", INLINED, &["-O2", "-g"]);
    let address = called(&library, "outer");
    std::fs::remove_file(&library).expect("it is there");
    let seen = || Symbols::of(process::id()).without_links().at(address);
    assert_eq!(seen().reason, "No such file or directory (os error 2)");
    run(Command::new("mkfifo").arg(&library));
    assert_eq!(seen().reason, "not a regular file");
    std::fs::remove_file(&library).expect("it is there");
    std::fs::write(&library, "no library").expect("a file");
    assert_eq!(seen().reason, "not a 64-bit x86 program");
    assert_eq!(seen().places, []);
}

#[test]
fn functions_of_rust_are_named_as_their_source_has_them() {
    let folder = Folder::new("rust");
    let source = folder.0.join("shop.rs");
    let text = "\
#[no_mangle]
pub extern \"C\" fn place() -> usize { cart::add() }
mod cart {
    #[inline(never)]
    pub fn add() -> usize {
        let here = counted();
        std::hint::black_box(here)
    }
    #[inline(always)]
    fn counted() -> usize {
        std::hint::black_box(unsafe { super::address() })
    }
}
extern \"C\" { fn address() -> usize; }
";
    std::fs::write(&source, text).expect("a source file");
    let address = "void *address(void) { return __builtin_return_address(0); }";
    let helper = folder.compile("address.c", address, &["-O1", "-g0"]);
    let library = folder.0.join("libshop.so");
    run(Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
        .args(["--crate-type", "cdylib", "--crate-name", "shop", "-g", "-Copt-level=2", "-o"])
        .args([&library, &source])
        .arg(format!("-Clink-arg={}", helper.display())));
    assert_eq!(
        at(called(&library, "place")).places[..2],
        [place("shop::cart::counted", &source, 11), place("shop::cart::add", &source, 6)]
    );
}

#[test]
fn a_name_of_cpp_is_shown_as_its_source_has_it() {
    let folder = Folder::new("cpp");
    // the symbol as a compiler of C++ would have made it
    let text = "void *add(void) __asm__(\"_ZN4shop4Cart3addEi\");
void *add(void) { return __builtin_return_address(0); }
void *outer(void) __asm__(\"_ZN4shop5outerEv\");
void *outer(void) { void *here = add(); __asm__ volatile(\"\" : : : \"memory\"); return here; }
";
    let library = folder.compile("cpp.c", text, &["-O1"]);
    assert_eq!(at(called(&library, "_ZN4shop5outerEv")).places, bare("shop::outer"));
}

#[test]
fn an_address_that_is_none_and_a_process_that_has_ended_have_no_names() {
    for address in [0, 8, u64::MAX, std::ptr::from_ref(&0_u8) as u64] {
        assert_eq!(at(address).places, [], "{address:#x}");
    }
    assert_eq!(Symbols::of(1 << 22).at(0x1000), Found::default());
}
