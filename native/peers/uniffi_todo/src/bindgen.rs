//! UniFFI's generator, for the bindings of this crate.

fn main() {
    uniffi::uniffi_bindgen_main()
}
