//! The compared peers: each way to own an object as three plain functions, called through pointers
//! as a foreign language does.

use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use ffi_support::{ConcurrentHandleMap, Handle};
use objects::object::TypeSpec;
use objects::object::{Life, Object};
use objects::ownership;
use objects::ownership::{call, lower, plain, ArcMap, ForeignMap, MutexMap, ThinMap};
use recorder::runtime::runtime;
use uniffi::RustCallStatus;

/// The object of every strategy: a number that a call reads.
pub struct Thing(AtomicU64);

impl Thing {
    fn new() -> Self {
        Self(AtomicU64::new(7))
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a foreign language calls a method.
#[derive(Clone, Copy)]
pub enum Call {
    /// One function.
    One(extern "C" fn(u64) -> u64),
    /// Two: the first counts up, the second does the work and gives that reference back.
    CloneThenUse(
        extern "C" fn(u64, &mut RustCallStatus) -> u64,
        extern "C" fn(u64, &mut RustCallStatus) -> u64,
    ),
}

/// A way to own objects.
#[derive(Clone, Copy)]
pub struct Peer {
    /// As the table calls it.
    pub name: &'static str,
    /// Makes an object.
    pub create: extern "C" fn() -> u64,
    /// Calls a method of it.
    pub call: Call,
    /// Gives it back.
    pub free: extern "C" fn(u64),
}

/// The call that UniFFI generated until 0.25, ×1 of the table's calls.
pub const BASE: &str = "`Arc`, clone + drop for each call (unchecked; UniFFI until 0.25)";
/// The calls that UniFFI 0.31 generates.
pub const UNIFFI: &str = "UniFFI 0.31: clone call, then the call (unchecked)";
/// Mozilla's handle map.
pub const HANDLE_MAP: &str = "ffi-support `ConcurrentHandleMap`";
/// Our foreign handles.
pub const FOREIGN_NAME: &str = "**`foreign`** (new, value, delete)";

/// All peers.
pub fn peers() -> Vec<Peer> {
    let mut peers = vec![
        Peer {
            name: "`Arc` borrowed (unchecked, the floor)",
            create: arc_create,
            call: Call::One(arc_borrow),
            free: arc_free,
        },
        Peer { name: BASE, create: arc_create, call: Call::One(arc_clone), free: arc_free },
        uniffi_thing::peer(),
        Peer {
            name: "triomphe, clone + drop (unchecked)",
            create: tri_create,
            call: Call::One(tri_clone),
            free: tri_free,
        },
        Peer { name: HANDLE_MAP, create: map_create, call: Call::One(map_call), free: map_free },
    ];
    peers.extend([
        Peer { name: "**`arc`**", create: own_create, call: Call::One(own_call), free: own_free },
        Peer {
            name: "**`arc_map`**",
            create: shared_create,
            call: Call::One(shared_call),
            free: own_free,
        },
        Peer {
            name: "**`mutex_map`**",
            create: serial_create,
            call: Call::One(serial_call),
            free: own_free,
        },
        Peer {
            name: "**`thin`**",
            create: thin_create,
            call: Call::One(thin_call),
            free: own_free,
        },
        Peer {
            name: FOREIGN_NAME,
            create: foreign_create,
            call: Call::One(foreign_call),
            free: foreign_free,
        },
    ]);
    peers
}

/// A thing behind the functions that UniFFI generates.
mod uniffi_thing {
    use uniffi::ffi::Handle;
    use uniffi::RustCallStatus;

    use super::{Arc, Call, Peer, Thing, UNIFFI};

    /// As a library author writes it.
    #[derive(uniffi::Object)]
    pub struct UniffiThing(Thing);

    #[uniffi::export]
    impl UniffiThing {
        /// A thing.
        #[uniffi::constructor]
        pub fn new() -> Arc<Self> {
            Arc::new(Self(Thing::new()))
        }

        /// The call.
        pub fn read(&self) -> u64 {
            self.0.read()
        }
    }

    extern "C" fn create() -> u64 {
        uniffi_arc_inspector_native_fn_constructor_uniffithing_new(&mut RustCallStatus::default())
            .as_raw()
    }

    extern "C" fn count_up(handle: u64, status: &mut RustCallStatus) -> u64 {
        // SAFETY: generated for the type above; the handle is of `create`.
        unsafe {
            uniffi_arc_inspector_native_fn_clone_uniffithing(
                Handle::from_raw_unchecked(handle),
                status,
            )
        }
        .as_raw()
    }

    extern "C" fn read(handle: u64, status: &mut RustCallStatus) -> u64 {
        uniffi_arc_inspector_native_fn_method_uniffithing_read(
            Handle::from_raw_unchecked(handle),
            status,
        )
    }

    extern "C" fn free(handle: u64) {
        let handle = Handle::from_raw_unchecked(handle);
        // SAFETY: generated for the type above; this is the one free.
        unsafe {
            uniffi_arc_inspector_native_fn_free_uniffithing(handle, &mut RustCallStatus::default())
        };
    }

    pub(super) fn peer() -> Peer {
        Peer { name: UNIFFI, create, call: Call::CloneThenUse(count_up, read), free }
    }
}

extern "C" fn arc_create() -> u64 {
    Arc::into_raw(Arc::new(Thing::new())) as u64
}

extern "C" fn arc_borrow(raw: u64) -> u64 {
    // SAFETY: `arc_create` made it, and it is freed after the last call.
    ManuallyDrop::new(unsafe { Arc::from_raw(raw as *const Thing) }).read()
}

extern "C" fn arc_clone(raw: u64) -> u64 {
    // SAFETY: as above.
    let arc = ManuallyDrop::new(unsafe { Arc::from_raw(raw as *const Thing) });
    black_box(Arc::clone(&arc)).read()
}

extern "C" fn arc_free(raw: u64) {
    // SAFETY: as above; this is the one free.
    drop(unsafe { Arc::from_raw(raw as *const Thing) });
}

extern "C" fn tri_create() -> u64 {
    triomphe::Arc::into_raw(triomphe::Arc::new(Thing::new())) as u64
}

extern "C" fn tri_clone(raw: u64) -> u64 {
    // SAFETY: `tri_create` made it, and it is freed after the last call.
    let arc = ManuallyDrop::new(unsafe { triomphe::Arc::from_raw(raw as *const Thing) });
    black_box(triomphe::Arc::clone(&arc)).read()
}

extern "C" fn tri_free(raw: u64) {
    // SAFETY: as above; this is the one free.
    drop(unsafe { triomphe::Arc::from_raw(raw as *const Thing) });
}

static HANDLES: std::sync::LazyLock<ConcurrentHandleMap<Thing>> =
    std::sync::LazyLock::new(ConcurrentHandleMap::new);

fn handle(number: u64) -> Handle {
    Handle::from_u64(number).expect("made by this map")
}

extern "C" fn map_create() -> u64 {
    HANDLES.insert(Thing::new()).into_u64()
}

extern "C" fn map_call(number: u64) -> u64 {
    HANDLES
        .get_u64(number, |thing| Ok::<_, ffi_support::HandleError>(thing.read()))
        .expect("a live handle")
}

extern "C" fn map_free(number: u64) {
    HANDLES.delete(handle(number)).expect("a live handle");
}

static THING: TypeSpec = plain::<Owned>("Thing", "bench");

/// A thing of the default strategy.
struct Owned {
    life: Life,
    thing: Thing,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Owned {
    fn spec() -> &'static TypeSpec {
        &THING
    }

    fn life(&self) -> &Life {
        &self.life
    }
}

extern "C" fn own_create() -> u64 {
    lower(Arc::new(Owned { life: Life::new(&THING), thing: Thing::new() })).expect("a row")
}

extern "C" fn own_call(handle: u64) -> u64 {
    call::<Owned, _>(handle, |owned| owned.thing.read()).expect("a live handle")
}

extern "C" fn own_free(handle: u64) {
    ownership::release(runtime(), handle).expect("a live handle");
}

static SHARED: ArcMap<Thing> = ArcMap::new("SharedThing", "bench");
static SERIAL: MutexMap<Thing> = MutexMap::new("SerialThing", "bench");
static THIN: ThinMap<Thing> = ThinMap::new("ThinThing", "bench");
static FOREIGN: ForeignMap = ForeignMap::new("ForeignThing", "bench");

extern "C" fn shared_create() -> u64 {
    SHARED.insert(Thing::new()).expect("a row")
}

extern "C" fn shared_call(handle: u64) -> u64 {
    SHARED.with(handle, Thing::read).expect("a live handle")
}

extern "C" fn serial_create() -> u64 {
    SERIAL.insert(Thing::new()).expect("a row")
}

extern "C" fn serial_call(handle: u64) -> u64 {
    SERIAL.with(handle, |thing| thing.read()).expect("a live handle")
}

extern "C" fn thin_create() -> u64 {
    THIN.insert(Thing::new()).expect("a row").lower()
}

extern "C" fn thin_call(handle: u64) -> u64 {
    THIN.with(handle, Thing::read).expect("a live handle")
}

extern "C" fn foreign_create() -> u64 {
    FOREIGN.insert(7).expect("a row")
}

extern "C" fn foreign_call(handle: u64) -> u64 {
    FOREIGN.value(handle).expect("a live handle")
}

extern "C" fn foreign_free(handle: u64) {
    FOREIGN.delete(handle).expect("a live handle");
}
