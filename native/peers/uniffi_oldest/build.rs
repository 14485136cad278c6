//! Writes the scaffolding, and the Python package into `target/python`.
fn main() {
    let description = "./src/u11.udl";
    uniffi_build::generate_scaffolding(description).expect("scaffolding");
    uniffi_bindgen::generate_bindings(description, None, vec!["python"], Some("./target/python"), false).expect("Python");
}
