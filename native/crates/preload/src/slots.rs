//! The words by which programs call the functions of libraries that they are linked with.

use platform::loaded::{each_library, replace_slot};
use segment::sync::Lock;

/// A word that we filled.
struct Filled {
    slot: u64,
    stub: u64,
    original: u64,
}

static FILLED: Lock<Vec<Filled>> = Lock::new(Vec::new());

/// Puts the stand-ins that `resolve` gives into all words for functions of UniFFI's. A word that the
/// loader has not filled yet gets its stand-in now.
pub fn fill(resolve: impl Fn(&str, usize) -> usize) {
    let mut wanted = Vec::new();
    each_library(|library| {
        let slots = library.slots().filter(|slot| is_called(slot.name));
        wanted.extend(slots.map(|slot| (slot.name.to_owned(), slot.address)));
    });
    for (name, slot) in wanted {
        let original = definition(&name);
        let stub = resolve(&name, original as usize) as u64;
        // SAFETY: a word of the loader's table of a library that the program is linked with.
        let before = unsafe { *(slot as *const u64) };
        if stub != original && replace_slot(slot, before, stub) {
            FILLED.lock().push(Filled { slot, stub, original });
        }
    }
}

/// Puts the addresses of the libraries' own functions back.
pub fn restore() {
    for filled in std::mem::take(&mut *FILLED.lock()) {
        replace_slot(filled.slot, filled.stub, filled.original);
    }
}

fn is_called(name: &str) -> bool {
    name.starts_with("uniffi_") || name.starts_with("ffi_")
}

/// The address of a function, 0: no library defines it.
fn definition(name: &str) -> u64 {
    let mut found = 0;
    each_library(|library| {
        if found == 0 {
            let symbol = library.symbols().find(|symbol| symbol.name == name);
            found = symbol.map_or(0, |symbol| symbol.address);
        }
    });
    found
}
