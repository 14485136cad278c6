//! Runs of destructors, and the counts that each would lower.

use std::collections::{HashMap, HashSet};

use iced_x86::{Decoder, DecoderOptions, Instruction};

use crate::calls::{role_of, Role};
use crate::cpu::{Cpu, RSP};
use crate::machine::Machine;
use crate::memory::{Copy, Kept, Source, PAGE, SCRATCH, SCRATCH_BYTES};
use crate::stop::Stop;

/// Instructions of one run.
pub const MOST_INSTRUCTIONS: u64 = 400_000;
const LONGEST_INSTRUCTION: usize = 15;
/// Instructions that are kept from one run to the next.
const MOST_DECODED: usize = 1 << 16;
/// Bytes of the run's own memory for its stack; allocations follow.
const STACK_BYTES: u64 = 4 << 20;
/// The address to which the destructor returns.
const RETURN: u64 = SCRATCH + SCRATCH_BYTES + PAGE;
const RDI: usize = 7;

/// The kind of an effect.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// A count that falls by an atomic instruction.
    Atomic = 1,
    /// A count that falls by a plain instruction.
    Plain = 2,
    /// Memory that is given back.
    Freed = 3,
    /// A Python object whose count would be 0.
    Ends = 4,
}

/// An effect of a destructor.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The count, or the memory.
    pub address: u64,
    /// The number before; 0 for memory.
    pub before: u64,
    /// The number after; 0 for memory.
    pub after: u64,
    /// See [`EffectKind`].
    pub kind: u32,
    /// Bytes of the number; 0 for memory.
    pub size: u32,
}

/// The result of one run.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// In the order in which they were first seen.
    pub effects: Vec<Effect>,
    /// Instructions that were executed.
    pub steps: u64,
    /// `None`: the destructor came to its end.
    pub stop: Option<Stop>,
}

/// Runs destructors over the memory of one process.
pub struct Rehearsal<S> {
    kept: Kept<S>,
    decoded: HashMap<u64, Instruction>,
    functions: HashMap<u64, (&'static str, Role)>,
    thread: u64,
}

impl<S: Source> Rehearsal<S> {
    /// `functions`: addresses with the numbers of [`crate::FUNCTIONS`]; `thread`: the block of
    /// thread-local memory that the destructor sees; `words`: addresses of words, and what the copy
    /// has there instead, such as a class's own destructor in a slot that is hooked.
    pub fn new(
        source: S,
        functions: impl IntoIterator<Item = (u64, usize)>,
        thread: u64,
        words: impl IntoIterator<Item = (u64, u64)>,
    ) -> Self {
        let functions = functions
            .into_iter()
            .filter_map(|(address, number)| Some((address, role_of(number)?)))
            .collect();
        Self { kept: Kept::new(source, words), decoded: HashMap::new(), functions, thread }
    }

    /// Runs the destructor at `function` on an object.
    pub fn drop_object(&mut self, object: u64, function: u64) -> Outcome {
        let mut cpu = Cpu { next: function, thread: self.thread, ..Cpu::default() };
        cpu.general[RDI] = object;
        cpu.general[RSP] = SCRATCH + STACK_BYTES - PAGE;
        let mut machine = Machine {
            cpu,
            memory: Copy::new(&mut self.kept),
            falls: Vec::new(),
            freed: Vec::new(),
            ended: Vec::new(),
            free_scratch: SCRATCH + STACK_BYTES,
        };
        let mut steps = 0;
        let (decoded, functions) = (&mut self.decoded, &self.functions);
        let ended = run(&mut machine, decoded, functions, object, &mut steps);
        Outcome { effects: effects_of(&mut machine, object), steps, stop: ended.err() }
    }
}

fn run<S: Source>(
    machine: &mut Machine<'_, S>,
    decoded: &mut HashMap<u64, Instruction>,
    functions: &HashMap<u64, (&'static str, Role)>,
    object: u64,
    steps: &mut u64,
) -> Result<(), Stop> {
    // the count of an object is 0 when its destructor runs
    let head = machine.memory.number(object, 8)?;
    machine.memory.write(object, &(head & !0xFFFF_FFFF).to_le_bytes())?;
    machine.push(RETURN)?;
    let mut may_be_function = false;
    while machine.cpu.next != RETURN {
        *steps += 1;
        if *steps > MOST_INSTRUCTIONS {
            return Err(Stop::Steps);
        }
        if may_be_function {
            if let Some(&(name, role)) = functions.get(&machine.cpu.next) {
                machine.call(name, role)?;
                continue;
            }
        }
        let instruction = decode(machine, decoded)?;
        may_be_function = machine.execute(&instruction)?;
    }
    Ok(())
}

/// The instruction at the next address.
fn decode<S: Source>(
    machine: &mut Machine<'_, S>,
    decoded: &mut HashMap<u64, Instruction>,
) -> Result<Instruction, Stop> {
    let at = machine.cpu.next;
    if let Some(found) = decoded.get(&at) {
        return Ok(*found);
    }
    let mut bytes = [0; LONGEST_INSTRUCTION];
    let on_page = (PAGE - (at & (PAGE - 1))).min(LONGEST_INSTRUCTION as u64) as usize;
    machine.memory.read(at, &mut bytes[..on_page])?;
    let rest = machine.memory.read(at.wrapping_add(on_page as u64), &mut bytes[on_page..]);
    let length = if rest.is_ok() { LONGEST_INSTRUCTION } else { on_page };
    let found = Decoder::with_ip(64, &bytes[..length], at, DecoderOptions::NONE).decode();
    if found.is_invalid() {
        return Err(Stop::Instruction(format!("{:02x?}", &bytes[..length.min(4)])));
    }
    if decoded.len() >= MOST_DECODED {
        decoded.clear();
    }
    decoded.insert(at, found);
    Ok(found)
}

/// Counts that are lower than in the process, memory given back, objects that end.
fn effects_of<S: Source>(machine: &mut Machine<'_, S>, object: u64) -> Vec<Effect> {
    let mut seen = HashSet::new();
    let mut effects = Vec::new();
    for fall in std::mem::take(&mut machine.falls) {
        if fall.address == object || !seen.insert(fall.address) {
            continue;
        }
        let numbers = machine
            .memory
            .before(fall.address, fall.size)
            .and_then(|before| Ok((before, machine.memory.number(fall.address, fall.size)?)));
        if let Ok((before, after)) = numbers {
            if after < before {
                let kind = if fall.is_atomic { EffectKind::Atomic } else { EffectKind::Plain };
                let (kind, size) = (kind as u32, fall.size as u32);
                effects.push(Effect { address: fall.address, before, after, kind, size });
            }
        }
    }
    let rest = [(EffectKind::Freed, &machine.freed), (EffectKind::Ends, &machine.ended)];
    for (kind, places) in rest {
        effects.extend(places.iter().map(|&address| Effect {
            address,
            before: 0,
            after: 0,
            kind: kind as u32,
            size: 0,
        }));
    }
    effects
}
