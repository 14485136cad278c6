//! Threads of Java as the kernel numbers them.
//!
//! The virtual machine exports the layout of its own structures for tools, as `gHotSpotVMStructs`.

use std::ffi::CStr;
use std::sync::atomic::AtomicUsize;

use jvmti_bindings::env::JniEnv;
use jvmti_bindings::sys::jni::{jfieldID, jobject};
use platform::memory;

/// More entries than any virtual machine has.
const MOST_ENTRIES: u64 = 1 << 16;
/// Bytes of a name that are compared.
const NAME_WORDS: usize = 4;

/// The way from an object of `java.lang.Thread` to the kernel's number.
pub struct Numbers {
    /// `Thread.eetop`: the address of the thread's structure.
    structure: jfieldID,
    /// Offset of `_osthread` in it.
    system: u64,
    /// Offset of `_thread_id` in that.
    number: u64,
}

impl Numbers {
    /// `None`: the virtual machine tells nothing of its structures.
    pub fn new(env: &JniEnv) -> Option<Self> {
        let entries = Entries::find()?;
        let system =
            ["JavaThread", "Thread"].iter().find_map(|of| entries.offset(of, "_osthread"))?;
        let number = entries.offset("OSThread", "_thread_id")?;
        let class = env.find_class("java/lang/Thread")?;
        // SAFETY: the class was found just now, and is used no more.
        let structure = unsafe {
            let field = env.get_field_id(class, "eetop", "J");
            env.delete_local_ref(class);
            if field.is_none() {
                env.exception_clear();
            }
            field
        };
        Some(Self { structure: structure?, system, number })
    }

    /// The kernel's number of a thread; `None`: it has ended, or is a virtual thread.
    ///
    /// # Safety
    /// `thread` is a thread of Java, a reference of this thread.
    pub unsafe fn of(&self, env: &JniEnv, thread: jobject) -> Option<u32> {
        // SAFETY: the caller's promise.
        let structure = unsafe { env.get_long_field(thread, self.structure) } as u64;
        let system = word(structure.checked_add(self.system).filter(|_| structure != 0)?)?;
        let number = word(system.checked_add(self.number).filter(|_| system != 0)?)? as u32;
        (number != 0).then_some(number)
    }
}

/// The entries: each names a field of a structure and its offset.
struct Entries {
    start: u64,
    stride: u64,
    of_type: u64,
    of_field: u64,
    of_offset: u64,
}

impl Entries {
    fn find() -> Option<Self> {
        let number = |name: &CStr| word(platform::function(&AtomicUsize::new(0), name)? as u64);
        Some(Self {
            start: number(c"gHotSpotVMStructs")?,
            stride: number(c"gHotSpotVMStructEntryArrayStride").filter(|&stride| stride > 0)?,
            of_type: number(c"gHotSpotVMStructEntryTypeNameOffset")?,
            of_field: number(c"gHotSpotVMStructEntryFieldNameOffset")?,
            of_offset: number(c"gHotSpotVMStructEntryOffsetOffset")?,
        })
    }

    /// The offset of a field in its structure.
    fn offset(&self, of_type: &str, field: &str) -> Option<u64> {
        for place in 0..MOST_ENTRIES {
            let entry = self.start + place * self.stride;
            let name = word(entry + self.of_type)?;
            if name == 0 {
                return None;
            }
            if is_text(name, of_type) && is_text(word(entry + self.of_field)?, field) {
                return word(entry + self.of_offset);
            }
        }
        None
    }
}

/// A word of this process; `None`: it cannot be read.
fn word(address: u64) -> Option<u64> {
    let mut found = [0];
    (memory::read_own_words(address, &mut found) == 1).then_some(found[0])
}

/// Whether a text with a terminating zero is this one.
fn is_text(address: u64, wanted: &str) -> bool {
    let mut found = [0_u64; NAME_WORDS];
    memory::read_own_words(address, &mut found);
    let bytes: Vec<u8> = found.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.starts_with(wanted.as_bytes()) && bytes.get(wanted.len()) == Some(&0)
}
