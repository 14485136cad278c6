//! Names of native functions as their source has them.

use std::borrow::Cow;

use cpp_demangle::{DemangleOptions, Symbol};

/// A symbol's name as Rust code has it, without hash, or as C++ code has it, without parameters'
/// types; a symbol of another language is returned unchanged.
pub fn demangled(symbol: &str) -> Cow<'_, str> {
    if let Ok(rust) = rustc_demangle::try_demangle(symbol) {
        return format!("{rust:#}").into();
    }
    cpp(symbol).map_or(Cow::Borrowed(symbol), Cow::Owned)
}

/// None: no name of C++, or a name that is damaged or too deep.
fn cpp(symbol: &str) -> Option<String> {
    if !symbol.starts_with("_Z") {
        return None;
    }
    let options = DemangleOptions::new().no_params().no_return_type();
    Symbol::new(symbol).ok()?.demangle(&options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_rust_is_shown_without_its_hash() {
        assert_eq!(
            demangled("_ZN4core3ptr13drop_in_place17h0123456789abcdefE"),
            "core::ptr::drop_in_place"
        );
        assert_eq!(demangled("_RNvC6_123foo3bar"), "123foo::bar");
    }

    #[test]
    fn a_name_of_cpp_is_shown_as_its_source_has_it() {
        assert_eq!(demangled("_ZN4shop4Cart3addEi"), "shop::Cart::add");
        assert_eq!(
            demangled("_ZNSt6vectorIiSaIiEE9push_backERKi"),
            "std::vector<int, std::allocator<int> >::push_back"
        );
    }

    #[test]
    fn any_other_symbol_is_returned_unchanged() {
        for symbol in ["", "main", "PyObject_Call", "_Z", "_ZN", "_Zé", "_ZN99999999999999999999x"]
        {
            assert_eq!(demangled(symbol), symbol);
        }
        let deep = format!("_Z{}", "P".repeat(100_000));
        assert_eq!(demangled(&deep), deep);
    }
}
