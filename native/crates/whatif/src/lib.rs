//! The what-if drop: which counts would fall if an object were dropped now?
//!
//! The destructor of the object's class runs in an emulated processor over a *copy* of the memory
//! that it reads. Nothing changes in the process. Functions that allocate, free or lock are
//! replaced by effects on the copy; anything that cannot be followed stops the run with its reason.
//! Steps and memory of a run are bounded, and any bytes may be read as code.
//!
//! A crate of its own because it is compiled for size: targets run nothing of it.

mod calls;
mod cpu;
mod execute;
mod machine;
mod memory;
mod numbers;
mod rehearsal;
mod stop;
#[cfg(test)]
mod tests;
mod vector;

pub use calls::FUNCTIONS;
pub use memory::{Page, Process, Source, PAGE};
pub use rehearsal::{Effect, EffectKind, Outcome, Rehearsal, MOST_INSTRUCTIONS};
pub use stop::Stop;
