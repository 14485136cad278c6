//! The proxies of the program, and a row for each.

use std::ffi::c_void;
use std::time::{Duration, Instant};

use jvmti_bindings::env::JniEnv;
use jvmti_bindings::sys::jni::{jint, jlong, jobject};
use jvmti_bindings::sys::jvmti::{
    jvmtiHeapCallbacks, JVMTI_HEAP_FILTER_CLASS_UNTAGGED, JVMTI_HEAP_FILTER_TAGGED,
    JVMTI_VISIT_ABORT,
};
use recorder::rows::{self, Fate, NewRow};
use recorder::runtime::Runtime;
use segment::layout::{ReferenceState, ResourceState};

use crate::bindings::{Binding, Bindings};
use crate::callers::Callers;
use crate::calls::Calls;
use crate::cleaner::Entry;
use crate::machine::{Machine, Weak, FRAME_REFERENCES};
use crate::reading::{allocation_of, is_made, said_by, value_of, Said};

/// Proxies that one walk through the heap takes in; the next walk takes in more.
const MOST_NEW: usize = 1 << 17;

/// How far the end of a proxy has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Destroyed, while calls are in flight.
    Draining,
    /// Collected, and its cleaner has not run.
    Uncleaned,
}

/// An object of the program that holds a Rust object.
pub struct Proxy {
    /// Its row.
    pub row: u64,
    object: Weak,
    binding: usize,
    entry: Option<Entry>,
    phase: Phase,
    address: u64,
    calls: Calls,
}

/// The walks through the heap so far, during which the program stands still.
#[derive(Clone, Copy, Default)]
pub struct Walks {
    /// How many.
    pub made: u64,
    /// The newest.
    pub last: Duration,
    /// The longest.
    pub longest: Duration,
}

/// All proxies.
pub struct Proxies {
    all: Vec<Proxy>,
    next_tag: i64,
    is_first_look: bool,
    /// The walks so far.
    pub walks: Walks,
}

/// The proxies that a walk meets for the first time.
struct Met {
    next_tag: i64,
    tags: Vec<i64>,
    classes: Vec<i64>,
}

unsafe extern "system" fn meet(
    class_tag: jlong,
    _size: jlong,
    tag: *mut jlong,
    _length: jint,
    met: *mut c_void,
) -> jint {
    // SAFETY: `walk` passes it, and nothing else uses it meanwhile.
    let met = unsafe { &mut *met.cast::<Met>() };
    // room was made before: the allocator's locks may be held by threads that stand still
    if met.tags.len() == met.tags.capacity() {
        return JVMTI_VISIT_ABORT;
    }
    // SAFETY: the place of the object's tag.
    unsafe { *tag = met.next_tag };
    met.tags.push(met.next_tag);
    met.classes.push(class_tag);
    met.next_tag += 1;
    0
}

impl Proxies {
    /// None yet.
    pub fn new() -> Self {
        Self { all: Vec::new(), next_tag: 1, is_first_look: true, walks: Walks::default() }
    }

    /// Walks through the heap for proxies that were not met before. Returns the number of rows made.
    pub fn find(
        &mut self,
        machine: &Machine,
        env: &JniEnv,
        runtime: &Runtime,
        bindings: &Bindings,
    ) -> usize {
        if bindings.found.is_empty() {
            return 0;
        }
        let met = self.walk(machine);
        let places: Vec<Option<usize>> =
            met.classes.iter().map(|&tag| bindings.of_tag(tag)).collect();
        let first = met.tags.first().copied().unwrap_or_default();
        let mut made = 0;
        for tags in met.tags.chunks(FRAME_REFERENCES as usize / 4) {
            let Ok(_frame) = env.push_local_frame(FRAME_REFERENCES) else { break };
            let Ok((objects, tags)) = machine.tools().get_objects_with_tags(tags) else { break };
            for (object, tag) in objects.into_iter().zip(tags) {
                let place = usize::try_from(tag - first).ok().and_then(|at| places[at]);
                let Some(place) = place else { continue };
                let binding = &bindings.found[place];
                // SAFETY: an instance of that class, a reference of this thread, as below.
                if unsafe { is_made(env, binding, object) } {
                    // SAFETY: as above.
                    made += usize::from(unsafe { self.add(env, runtime, place, binding, object) });
                } else {
                    // its constructor runs: the next walk meets it again
                    // SAFETY: as above. An object that keeps its tag is not met again.
                    let _ = unsafe { machine.tools().set_tag(object, 0) };
                }
            }
        }
        made
    }

    fn walk(&mut self, machine: &Machine) -> Met {
        let mut met = Met {
            next_tag: self.next_tag,
            tags: Vec::with_capacity(MOST_NEW),
            classes: Vec::with_capacity(MOST_NEW),
        };
        let callbacks =
            jvmtiHeapCallbacks { heap_iteration_callback: Some(meet), ..Default::default() };
        let filter = JVMTI_HEAP_FILTER_TAGGED | JVMTI_HEAP_FILTER_CLASS_UNTAGGED;
        let began = Instant::now();
        // SAFETY: `met` outlives the call. A walk that is refused has met nobody.
        let _ = unsafe {
            let to = std::ptr::addr_of_mut!(met).cast::<c_void>();
            machine.tools().iterate_through_heap(filter, std::ptr::null_mut(), &callbacks, to)
        };
        let took = began.elapsed();
        self.walks.made += 1;
        self.walks.last = took;
        self.walks.longest = self.walks.longest.max(took);
        self.next_tag = met.next_tag;
        met
    }

    /// # Safety
    /// `object` is an instance of the binding, a reference of this thread.
    unsafe fn add(
        &mut self,
        env: &JniEnv,
        runtime: &Runtime,
        place: usize,
        binding: &Binding,
        object: jobject,
    ) -> bool {
        // SAFETY: the caller's promise, as below.
        let Some(data) = (unsafe { value_of(env, binding, object) }) else { return false };
        // SAFETY: as above.
        let said = unsafe { said_by(env, binding, object) };
        if said.is_destroyed && said.calls <= 0 {
            return false; // it ended before anybody looked
        }
        let address = if binding.is_trait { 0 } else { allocation_of(data) };
        let row = NewRow {
            type_id: binding.type_id,
            address,
            data,
            owner: 0,
            is_foreign: false,
            is_born_now: false,
        };
        let Ok(row) = rows::add(runtime, &row) else { return false };
        // SAFETY: as above.
        let entry = binding.cleanable.and_then(|field| unsafe {
            let cleanable = env.get_object_field(object, field);
            if cleanable.is_null() {
                None
            } else {
                Entry::of(env, cleanable)
            }
        });
        // SAFETY: as above.
        let object = unsafe { Weak::new(env, object) };
        self.all.push(Proxy {
            row,
            object,
            binding: place,
            entry,
            phase: Phase::Open,
            address,
            calls: Calls::default(),
        });
        true
    }

    /// Reads what all proxies say of themselves, and brings their rows up to date.
    pub fn refresh(
        &mut self,
        machine: &Machine,
        env: &JniEnv,
        runtime: &Runtime,
        bindings: &Bindings,
    ) {
        let mut callers = Callers::new(machine, env, runtime);
        let mut kept = Vec::with_capacity(self.all.len());
        let mut calling = Vec::new();
        let is_late = !std::mem::replace(&mut self.is_first_look, false);
        for mut proxy in std::mem::take(&mut self.all) {
            let binding = &bindings.found[proxy.binding];
            let (was, (is, calls)) = (proxy.phase, proxy.now(env, binding));
            let Some(is) = is else {
                proxy.end(env, runtime, was);
                continue;
            };
            if is != was {
                proxy.enter(runtime, is, &callers, is_late);
            }
            if proxy.calls.say(runtime, calls) {
                calling.push(kept.len());
            }
            kept.push(proxy);
        }
        self.all = kept;
        self.show_calls(&mut callers, runtime, bindings, &calling);
    }

    /// Rows for the calls of some proxies. The stacks tell the class of a call and not its object,
    /// so threads are named where one object of the class alone is called.
    fn show_calls(
        &mut self,
        callers: &mut Callers<'_>,
        runtime: &Runtime,
        bindings: &Bindings,
        calling: &[usize],
    ) {
        for &place in calling {
            let of_class = self.all[place].binding;
            let is_called = |proxy: &&Proxy| proxy.binding == of_class && proxy.calls.are_any();
            let is_alone = self.all.iter().filter(is_called).count() == 1;
            let binding = &bindings.found[of_class];
            let found = if is_alone { callers.calls_of(binding) } else { Vec::new() };
            let proxy = &mut self.all[place];
            proxy.calls.show(runtime, binding, proxy.address, &found);
        }
    }

    /// The proxy of a row.
    pub fn of_row(&self, row: u64) -> Option<&Proxy> {
        self.all.iter().find(|proxy| proxy.row == row)
    }

    /// How many wait for their cleaner.
    pub fn uncleaned(&self) -> usize {
        self.all.iter().filter(|proxy| proxy.phase == Phase::Uncleaned).count()
    }

    /// Forgets all of them and their rows, without a word on the objects.
    pub fn forget(self, env: &JniEnv, runtime: &Runtime, bindings: &Bindings) {
        for mut proxy in self.all {
            proxy.calls.end(runtime);
            proxy.let_go(env);
        }
        for binding in &bindings.found {
            // a type that is not known has no rows
            let _ = rows::clear(runtime, binding.type_id);
        }
    }
}

impl Proxy {
    /// A reference of this thread to it; `None`: it was collected.
    pub fn object(&self, env: &JniEnv) -> Option<jobject> {
        self.object.get(env)
    }

    /// The place of its class among the bindings.
    pub fn binding(&self) -> usize {
        self.binding
    }

    /// Its phase, and its calls in flight. `None`: its reference was given back.
    fn now(&self, env: &JniEnv, binding: &Binding) -> (Option<Phase>, i64) {
        let Some(object) = self.object.get(env) else {
            let is_cleaned = self.entry.as_ref().is_none_or(|entry| entry.is_done(env));
            return ((!is_cleaned).then_some(Phase::Uncleaned), 0);
        };
        // SAFETY: an instance of the binding, a reference of this thread.
        let said = unsafe { said_by(env, binding, object) };
        // SAFETY: used no more.
        unsafe { env.delete_local_ref(object) };
        let phase = match said {
            Said { is_destroyed: true, calls } if calls > 0 => Some(Phase::Draining),
            Said { is_destroyed: true, .. } => None,
            Said { .. } => Some(Phase::Open),
        };
        (phase, said.calls)
    }

    fn enter(&mut self, runtime: &Runtime, phase: Phase, callers: &Callers<'_>, is_late: bool) {
        let (state, site) = match phase {
            Phase::Draining => (ResourceState::Draining, 0),
            _ => (ResourceState::CloseRequested, callers.site_of_cleaner()),
        };
        // a row that another hand has ended needs no state
        let _ = rows::close_waits(runtime, self.row, state, site, is_late);
        self.phase = phase;
    }

    fn end(mut self, env: &JniEnv, runtime: &Runtime, was: Phase) {
        self.calls.end(runtime);
        let is_closed = was == Phase::Draining || !self.object.is_gone(env);
        let fate = if is_closed { Fate::Closed } else { Fate::AsItStands };
        if !is_closed {
            // a row that another hand has ended needs no state
            let _ = rows::share_resource(runtime, self.row, ResourceState::NeverClosed);
        }
        let _ = rows::end_with(runtime, self.row, ReferenceState::Released, fate);
        self.let_go(env);
    }

    fn let_go(self, env: &JniEnv) {
        self.object.forget(env);
        if let Some(entry) = self.entry {
            entry.forget(env);
        }
    }
}
