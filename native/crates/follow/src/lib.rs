//! Following objects of another language's bindings at the speed of the bindings themselves: rows
//! by proxy, stacks, the heap, and the library's own functions.
//!
//! Everything here is called with the interpreter's lock held and never gives it up, so each `&mut`
//! value in here has one user at a time. No function calls back into the interpreter.
//! `native/python` is the other half.

pub mod classes;
pub mod extension;
pub mod heap;
pub mod instances;
pub mod layout;
pub mod naming;
pub mod places;
pub mod proxies;
pub mod search;
pub mod stacks;
pub mod transit;
pub mod under_way;

pub use heap::Heap;
pub use instances::Instances;
pub use naming::Naming;
pub use proxies::Proxies;
pub use search::Search;
pub use stacks::Stacks;
