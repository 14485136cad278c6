//! The processor with the memory of one run: operands of instructions, and the counts that fall.

use iced_x86::{Instruction, OpKind, Register};

use crate::cpu::{mask, Cpu, RSP};
use crate::memory::{is_scratch, Copy, Source};
use crate::stop::Stop;

/// Larger numbers are no counts.
const LARGEST_COUNT: u64 = 1 << 40;
/// Counts that one run may note; more belong to no object that a person asks about.
const MOST_NOTED: usize = 1 << 16;

/// A number that fell by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fall {
    pub(crate) address: u64,
    pub(crate) size: usize,
    pub(crate) is_atomic: bool,
}

pub(crate) struct Machine<'a, S> {
    pub(crate) cpu: Cpu,
    pub(crate) memory: Copy<'a, S>,
    pub(crate) falls: Vec<Fall>,
    pub(crate) freed: Vec<u64>,
    pub(crate) ended: Vec<u64>,
    pub(crate) free_scratch: u64,
}

/// The refusal of an instruction.
pub(crate) fn refused(instruction: &Instruction) -> Stop {
    Stop::Instruction(format!("{:?}", instruction.code()))
}

impl<S: Source> Machine<'_, S> {
    /// Bytes of an operand.
    pub(crate) fn size(instruction: &Instruction, operand: u32) -> usize {
        match instruction.op_kind(operand) {
            OpKind::Register => instruction.op_register(operand).size(),
            OpKind::Memory => instruction.memory_size().size(),
            _ if operand > 0 => Self::size(instruction, 0),
            _ => 8,
        }
    }

    /// The address of the memory operand.
    pub(crate) fn address(&self, instruction: &Instruction) -> Result<u64, Stop> {
        let base = match instruction.memory_base() {
            Register::None | Register::RIP => 0,
            register => self.cpu.get(register).ok_or_else(|| refused(instruction))?,
        };
        let index = match instruction.memory_index() {
            Register::None => 0,
            register => self.cpu.get(register).ok_or_else(|| refused(instruction))?,
        };
        let segment = match instruction.memory_segment() {
            Register::FS => self.cpu.thread,
            Register::GS => return Err(refused(instruction)),
            _ => 0,
        };
        let scaled = index.wrapping_mul(u64::from(instruction.memory_index_scale()));
        let offset = instruction.memory_displacement64();
        Ok(base.wrapping_add(scaled).wrapping_add(offset).wrapping_add(segment))
    }

    /// The number of an operand of 8 bytes at most.
    pub(crate) fn get(&mut self, instruction: &Instruction, operand: u32) -> Result<u64, Stop> {
        match instruction.op_kind(operand) {
            OpKind::Register => {
                self.cpu.get(instruction.op_register(operand)).ok_or_else(|| refused(instruction))
            }
            OpKind::Memory => {
                let (at, size) = (self.address(instruction)?, Self::size(instruction, operand));
                if !matches!(size, 1 | 2 | 4 | 8) {
                    return Err(refused(instruction));
                }
                self.memory.number(at, size)
            }
            _ => instruction.try_immediate(operand).map_err(|_| refused(instruction)),
        }
    }

    /// Sets an operand of 8 bytes at most.
    pub(crate) fn set(
        &mut self,
        instruction: &Instruction,
        operand: u32,
        value: u64,
    ) -> Result<(), Stop> {
        match instruction.op_kind(operand) {
            OpKind::Register => self
                .cpu
                .set(instruction.op_register(operand), value)
                .ok_or_else(|| refused(instruction)),
            OpKind::Memory => {
                let (at, size) = (self.address(instruction)?, Self::size(instruction, operand));
                if !matches!(size, 1 | 2 | 4 | 8) {
                    return Err(refused(instruction));
                }
                self.store(at, size, value, instruction.has_lock_prefix())
            }
            _ => Err(refused(instruction)),
        }
    }

    /// Writes a number, and notes it when it is a count that falls.
    pub(crate) fn store(
        &mut self,
        address: u64,
        size: usize,
        value: u64,
        is_atomic: bool,
    ) -> Result<(), Stop> {
        let value = value & mask(size);
        if size >= 4 && !is_scratch(address) {
            let old = self.memory.number(address, size)?;
            if old > 0 && old < LARGEST_COUNT && value == old - 1 {
                if self.falls.len() >= MOST_NOTED {
                    return Err(Stop::Memory);
                }
                self.falls.push(Fall { address, size, is_atomic });
            }
        }
        self.memory.write(address, &value.to_le_bytes()[..size])
    }

    pub(crate) fn push(&mut self, value: u64) -> Result<(), Stop> {
        let top = self.cpu.general[RSP].wrapping_sub(8);
        self.memory.write(top, &value.to_le_bytes())?;
        self.cpu.general[RSP] = top;
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Result<u64, Stop> {
        let top = self.cpu.general[RSP];
        let value = self.memory.number(top, 8)?;
        self.cpu.general[RSP] = top.wrapping_add(8);
        Ok(value)
    }
}
