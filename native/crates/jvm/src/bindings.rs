//! Classes of UniFFI's Kotlin bindings, recognised by their fields.

use std::collections::HashSet;

use jvmti_bindings::env::JniEnv;
use jvmti_bindings::sys::jni::{jclass, jfieldID, jmethodID};
use jvmti_bindings::sys::jvmti::{
    JVMTI_CLASS_STATUS_ARRAY, JVMTI_CLASS_STATUS_PREPARED, JVMTI_CLASS_STATUS_PRIMITIVE,
};
use recorder::runtime::Runtime;
use recorder::type_table::Described;
use recorder::types;
use segment::layout::Kind;

use crate::machine::{has_new_class, Machine};

const FLAG: (&str, &str) = ("wasDestroyed", "Ljava/util/concurrent/atomic/AtomicBoolean;");
const CALLS: (&str, &str) = ("callCounter", "Ljava/util/concurrent/atomic/AtomicLong;");
const POINTER: (&str, &str) = ("pointer", "Lcom/sun/jna/Pointer;");
const HANDLE: (&str, &str) = ("handle", "J");
const CLEANABLE: &str = "cleanable";

/// The field that has the reference on the Rust object.
pub enum Value {
    /// `handle`, since contract 30.
    Handle(jfieldID),
    /// `pointer`, up to contract 29: an object of JNA's.
    Pointer(jfieldID),
}

/// A class whose instances hold a Rust object each.
pub struct Binding {
    /// A global reference.
    pub class: jclass,
    /// As the virtual machine writes it: `Lorg/bitcoindevkit/Mnemonic;`.
    pub signature: String,
    /// The package: `org.bitcoindevkit`.
    pub package: String,
    /// The name of calls on it whose method is not known: `call of Mnemonic`.
    pub of_calls_name: String,
    /// Index of its type.
    pub type_id: u16,
    /// Reference on the Rust object.
    pub value: Value,
    /// `wasDestroyed`, and the value within.
    pub flag: jfieldID,
    /// See `flag`.
    pub of_flag: jfieldID,
    /// `callCounter`, and the value within.
    pub calls: jfieldID,
    /// See `calls`.
    pub of_calls: jfieldID,
    /// `cleanable`.
    pub cleanable: Option<jfieldID>,
    /// `destroy`.
    pub destroy: jmethodID,
    /// Whether it stands for a Rust trait: its reference leads to a reference.
    pub is_trait: bool,
}

/// The classes found so far.
#[derive(Default)]
pub struct Bindings {
    /// In the order in which they were found.
    pub found: Vec<Binding>,
    /// The binding of each class that has a tag: the class itself, or a class that the program
    /// derived from it. The tag is `-1 - place`.
    tagged: Vec<usize>,
    looked_at: HashSet<String>,
}

/// Fields of a class by name and signature.
type Fields = Vec<(String, String, jfieldID)>;

impl Bindings {
    /// Looks at all classes, if one was prepared since the last time.
    pub fn refresh(&mut self, machine: &Machine, env: &JniEnv, runtime: &Runtime) {
        if !has_new_class() && !self.looked_at.is_empty() {
            return;
        }
        let Ok(classes) = machine.tools().get_loaded_classes() else { return };
        for &class in &classes {
            self.look_at(machine, env, runtime, class);
        }
        if !self.found.is_empty() {
            classes.iter().for_each(|&class| self.derive(machine, env, class));
        }
        for class in classes {
            // SAFETY: a reference of this thread, used no more.
            unsafe { env.delete_local_ref(class) };
        }
    }

    fn look_at(&mut self, machine: &Machine, env: &JniEnv, runtime: &Runtime, class: jclass) {
        let tools = machine.tools();
        // SAFETY: a reference of this thread, as in the calls below.
        let (Ok(status), Ok((signature, _))) =
            (unsafe { tools.get_class_status(class) }, unsafe { tools.get_class_signature(class) })
        else {
            return;
        };
        let is_object = status & (JVMTI_CLASS_STATUS_ARRAY | JVMTI_CLASS_STATUS_PRIMITIVE) == 0;
        let is_ready = is_object && status & JVMTI_CLASS_STATUS_PREPARED != 0;
        if !is_ready || is_of_the_platform(&signature) || self.has_tag(machine, class) {
            return;
        }
        if !self.looked_at.insert(signature.clone()) && !self.is_twin(&signature) {
            return;
        }
        let Some(fields) = fields_of(machine, class) else { return };
        // SAFETY: as above.
        if let Some(binding) = unsafe { recognise(env, runtime, class, signature, &fields) } {
            self.found.push(binding);
            self.tag(machine, class, self.found.len() - 1);
        }
    }

    /// Instances of a class that the program derived from a binding are proxies as well.
    fn derive(&mut self, machine: &Machine, env: &JniEnv, class: jclass) {
        // SAFETY: references of this thread.
        let Some(parent) = (unsafe { env.get_superclass(class) }) else { return };
        // SAFETY: as above.
        let of_parent = unsafe { machine.tools().get_tag(parent) }.unwrap_or(0);
        // SAFETY: as above, used no more.
        unsafe { env.delete_local_ref(parent) };
        let binding = usize::try_from(-1 - of_parent).ok().and_then(|place| self.tagged.get(place));
        if let Some(&binding) = binding.filter(|_| of_parent != 0) {
            if !self.has_tag(machine, class) {
                self.tag(machine, class, binding);
            }
        }
    }

    fn has_tag(&self, machine: &Machine, class: jclass) -> bool {
        // SAFETY: a reference of this thread.
        unsafe { machine.tools().get_tag(class) }.unwrap_or(0) != 0
    }

    fn tag(&mut self, machine: &Machine, class: jclass, binding: usize) {
        // SAFETY: a reference of this thread.
        if unsafe { machine.tools().set_tag(class, -1 - self.tagged.len() as i64) }.is_ok() {
            self.tagged.push(binding);
        }
    }

    /// Another class loader may have a class of the same name.
    fn is_twin(&self, signature: &str) -> bool {
        self.found.iter().any(|binding| binding.signature == signature)
    }

    /// The place in `found` of the class with a tag.
    pub fn of_tag(&self, tag: i64) -> Option<usize> {
        usize::try_from(-1 - tag).ok().and_then(|place| self.tagged.get(place)).copied()
    }

    /// Gives the references back.
    pub fn forget(self, env: &JniEnv) {
        for binding in self.found {
            // SAFETY: made by `recognise`, used no more.
            unsafe { env.delete_global_ref(binding.class) };
        }
    }
}

/// Classes of the platform and of Kotlin's library hold no Rust object.
fn is_of_the_platform(signature: &str) -> bool {
    ["Ljava/", "Ljdk/", "Lsun/", "Lkotlin/", "Lcom/sun/"]
        .iter()
        .any(|each| signature.starts_with(each))
}

fn fields_of(machine: &Machine, class: jclass) -> Option<Fields> {
    let tools = machine.tools();
    // SAFETY: a reference of this thread.
    let ids = unsafe { tools.get_class_fields(class) }.ok()?;
    let named = ids.into_iter().filter_map(|id| {
        // SAFETY: as above; the field is the class's.
        let (name, signature, _) = unsafe { tools.get_field_name(class, id) }.ok()?;
        Some((name, signature, id))
    });
    Some(named.collect())
}

fn field(fields: &Fields, wanted: (&str, &str)) -> Option<jfieldID> {
    let is_wanted =
        |each: &&(String, String, jfieldID)| (each.0.as_str(), each.1.as_str()) == wanted;
    fields.iter().find(is_wanted).map(|each| each.2)
}

/// # Safety
/// `class` is a reference of this thread to a prepared class with these fields.
unsafe fn recognise(
    env: &JniEnv,
    runtime: &Runtime,
    class: jclass,
    signature: String,
    fields: &Fields,
) -> Option<Binding> {
    let (flag, calls) = (field(fields, FLAG)?, field(fields, CALLS)?);
    let value = match (field(fields, HANDLE), field(fields, POINTER)) {
        (Some(handle), _) => Value::Handle(handle),
        (None, Some(pointer)) => Value::Pointer(pointer),
        (None, None) => return None,
    };
    // SAFETY: the caller's promise.
    let destroy = unsafe { env.get_method_id(class, "destroy", "()V") };
    let Some(destroy) = destroy else {
        env.exception_clear();
        return None;
    };
    let path = signature.strip_prefix('L')?.strip_suffix(';')?;
    let (package, name) = path.rsplit_once('/').unwrap_or(("", path));
    let package = package.replace('/', ".");
    let described = Described {
        name,
        origin: &package,
        close_signature: "destroy()",
        kind: Kind::Uniffi as u8,
        closes: true,
        is_thread_affine: false,
        size_bytes: 0,
        data_offset: crate::reading::COUNTS_BYTES,
    };
    let type_id = types::describe(runtime, &described).ok()?;
    let of_flag = value_within(env, "java/util/concurrent/atomic/AtomicBoolean", "I")?;
    let of_calls = value_within(env, "java/util/concurrent/atomic/AtomicLong", "J")?;
    let cleanable = fields.iter().find(|each| each.0 == CLEANABLE).map(|each| each.2);
    let is_trait = name.ends_with("Impl");
    let of_calls_name = format!("call of {name}");
    // SAFETY: the caller's promise.
    let class = unsafe { env.new_global_ref(class) };
    Some(Binding {
        class,
        signature,
        package,
        of_calls_name,
        type_id,
        value,
        flag,
        of_flag,
        calls,
        of_calls,
        cleanable,
        destroy,
        is_trait,
    })
}

/// The field `value` of a class of the platform.
fn value_within(env: &JniEnv, class: &str, signature: &str) -> Option<jfieldID> {
    let found = env.find_class(class)?;
    // SAFETY: the class was found just now, and is used no more.
    unsafe {
        let field = env.get_field_id(found, "value", signature);
        env.delete_local_ref(found);
        if field.is_none() {
            env.exception_clear();
        }
        field
    }
}
