//! The virtual machine: its interfaces, and a thread of ours that it knows.

use std::ffi::{c_void, CString};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

use jvmti_bindings::env::{JniEnv, Jvmti};
use jvmti_bindings::sys::jni::{
    jclass, jobject, jthread, JNIEnv, JavaVM, JavaVMAttachArgs, JNI_OK, JNI_VERSION_1_6,
};
use jvmti_bindings::sys::jvmti::{
    jvmtiCapabilities, jvmtiEnv, jvmtiEventCallbacks, JVMTI_EVENT_CLASS_PREPARE,
    JVMTI_EVENT_VM_DEATH, JVMTI_VERSION_9,
};
use segment::status::{Error, Result, Status};

/// Local references that one frame may hold.
pub const FRAME_REFERENCES: i32 = 4096;

/// The tool interface of the virtual machine, with the capabilities that the agent needs: tags,
/// and the lines of stacks. None of them slows the program.
pub struct Machine(Jvmti);

// SAFETY: an environment of the tool interface may be used by any thread.
unsafe impl Send for Machine {}

impl Machine {
    /// An environment of our own.
    ///
    /// # Safety
    /// `vm` is the virtual machine that this library was loaded into.
    pub unsafe fn open(vm: *mut JavaVM) -> Result<Self> {
        let mut raw: *mut c_void = null_mut();
        // SAFETY: the caller's promise, and a place for an environment.
        let code = unsafe { ((**vm).GetEnv)(vm, &mut raw, JVMTI_VERSION_9) };
        if code != JNI_OK || raw.is_null() {
            return Err(refused("its tool interface", code));
        }
        // SAFETY: given by the virtual machine just now.
        let machine = Self(unsafe { Jvmti::from_raw(raw.cast::<jvmtiEnv>()) });
        machine.prepare().inspect_err(|_| machine.dispose())?;
        Ok(machine)
    }

    fn prepare(&self) -> Result<()> {
        let mut wanted = jvmtiCapabilities::default();
        wanted.set_can_tag_objects(true);
        wanted.set_can_get_line_numbers(true);
        wanted.set_can_get_source_file_name(true);
        self.0.add_capabilities(&wanted).map_err(|code| refused("tags and lines", code))?;
        let mut callbacks = jvmtiEventCallbacks::default();
        callbacks.VMDeath = Some(at_death);
        callbacks.ClassPrepare = Some(at_class);
        self.0.set_event_callbacks(callbacks).map_err(|code| refused("a callback", code))?;
        self.0
            .enable_events_global(&[JVMTI_EVENT_VM_DEATH, JVMTI_EVENT_CLASS_PREPARE])
            .map_err(|code| refused("news of its end", code))
    }

    /// The tool interface.
    pub fn tools(&self) -> &Jvmti {
        &self.0
    }

    /// Forgets tags and callbacks.
    pub fn dispose(&self) {
        // SAFETY: the environment is ours; nothing uses this copy of the pointer afterwards.
        let again = unsafe { Jvmti::from_raw(self.0.raw()) };
        // SAFETY: as above. A virtual machine that refuses has ended.
        let _ = unsafe { again.dispose_environment() };
    }

    /// Its name and version for viewers: `OpenJDK 64-Bit Server VM 17.0.15+6`.
    pub fn name(&self) -> String {
        let property = |name| self.0.get_system_property(name).unwrap_or_default();
        let name = format!("{} {}", property("java.vm.name"), property("java.vm.version"));
        match name.trim() {
            "" => "a Java virtual machine".to_owned(),
            known => known.to_owned(),
        }
    }
}

/// A class was prepared since the last question.
static HAS_NEW_CLASS: AtomicBool = AtomicBool::new(true);

unsafe extern "system" fn at_class(
    _tools: *mut jvmtiEnv,
    _env: *mut JNIEnv,
    _thread: jthread,
    _class: jclass,
) {
    HAS_NEW_CLASS.store(true, Ordering::Release);
}

/// Whether a class was prepared since the last question.
pub fn has_new_class() -> bool {
    HAS_NEW_CLASS.swap(false, Ordering::AcqRel)
}

unsafe extern "system" fn at_death(_tools: *mut jvmtiEnv, _env: *mut JNIEnv) {
    agent::exit();
}

/// Runs `body` on the calling thread as a daemon of the virtual machine, which does not wait for it
/// at its end.
///
/// # Safety
/// `vm` is a virtual machine that lives.
pub unsafe fn as_daemon<R>(vm: *mut JavaVM, body: impl FnOnce(JniEnv) -> R) -> Result<R> {
    let name = CString::from(c"arc-inspector");
    let mut arguments = JavaVMAttachArgs {
        version: JNI_VERSION_1_6,
        name: name.as_ptr().cast_mut(),
        group: null_mut(),
    };
    let mut raw: *mut c_void = null_mut();
    // SAFETY: the caller's promise; the arguments are valid for the call.
    let code = unsafe {
        let arguments = std::ptr::addr_of_mut!(arguments).cast();
        ((**vm).AttachCurrentThreadAsDaemon)(vm, &mut raw, arguments)
    };
    if code != JNI_OK || raw.is_null() {
        return Err(refused("a thread of the agent", code));
    }
    // SAFETY: the environment of this thread.
    let result = body(unsafe { JniEnv::from_raw(raw.cast::<JNIEnv>()) });
    // SAFETY: this thread was attached above.
    unsafe { ((**vm).DetachCurrentThread)(vm) };
    Ok(result)
}

/// An object that is held without keeping it alive.
pub struct Weak(jobject);

impl Weak {
    /// # Safety
    /// `object` is a reference of this thread.
    pub unsafe fn new(env: &JniEnv, object: jobject) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { env.new_weak_global_ref(object) })
    }

    /// A reference of this thread to it; `None`: it was collected.
    pub fn get(&self, env: &JniEnv) -> Option<jobject> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: the weak reference lives as long as `self`.
        let found = unsafe { env.new_local_ref(self.0) };
        (!found.is_null()).then_some(found)
    }

    /// Whether it was collected.
    pub fn is_gone(&self, env: &JniEnv) -> bool {
        // SAFETY: the weak reference lives as long as `self`.
        self.0.is_null() || unsafe { env.is_same_object(self.0, null_mut()) }
    }

    /// Gives the reference back.
    pub fn forget(self, env: &JniEnv) {
        if !self.0.is_null() {
            // SAFETY: nothing uses it afterwards.
            unsafe { env.delete_weak_global_ref(self.0) };
        }
    }
}

/// A failure of the interface, as one line.
fn refused(action: &str, code: impl std::fmt::Debug) -> Error {
    Error::new(Status::Io, format!("the Java virtual machine refused {action}: {code:?}"))
}
