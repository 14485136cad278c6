//! The libraries of UniFFI that are loaded: their functions, classes and types, and the stub that
//! stands for each function.

use std::collections::HashMap;
use std::slice;

use platform::loaded::{each_library, Library, Symbol};
use segment::sync::Lock;

use crate::acts::{self, Act, Call, Outcome};
use crate::classes::{Class, Functions};
use crate::metadata::{self, Function, Item};
use crate::signature::{has_place, passing, stack_bytes, Passing, UNDESCRIBED_BYTES};
use crate::stubs::{set_ours, stub_for, Route};
use crate::types::{Implementation, Name, Type, Types};

/// The first contract whose buffers are returned in a place of the caller's.
const FIRST_WITH_PLACES: u32 = 25;
/// The symbol that tells the contract ends so.
const CONTRACT: &str = "_uniffi_contract_version";
const COMPLETE: &str = "_rust_future_complete_";
const END_FUTURE: &str = "_rust_future_free_";
/// Larger descriptions are none of the macros.
const MOST_META_BYTES: u64 = 1 << 16;

/// A library, described. It is kept when its library is unloaded: a call may be under way.
pub struct Described {
    path: String,
    range: (u64, u64),
    contract: u32,
    types: Types,
    functions: HashMap<String, Function>,
    symbols: HashMap<String, usize>,
    classes: Lock<HashMap<Name, &'static Class>>,
    stubs: Lock<HashMap<String, usize>>,
    unread: usize,
}

/// Facts on a library that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its file.
    pub path: String,
    /// Contract of UniFFI, 0: it names none.
    pub contract: u32,
    /// Classes of objects that it describes.
    pub classes: usize,
    /// Functions that it describes.
    pub functions: usize,
    /// Descriptions of a form that is not known.
    pub unread: usize,
}

static LIBRARIES: Lock<Vec<&'static Described>> = Lock::new(Vec::new());

/// The stub for the function of this name at this address; `None`: it is not followed.
pub fn stand_in(name: &str, address: usize) -> Option<usize> {
    let library = library_at(address)?;
    if library.symbols.get(name) != Some(&address) {
        return None;
    }
    if let Some(&stub) = library.stubs.lock().get(name) {
        return Some(stub);
    }
    let (act, route, bytes) = library.act_of(name)?;
    set_ours(acts::before, acts::around);
    let mut stubs = library.stubs.lock();
    if let Some(&stub) = stubs.get(name) {
        return Some(stub);
    }
    let act: *const Act = Box::leak(Box::new(act));
    let stub = stub_for(address, route, bytes, act.cast())?;
    stubs.insert(name.to_owned(), stub);
    Some(stub)
}

/// The libraries that are followed.
pub fn summaries() -> Vec<Summary> {
    LIBRARIES.lock().iter().map(|library| library.summary()).collect()
}

/// Holds the list across a fork.
pub fn hold() {
    LIBRARIES.hold();
}

/// Releases it.
///
/// # Safety
/// After `hold`, by the same thread or its copy in the child.
pub unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { LIBRARIES.let_go() };
}

fn library_at(address: usize) -> Option<&'static Described> {
    let address = address as u64;
    let is_it = |library: &&&Described| (library.range.0..library.range.1).contains(&address);
    let mut found = None;
    each_library(|library| {
        if found.is_none() && (library.range.0..library.range.1).contains(&address) {
            found = Some((library.range, library.path.to_string_lossy().into_owned()));
        }
    });
    let (range, path) = found?;
    let mut known = LIBRARIES.lock();
    if let Some(library) = known.iter().find(is_it) {
        if library.range == range && library.path == path {
            return Some(library);
        }
    }
    // another library may lie where a library was unloaded
    known.retain(|library| library.range.1 <= range.0 || range.1 <= library.range.0);
    let library: &'static Described = Box::leak(Box::new(describe(range, path)));
    known.push(library);
    Some(library)
}

fn describe(range: (u64, u64), path: String) -> Described {
    let mut described = Described {
        path,
        range,
        contract: 0,
        types: Types::default(),
        functions: HashMap::new(),
        symbols: HashMap::new(),
        classes: Lock::new(HashMap::new()),
        stubs: Lock::new(HashMap::new()),
        unread: 0,
    };
    each_library(|library| {
        if library.range == range {
            read(library, &mut described);
        }
    });
    described
}

fn read(library: &Library<'_>, into: &mut Described) {
    for symbol in library.symbols() {
        if symbol.name.starts_with(metadata::PREFIX) {
            // SAFETY: the loader's symbol of a library that stays loaded meanwhile.
            unsafe { read_description(&symbol, into) };
        } else if symbol.name.starts_with("uniffi_") || symbol.name.starts_with("ffi_") {
            into.symbols.insert(symbol.name.to_owned(), symbol.address as usize);
            if symbol.name.ends_with(CONTRACT) {
                // SAFETY: every generation's function of this name takes nothing and returns a
                // constant.
                let contract: extern "C" fn() -> u32 =
                    unsafe { std::mem::transmute(symbol.address as usize) };
                into.contract = into.contract.max(contract());
            }
        }
    }
}

/// # Safety
/// A symbol of a loaded library.
unsafe fn read_description(symbol: &Symbol<'_>, into: &mut Described) {
    if symbol.size > MOST_META_BYTES {
        return;
    }
    // SAFETY: the static has so many bytes.
    let bytes = unsafe { slice::from_raw_parts(symbol.address as *const u8, symbol.size as usize) };
    match metadata::read(bytes) {
        Some(Item::Function(function)) => {
            into.functions.insert(function.symbol.clone(), function);
        }
        Some(Item::Object(name, implementation)) => {
            into.types.objects.insert(name, implementation);
        }
        Some(Item::Record(name, fields)) => {
            into.types.records.insert(name, fields);
        }
        Some(Item::Enum(name, variants)) => {
            into.types.enums.insert(name, variants);
        }
        Some(Item::Other) => {}
        None => into.unread += 1,
    }
}

/// The parts of the name of a function of UniFFI's.
struct Parts<'a> {
    namespace: &'a str,
    kind: &'a str,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(symbol: &'a str) -> Option<Self> {
        let (namespace, rest) = symbol.strip_prefix("uniffi_")?.split_once("_fn_")?;
        let (kind, rest) = rest.split_once('_')?;
        Some(Self { namespace, kind, rest })
    }
}

impl Described {
    /// The types of its values.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Facts for people.
    fn summary(&self) -> Summary {
        Summary {
            path: self.path.clone(),
            contract: self.contract,
            classes: self.types.objects.len(),
            functions: self.functions.len(),
            unread: self.unread,
        }
    }

    /// A class.
    pub fn class(&'static self, name: &Name, implementation: Implementation) -> &'static Class {
        let mut classes = self.classes.lock();
        if let Some(class) = classes.get(name) {
            return class;
        }
        let object = name.name.to_ascii_lowercase();
        let of = |kind: &str| {
            let symbol = format!("uniffi_{}_fn_{kind}_{object}", name.namespace);
            self.symbols.get(&symbol).copied().unwrap_or(0)
        };
        let functions = Functions { clone: of("clone"), free: of("free") };
        let made = Class::new(name.clone(), implementation, self.contract, functions);
        let made: &'static Class = Box::leak(Box::new(made));
        classes.insert(name.clone(), made);
        made
    }

    /// The class whose name is written small in symbols.
    fn class_named(&'static self, namespace: &str, small: &str) -> &'static Class {
        let described =
            self.types.objects.iter().find(|(name, _)| {
                name.namespace == namespace && name.name.eq_ignore_ascii_case(small)
            });
        match described {
            Some((name, &implementation)) => self.class(name, implementation),
            None => {
                let name = Name { namespace: namespace.to_owned(), name: small.to_owned() };
                self.class(&name, Implementation::Struct)
            }
        }
    }

    /// The work in the calls of a function, the route, and the bytes of arguments on the stack.
    fn act_of(&'static self, symbol: &str) -> Option<(Act, Route, usize)> {
        if symbol.starts_with("ffi_") {
            return self.act_of_future(symbol);
        }
        let parts = Parts::of(symbol)?;
        match parts.kind {
            "clone" => {
                let class = self.class_named(parts.namespace, parts.rest);
                Some((Act::Clone(class), Route::Before, 0))
            }
            "free" => {
                let class = self.class_named(parts.namespace, parts.rest);
                Some((Act::Free(class), Route::Before, 0))
            }
            "constructor" | "method" | "func" => match self.functions.get(symbol) {
                Some(function) => self.act_of_described(function),
                None => self.act_of_undescribed(&parts),
            },
            _ => None,
        }
    }

    fn act_of_future(&self, symbol: &str) -> Option<(Act, Route, usize)> {
        if symbol.contains(END_FUTURE) {
            return Some((Act::EndFuture, Route::Before, 0));
        }
        let (_, kind) = symbol.split_once(COMPLETE)?;
        match kind {
            "u64" | "pointer" => Some((Act::Complete { has_place: false }, Route::Around, 0)),
            "rust_buffer" if self.contract >= FIRST_WITH_PLACES => {
                Some((Act::Complete { has_place: true }, Route::Around, 0))
            }
            _ => None,
        }
    }

    fn act_of_described(&'static self, function: &Function) -> Option<(Act, Route, usize)> {
        let outcome = function.returns.as_ref().and_then(|of| self.outcome(of));
        let bytes = if self.contract >= FIRST_WITH_PLACES {
            stack_bytes(function)
        } else {
            UNDESCRIBED_BYTES
        };
        let outcome = outcome.map(|outcome| &*Box::leak(Box::new(outcome)));
        if function.is_async {
            return Some((Act::Begin(self.call(function, outcome)), Route::Around, bytes));
        }
        debug_assert!(!has_place(function) || self.contract == 0 || bytes % 16 == 0);
        outcome.map(|outcome| (Act::Give(outcome), Route::Around, bytes))
    }

    /// The outcome of a type that handles can be in.
    fn outcome(&'static self, of: &Type) -> Option<Outcome> {
        if let Type::Object(name, implementation) = of {
            return Some(Outcome::Handle(self.class(name, *implementation)));
        }
        let is_place = passing(of) == Passing::Buffer && self.contract >= FIRST_WITH_PLACES;
        (is_place && self.types.has_objects(of) == Some(true))
            .then(|| Outcome::Values(self, of.clone()))
    }

    fn call(&'static self, function: &Function, outcome: Option<&'static Outcome>) -> Call {
        let receiver = function.receiver.as_ref().map(|name| {
            let known = self.types.objects.get(name).copied();
            self.class(name, known.unwrap_or(Implementation::Struct))
        });
        let parts = Parts::of(&function.symbol);
        let rest = parts.as_ref().map_or("", |parts| parts.rest);
        let small = function.receiver.as_ref().map(|name| name.name.to_ascii_lowercase());
        let name = match (&function.receiver, &small) {
            (Some(name), Some(small)) => {
                let method = rest.strip_prefix(small.as_str()).unwrap_or(rest);
                format!("{}.{}", name.name, method.trim_start_matches('_'))
            }
            _ => rest.to_owned(),
        };
        let origin = parts.map_or("", |parts| parts.namespace).to_owned();
        Call { name, origin, receiver, outcome }
    }

    /// A constructor of a library that describes nothing: the longest name of a class that its name
    /// begins with.
    fn act_of_undescribed(&'static self, parts: &Parts<'_>) -> Option<(Act, Route, usize)> {
        if parts.kind != "constructor" {
            return None;
        }
        let free = format!("uniffi_{}_fn_free_", parts.namespace);
        let is_of = |class: &&str| {
            let after = parts.rest.strip_prefix(*class);
            after.is_some_and(|after| after.starts_with('_'))
        };
        let classes = self.symbols.keys().filter_map(|symbol| symbol.strip_prefix(&free));
        let class = classes.filter(is_of).max_by_key(|class| class.len())?;
        let class = self.class_named(parts.namespace, class);
        let outcome = Box::leak(Box::new(Outcome::Handle(class)));
        Some((Act::Give(outcome), Route::Around, UNDESCRIBED_BYTES))
    }
}

impl std::fmt::Debug for Described {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.summary().fmt(formatter)
    }
}
