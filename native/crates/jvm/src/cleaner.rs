//! Whether a cleaner has run what it had to run for an object.

use jvmti_bindings::env::JniEnv;
use jvmti_bindings::sys::jni::{jfieldID, jobject};

use crate::machine::Weak;

/// Where a cleaner's entry tells that it was taken off the list.
enum Listed {
    /// It leads to itself when it is off the list: JDK 9 to 20.
    Next(jfieldID),
    /// Null when it is off the list: JDK 21 and later.
    Node(jfieldID),
    /// Not known: the entry is off the list when it was collected.
    Unknown,
}

/// The entry of an object in the list of its cleaner.
pub struct Entry {
    entry: Weak,
    listed: Listed,
}

impl Entry {
    /// The entry behind the `cleanable` of a proxy; `None`: it has none that is known.
    ///
    /// # Safety
    /// `cleanable` is a reference of this thread to such an object.
    pub unsafe fn of(env: &JniEnv, cleanable: jobject) -> Option<Self> {
        // SAFETY: the caller's promise, as below.
        let class = unsafe { env.get_object_class(cleanable) };
        for of_cleaner in
            ["Ljava/lang/ref/Cleaner$Cleanable;", "Lcom/sun/jna/internal/Cleaner$Cleanable;"]
        {
            // SAFETY: a class that is alive.
            if let Some(field) = unsafe { found(env, class, "cleanable", of_cleaner) } {
                // SAFETY: the field is the object's.
                let entry = unsafe { env.get_object_field(cleanable, field) };
                return (!entry.is_null()).then(|| Self {
                    // SAFETY: references of this thread.
                    listed: unsafe { listed(env, entry) },
                    // SAFETY: as above.
                    entry: unsafe { Weak::new(env, entry) },
                });
            }
        }
        None
    }

    /// Whether its cleaner has run it.
    pub fn is_done(&self, env: &JniEnv) -> bool {
        let Some(entry) = self.entry.get(env) else { return true };
        // SAFETY: references of this thread; the field is the object's.
        let read = |field| unsafe { env.get_object_field(entry, field) };
        let (is_done, read) = match self.listed {
            Listed::Next(field) => {
                let next = read(field);
                // SAFETY: references of this thread.
                (unsafe { env.is_same_object(entry, next) }, next)
            }
            Listed::Node(field) => {
                let node = read(field);
                (node.is_null(), node)
            }
            Listed::Unknown => (false, std::ptr::null_mut()),
        };
        for reference in [entry, read].into_iter().filter(|each| !each.is_null()) {
            // SAFETY: used no more.
            unsafe { env.delete_local_ref(reference) };
        }
        is_done
    }

    /// Gives its reference back.
    pub fn forget(self, env: &JniEnv) {
        self.entry.forget(env);
    }
}

/// # Safety
/// `class` is a reference of this thread.
unsafe fn found(env: &JniEnv, class: jobject, name: &str, signature: &str) -> Option<jfieldID> {
    // SAFETY: the caller's promise.
    let field = unsafe { env.get_field_id(class, name, signature) };
    if field.is_none() {
        env.exception_clear();
    }
    field
}

/// # Safety
/// `entry` is a reference of this thread.
unsafe fn listed(env: &JniEnv, entry: jobject) -> Listed {
    // SAFETY: the caller's promise, as below.
    let class = unsafe { env.get_object_class(entry) };
    // SAFETY: as above.
    let field = |name, signature| unsafe { found(env, class, name, signature) };
    if let Some(next) = field("next", "Ljdk/internal/ref/PhantomCleanable;") {
        return Listed::Next(next);
    }
    field("node", "Ljdk/internal/ref/CleanerImpl$CleanableList$Node;")
        .map_or(Listed::Unknown, Listed::Node)
}
