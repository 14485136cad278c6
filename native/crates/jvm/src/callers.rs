//! Calls in flight, as the stacks of the program show them.

use jvmti_bindings::env::JniEnv;
use jvmti_bindings::sys::jni::jmethodID;
use recorder::runtime::Runtime;
use recorder::sites::Frame;

use crate::bindings::Binding;
use crate::machine::{Machine, FRAME_REFERENCES};
use crate::threads::Numbers;

/// Frames of a stack that are kept.
const MOST_FRAMES: i32 = 64;
/// Methods of a binding that call its others.
const HELPERS: &str = "callWith";

/// A frame in words.
struct Told {
    class: String,
    function: String,
    file: String,
    line: u32,
}

/// The stack of a thread.
struct Stack {
    tid: Option<u32>,
    frames: Vec<Told>,
}

/// A call that was found on a stack.
#[derive(Clone)]
pub struct FoundCall {
    /// Its method: `ElectrumClient.ping`.
    pub name: String,
    /// The kernel's number of its thread; `None`: not known.
    pub tid: Option<u32>,
    /// Its stack, 0: no room.
    pub site: u32,
}

/// The stacks of all threads, read when they are needed for the first time: the program stands
/// still meanwhile.
pub struct Callers<'a> {
    machine: &'a Machine,
    env: &'a JniEnv,
    runtime: &'a Runtime,
    stacks: Option<Vec<Stack>>,
}

impl<'a> Callers<'a> {
    /// Nothing was read yet.
    pub fn new(machine: &'a Machine, env: &'a JniEnv, runtime: &'a Runtime) -> Self {
        Self { machine, env, runtime, stacks: None }
    }

    /// The threads that are in a method of the class.
    pub fn calls_of(&mut self, binding: &Binding) -> Vec<FoundCall> {
        let stacks = self.stacks.get_or_insert_with(|| read(self.machine, self.env));
        let is_call = |told: &Told| {
            let name = told.function.rsplit('.').next().unwrap_or_default();
            told.class == binding.signature && !name.starts_with(HELPERS)
        };
        let found = stacks.iter().filter_map(|stack| {
            let place = stack.frames.iter().position(is_call)?;
            Some((stack, &stack.frames[place..]))
        });
        let call = |(stack, frames): (&Stack, &[Told])| FoundCall {
            name: short(&frames[0].function),
            tid: stack.tid,
            site: site_of(self.runtime, frames),
        };
        found.map(call).collect()
    }

    /// The site of rows that wait for a cleaner.
    pub fn site_of_cleaner(&self) -> u32 {
        let frame = Frame {
            function: "collected, waits for its cleaner",
            file: "java.lang.ref.Cleaner",
            line: 0,
        };
        self.runtime.sites.intern(self.runtime.segment(), &[frame], false)
    }
}

/// `org.bitcoindevkit.ElectrumClient.ping` without its package.
fn short(function: &str) -> String {
    let mut words = function.rsplit('.');
    let (method, class) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    format!("{class}.{method}")
}

fn site_of(runtime: &Runtime, stack: &[Told]) -> u32 {
    let frames: Vec<Frame<'_>> = stack
        .iter()
        .map(|told| Frame { function: &told.function, file: &told.file, line: told.line })
        .collect();
    runtime.sites.intern(runtime.segment(), &frames, stack.len() >= MOST_FRAMES as usize)
}

fn read(machine: &Machine, env: &JniEnv) -> Vec<Stack> {
    let Ok(_frame) = env.push_local_frame(FRAME_REFERENCES) else { return Vec::new() };
    let stacks = machine.tools().get_all_stack_traces(MOST_FRAMES).unwrap_or_default();
    let numbers = Numbers::new(env);
    let told = stacks.iter().map(|stack| Stack {
        // SAFETY: a thread of Java, a reference of this thread.
        tid: numbers.as_ref().and_then(|numbers| unsafe { numbers.of(env, stack.thread) }),
        frames: stack
            .frames
            .iter()
            .filter_map(|frame| tell(machine, env, frame.method, frame.location))
            .collect(),
    });
    told.collect()
}

fn tell(machine: &Machine, env: &JniEnv, method: jmethodID, location: i64) -> Option<Told> {
    let tools = machine.tools();
    // SAFETY: methods of a stack that was read just now; classes may have been unloaded since, and
    // the interface tells so.
    unsafe {
        let (name, _, _) = tools.get_method_name(method).ok()?;
        let class = tools.get_method_declaring_class(method).ok()?;
        let (signature, _) = tools.get_class_signature(class).ok()?;
        let file = tools.get_source_file_name(class).unwrap_or_default();
        env.delete_local_ref(class);
        let lines = tools.get_line_number_table(method).unwrap_or_default();
        let line = lines
            .iter()
            .filter(|entry| entry.start_location <= location)
            .max_by_key(|entry| entry.start_location)
            .map_or(0, |entry| entry.line_number);
        let of_class = signature.trim_start_matches('L').trim_end_matches(';').replace('/', ".");
        Some(Told {
            function: format!("{of_class}.{name}"),
            class: signature,
            file,
            line: u32::try_from(line).unwrap_or(0),
        })
    }
}
