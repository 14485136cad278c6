//! The classes of objects of a library: their types for viewers, and the place of their counts.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};

use follow::layout::Layout;
use objects::edges::word_at;
use recorder::runtime::Runtime;
use recorder::types::{self, Described};
use segment::layout::Kind;

use crate::types::{Implementation, Name};

/// Bytes from the start of an `Arc` to data that is aligned to no more than 16 bytes.
const SMALL: u64 = 16;
/// Bytes to the data, for alignments up to a page.
const OFFSETS: [u64; 9] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
const TRIES: usize = 8;
/// Tries that must agree: another thread that uses the object can spoil a try.
const CONFIRMATIONS: usize = 2;
/// Objects of a class by which the place of the counts is looked for.
const MOST_CALIBRATIONS: u64 = 64;
/// Larger numbers are no counts.
const MOST_COUNT: u64 = i32::MAX as u64;
/// The newest contract whose traits are known to lie in an `Arc` of their own.
const NEWEST_KNOWN: u32 = 30;
/// The first contract whose traits do.
const FIRST_WITH_OUTER: u32 = 30;
/// Codes of layouts in `Class::layout`.
const UNKNOWN: u64 = 0;
const HIDDEN: u64 = 1;
const IN_BOX: u64 = 2;
const IN_ARC: u64 = 3;

/// `RustCallStatus` of any generation: a code and a buffer.
type Status = [u64; 4];
type CloneOf = unsafe extern "C" fn(u64, *mut Status) -> u64;
type FreeOf = unsafe extern "C" fn(u64, *mut Status);

/// The functions of a class that every host calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Functions {
    /// Address of the function that clones a handle; 0: contracts before 25 have none.
    pub clone: usize,
    /// Address of the function that releases a handle; 0: none is known.
    pub free: usize,
}

/// A class of objects.
#[derive(Debug)]
pub struct Class {
    name: Name,
    implementation: Implementation,
    contract: u32,
    functions: Functions,
    type_id: AtomicU16,
    layout: AtomicU64,
    calibrations: AtomicU64,
    /// Rows were made before the layout was known.
    has_unplaced: AtomicBool,
}

impl Class {
    /// A class, of which viewers know nothing yet.
    pub fn new(
        name: Name,
        implementation: Implementation,
        contract: u32,
        functions: Functions,
    ) -> Self {
        let layout = match implementation {
            Implementation::Struct => UNKNOWN,
            // the traits of a later contract may be kept in another way
            _ if contract > NEWEST_KNOWN => HIDDEN,
            _ if contract >= FIRST_WITH_OUTER => IN_ARC,
            _ => IN_BOX,
        };
        Self {
            name,
            implementation,
            contract,
            functions,
            type_id: AtomicU16::new(0),
            layout: AtomicU64::new(layout),
            calibrations: AtomicU64::new(0),
            has_unplaced: AtomicBool::new(false),
        }
    }

    /// Its type's index, once a row was made.
    pub fn known_type(&self) -> Option<u16> {
        // Acquire pairs with the Release in `type_id`: the type's slot is written
        Some(self.type_id.load(Ordering::Acquire)).filter(|&id| id != 0)
    }

    /// Its type's index; `None`: the table of types is full.
    pub fn type_id(&self, runtime: &Runtime) -> Option<u16> {
        self.known_type().or_else(|| {
            let kind = match self.layout() {
                Layout::Inner { .. } => Kind::UniffiTrait,
                _ => Kind::Uniffi,
            };
            let made = types::describe(runtime, &self.described(kind)).ok()?;
            self.type_id.store(made, Ordering::Release);
            Some(made)
        })
    }

    fn described(&self, kind: Kind) -> Described<'_> {
        let outer = matches!(self.layout(), Layout::Inner { counted: true });
        Described {
            name: &self.name.name,
            origin: &self.name.namespace,
            close_signature: "",
            kind: kind as u8,
            closes: false,
            is_thread_affine: false,
            size_bytes: 0,
            data_offset: if outer { SMALL } else { 0 },
        }
    }

    /// Whether a handle names an object of Rust: the host's own objects have odd handles, or small
    /// numbers.
    pub fn is_of_rust(&self, handle: u64) -> bool {
        handle != 0
            && handle % 8 == 0
            && (self.implementation != Implementation::SharedTrait
                || self.contract >= FIRST_WITH_OUTER
                || handle > u64::from(u32::MAX))
    }

    /// The place of its objects.
    pub fn layout(&self) -> Layout {
        // Relaxed: a layout that is known stays as it is
        match self.layout.load(Ordering::Relaxed) {
            UNKNOWN => Layout::Unknown,
            HIDDEN => Layout::Hidden,
            IN_BOX => Layout::Inner { counted: false },
            IN_ARC => Layout::Inner { counted: true },
            bytes => Layout::Before(bytes),
        }
    }

    /// The place of its objects, looked for by this live handle if it is not known. True: rows that
    /// were made before have to be placed.
    pub fn calibrate(&self, handle: u64) -> bool {
        if self.layout() != Layout::Unknown {
            return false;
        }
        let found = if self.functions.clone == 0 || self.functions.free == 0 {
            likely_offset(handle)
        } else {
            self.proved_offset(handle)
        };
        if let Some(bytes) = found {
            self.layout.store(bytes, Ordering::Relaxed);
            return self.has_unplaced.swap(false, Ordering::Relaxed);
        }
        if self.calibrations.fetch_add(1, Ordering::Relaxed) + 1 == MOST_CALIBRATIONS {
            self.layout.store(HIDDEN, Ordering::Relaxed);
        }
        self.has_unplaced.store(true, Ordering::Relaxed);
        false
    }

    /// The only word that goes up with the library's own clone and down with its release.
    fn proved_offset(&self, handle: u64) -> Option<u64> {
        let mut agreed = Vec::new();
        for _ in 0..TRIES {
            agreed.extend(self.followed(handle));
            if agreed.len() == CONFIRMATIONS {
                return (agreed[0] == agreed[1]).then_some(agreed[0]);
            }
        }
        None
    }

    fn followed(&self, handle: u64) -> Option<u64> {
        // SAFETY: exported functions of the library with these signatures, which do not change in
        // the contracts that have them.
        let (clone, free) = unsafe {
            (
                std::mem::transmute::<usize, CloneOf>(self.functions.clone),
                std::mem::transmute::<usize, FreeOf>(self.functions.free),
            )
        };
        let mut status = Status::default();
        let before = words(handle);
        // SAFETY: the handle is live: the function that made it has returned just now, or its owner
        // clones it now.
        let cloned = unsafe { clone(handle, &raw mut status) };
        let during = words(handle);
        // SAFETY: the reference that was cloned just now.
        unsafe { free(cloned, &raw mut status) };
        let after = words(handle);
        let mut followed = (0..OFFSETS.len()).filter(|&at| {
            before[at].is_some_and(|first| {
                first > 0 && during[at] == Some(first.wrapping_add(1)) && after[at] == Some(first)
            })
        });
        let found = followed.next()?;
        followed.next().is_none().then_some(OFFSETS[found])
    }
}

fn words(handle: u64) -> [Option<u64>; 9] {
    OFFSETS.map(|offset| word_at(handle.wrapping_sub(offset)))
}

/// The place by the look of the two counts, where no clone can prove it. Data at a multiple of 32
/// may be aligned to more.
fn likely_offset(handle: u64) -> Option<u64> {
    let is_count = |at| word_at(at).is_some_and(|count| (1..=MOST_COUNT).contains(&count));
    (is_count(handle.wrapping_sub(SMALL)) && is_count(handle.wrapping_sub(SMALL / 2)))
        .then_some(SMALL)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::types::samples::name;

    unsafe extern "C" fn clone_small(handle: u64, _: *mut Status) -> u64 {
        // SAFETY: the tests pass handles of this type.
        unsafe { Arc::increment_strong_count(handle as *const u64) };
        handle
    }

    unsafe extern "C" fn free_small(handle: u64, _: *mut Status) {
        // SAFETY: as above.
        unsafe { Arc::decrement_strong_count(handle as *const u64) };
    }

    #[repr(align(128))]
    struct Wide(#[allow(dead_code)] u64);

    unsafe extern "C" fn clone_wide(handle: u64, _: *mut Status) -> u64 {
        // SAFETY: the tests pass handles of this type.
        unsafe { Arc::increment_strong_count(handle as *const Wide) };
        handle
    }

    unsafe extern "C" fn free_wide(handle: u64, _: *mut Status) {
        // SAFETY: as above.
        unsafe { Arc::decrement_strong_count(handle as *const Wide) };
    }

    fn class(functions: Functions, implementation: Implementation, contract: u32) -> Class {
        Class::new(name("Node"), implementation, contract, functions)
    }

    #[test]
    fn the_counts_are_found_by_the_librarys_own_clone_also_of_wide_data() {
        let small = Functions {
            clone: clone_small as *const () as usize,
            free: free_small as *const () as usize,
        };
        let wide = Functions {
            clone: clone_wide as *const () as usize,
            free: free_wide as *const () as usize,
        };
        let (one, other) = (Arc::new(7_u64), Arc::new(Wide(7)));
        let of_small = class(small, Implementation::Struct, 30);
        of_small.calibrate(Arc::as_ptr(&one) as u64);
        assert_eq!(of_small.layout(), Layout::Before(16));
        let of_wide = class(wide, Implementation::Struct, 30);
        of_wide.calibrate(Arc::as_ptr(&other) as u64);
        assert_eq!(of_wide.layout(), Layout::Before(128));
        assert_eq!((Arc::strong_count(&one), Arc::strong_count(&other)), (1, 1));
    }

    #[test]
    fn without_a_clone_two_small_counts_decide() {
        let one = Arc::new(7_u64);
        let of = class(Functions::default(), Implementation::Struct, 22);
        of.calibrate(Arc::as_ptr(&one) as u64);
        assert_eq!(of.layout(), Layout::Before(16));
    }

    #[test]
    fn the_contract_says_where_traits_lie_and_a_later_contract_says_nothing() {
        let layout =
            |contract| class(Functions::default(), Implementation::Trait, contract).layout();
        assert_eq!(layout(29), Layout::Inner { counted: false });
        assert_eq!(layout(30), Layout::Inner { counted: true });
        assert_eq!(layout(31), Layout::Hidden);
    }

    #[test]
    fn handles_of_the_hosts_own_objects_are_told_apart() {
        let shared = |contract| class(Functions::default(), Implementation::SharedTrait, contract);
        assert!(!shared(30).is_of_rust(3) && shared(30).is_of_rust(0x7f00_0000_0010));
        assert!(!shared(29).is_of_rust(8) && shared(29).is_of_rust(0x7f00_0000_0010));
        assert!(!shared(30).is_of_rust(0));
    }
}
