//! Writes the C header from the crate's sources: the one schema as C sees it.

fn main() {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    match cbindgen::generate(&root) {
        Ok(bindings) => {
            bindings.write_to_file(format!("{root}/include/arc_inspector.h"));
        }
        Err(error) => panic!("cbindgen: {error}"),
    }
}
