//! Writes the C headers from the sources of the crates: the one schema as our own C sees it, and
//! the documented interface of C programs.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
        .expect("a configuration of cbindgen");
    let mut header = cbindgen::Builder::new().with_config(config);
    let mut constants = HashMap::new();
    for folder in sources(&root) {
        println!("cargo:rerun-if-changed={}", folder.display());
        refuse_twins(&folder, &mut constants);
        header = header.with_src(folder.join("lib.rs"));
    }
    match header.generate() {
        Ok(bindings) => {
            bindings.write_to_file(root.join("../../include/arc_inspector.h"));
        }
        Err(error) => panic!("cbindgen: {error}"),
    }
    write_program_header(&root);
}

/// The header of C and C++ programs: functions of `capi` with their documentation, and the numbers
/// that they take.
fn write_program_header(root: &Path) {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
        .expect("a configuration of cbindgen");
    config.documentation = true;
    config.cpp_compat = true;
    config.header = Some(
        "/* arc-inspector: the interface of C and C++ programs.\n *\n * A function that can fail \
         returns a status, 0 when it succeeded, and takes a place for the error, which\n * may be \
         NULL. Texts are UTF-8 with a length. Every function may be called by any thread.\n */"
            .to_owned(),
    );
    config.export.include =
        ["Level", "Kind", "ReferenceState", "ResourceState", "EventKind", "Status"]
            .map(str::to_owned)
            .into();
    use cbindgen::ItemType;
    config.export.item_types = vec![
        ItemType::Enums,
        ItemType::Structs,
        ItemType::Typedefs,
        ItemType::OpaqueItems,
        ItemType::Functions,
    ];
    let crates = ["capi", "segment"].map(|name| root.join("..").join(name).join("src/lib.rs"));
    let mut header = cbindgen::Builder::new().with_config(config);
    for source in crates {
        header = header.with_src(source);
    }
    let mut made = Vec::new();
    header.generate().expect("the header of programs").write(&mut made);
    let text = String::from_utf8(made).expect("a header is text");
    // Rust's markup of links and headings
    let plain = text.replace("[`", "`").replace("`]", "`").replace(" # Safety", " Safety:");
    let folder = root.join("../../include/c");
    fs::create_dir_all(&folder).expect("a folder for the header");
    let path = folder.join("arc_inspector.h");
    if fs::read_to_string(&path).is_ok_and(|before| before == plain) {
        return;
    }
    fs::write(path, plain).expect("the header is written");
}

/// Crates that declare nothing of the C interface.
const WITHOUT_C: [&str; 7] = ["platform", "inspector", "derive", "abi", "preload", "jvm", "whatif"];

/// The folders of Rust sources that declare the C interface; nothing of the system's is in it.
fn sources(root: &Path) -> Vec<PathBuf> {
    let crates = fs::read_dir(root.join("..")).expect("the crates").flatten();
    let mut folders: Vec<PathBuf> = crates
        .filter(|entry| !WITHOUT_C.iter().any(|&name| entry.file_name() == name))
        .map(|entry| entry.path().join("src"))
        .filter(|folder| folder.is_dir())
        .collect();
    folders.sort();
    folders
}

/// In C all constants share one name space, and of two with one name the header would have
/// whichever comes first.
fn refuse_twins(folder: &Path, constants: &mut HashMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            refuse_twins(&path, constants);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source");
        for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("pub const ")) {
            let name = line.split(':').next().unwrap_or("").to_owned();
            if name.contains("fn ") {
                continue;
            }
            if let Some(other) = constants.insert(name.clone(), path.clone()) {
                panic!(
                    "two public constants are called {name}, which the C header cannot tell apart: {} and {}",
                    other.display(),
                    path.display()
                );
            }
        }
    }
}
