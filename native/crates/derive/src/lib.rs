//! The derive macro of `arc-inspector`; use it through that crate.

use proc_macro::TokenStream;
use quote::quote;
use syn::{parse_macro_input, Attribute, DeriveInput, LitStr};

/// Implements `Traceable`: the name of the type and the module that declares it.
///
/// `#[traceable(name = "Session")]` gives another name.
#[proc_macro_derive(Traceable, attributes(traceable))]
pub fn derive_traceable(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let name = match name_of(&input) {
        Ok(name) => name,
        Err(error) => return error.into_compile_error().into(),
    };
    let ident = &input.ident;
    let (generics, arguments, conditions) = input.generics.split_for_impl();
    let size = if input.generics.type_params().next().is_none()
        && input.generics.const_params().next().is_none()
    {
        quote!(::core::mem::size_of::<Self>() as u64)
    } else {
        quote!(0)
    };
    quote! {
        impl #generics ::arc_inspector::Traceable for #ident #arguments #conditions {
            const NAME: &'static str = #name;
            const ORIGIN: &'static str = ::core::module_path!();
            const SIZE_BYTES: u64 = #size;

            fn index() -> &'static ::core::sync::atomic::AtomicU16 {
                static INDEX: ::core::sync::atomic::AtomicU16 =
                    ::core::sync::atomic::AtomicU16::new(0);
                &INDEX
            }
        }
    }
    .into()
}

/// The name that the attribute gives, else that of the type.
fn name_of(input: &DeriveInput) -> syn::Result<String> {
    let mut name = input.ident.to_string();
    let is_ours = |attribute: &&Attribute| attribute.path().is_ident("traceable");
    for attribute in input.attrs.iter().filter(is_ours) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("the one argument of `traceable` is `name`"));
            }
            name = meta.value()?.parse::<LitStr>()?.value();
            Ok(())
        })?;
    }
    Ok(name)
}
