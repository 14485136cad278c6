//! Instructions on general registers.

use iced_x86::{ConditionCode, Instruction, Mnemonic, OpKind, Register};

use crate::cpu::{mask, signed, RSP};
use crate::machine::{refused, Machine};
use crate::memory::Source;
use crate::stop::Stop;

const RAX: usize = 0;
const RCX: usize = 1;
const RDX: usize = 2;
const RBP: usize = 5;
const RSI: usize = 6;
const RDI: usize = 7;
/// Repetitions of one instruction that are made.
const MOST_REPEATED: u64 = 1 << 20;

impl<S: Source> Machine<'_, S> {
    /// Executes one instruction. `true`: it may have jumped to another function.
    pub(crate) fn execute(&mut self, each: &Instruction) -> Result<bool, Stop> {
        self.cpu.next = each.next_ip();
        if self.jump(each)? {
            return Ok(true);
        }
        let is_done = self.moves(each)?
            || self.arithmetic(each)?
            || self.bits(each)?
            || self.shift(each)?
            || self.multiply(each)?
            || self.exchange(each)?
            || self.string(each)?
            || self.vector(each)?;
        if is_done {
            Ok(false)
        } else {
            Err(refused(each))
        }
    }

    /// Jumps, calls and returns.
    fn jump(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let target = |machine: &mut Self| match each.op_kind(0) {
            OpKind::NearBranch64 => Ok(each.near_branch64()),
            _ => machine.get(each, 0),
        };
        match each.mnemonic() {
            Mnemonic::Call => {
                let to = target(self)?;
                self.push(each.next_ip())?;
                self.cpu.next = to;
            }
            Mnemonic::Jmp => self.cpu.next = target(self)?,
            Mnemonic::Ret => {
                self.cpu.next = self.pop()?;
                if each.op_count() > 0 {
                    let bytes = each.immediate(0);
                    self.cpu.general[RSP] = self.cpu.general[RSP].wrapping_add(bytes);
                }
            }
            _ if each.is_jcc_short_or_near() => {
                if self.cpu.holds(each.condition_code()) {
                    self.cpu.next = each.near_branch64();
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn moves(&mut self, each: &Instruction) -> Result<bool, Stop> {
        match each.mnemonic() {
            Mnemonic::Mov | Mnemonic::Movzx => {
                if matches!(each.op_kind(0), OpKind::Register) && !each.op0_register().is_gpr() {
                    return Ok(false);
                }
                let value = self.get(each, 1)?;
                self.set(each, 0, value)?;
            }
            Mnemonic::Movsx | Mnemonic::Movsxd => {
                let size = Self::size(each, 1);
                let value = signed(self.get(each, 1)?, size);
                self.set(each, 0, value as u64)?;
            }
            Mnemonic::Lea => {
                let address = self.address(each)?;
                self.set(each, 0, address)?;
            }
            Mnemonic::Push => {
                let value = self.get(each, 0)?;
                self.push(value)?;
            }
            Mnemonic::Pop => {
                let value = self.pop()?;
                self.set(each, 0, value)?;
            }
            Mnemonic::Leave => {
                self.cpu.general[RSP] = self.cpu.general[RBP];
                self.cpu.general[RBP] = self.pop()?;
            }
            Mnemonic::Nop
            | Mnemonic::Endbr64
            | Mnemonic::Pause
            | Mnemonic::Cld
            | Mnemonic::Mfence
            | Mnemonic::Lfence
            | Mnemonic::Sfence
            | Mnemonic::Prefetcht0
            | Mnemonic::Prefetcht1
            | Mnemonic::Prefetcht2
            | Mnemonic::Prefetchnta
            | Mnemonic::Prefetchw => {}
            // the loader saves vectors around the search for a function that is called first; no
            // caller relies on them
            Mnemonic::Xsave
            | Mnemonic::Xsavec
            | Mnemonic::Xrstor
            | Mnemonic::Fxsave
            | Mnemonic::Fxrstor => {}
            Mnemonic::Syscall => self.system_call()?,
            _ => return Ok(self.extends(each) || self.conditional(each)?),
        }
        Ok(true)
    }

    /// Carries the sign of the accumulator on.
    fn extends(&mut self, each: &Instruction) -> bool {
        match each.mnemonic() {
            Mnemonic::Cdqe => self.cpu.general[RAX] = signed(self.cpu.general[RAX], 4) as u64,
            Mnemonic::Cwde => {
                self.cpu.general[RAX] = signed(self.cpu.general[RAX], 2) as u64 & mask(4);
            }
            Mnemonic::Cqo => {
                self.cpu.general[RDX] = (signed(self.cpu.general[RAX], 8) >> 63) as u64;
            }
            Mnemonic::Cdq => {
                let sign = (signed(self.cpu.general[RAX], 4) >> 63) as u64;
                self.cpu.general[RDX] = sign & mask(4);
            }
            _ => return false,
        }
        true
    }

    /// Instructions that end in a condition.
    fn conditional(&mut self, each: &Instruction) -> Result<bool, Stop> {
        if each.condition_code() == ConditionCode::None {
            return Ok(false);
        }
        let is_value = matches!(each.op_kind(0), OpKind::Register | OpKind::Memory);
        if is_value && each.op_count() == 1 {
            let value = u64::from(self.cpu.holds(each.condition_code()));
            self.set(each, 0, value)?;
        } else if is_value && each.op_count() == 2 {
            let (old, new) = (self.get(each, 0)?, self.get(each, 1)?);
            let value = if self.cpu.holds(each.condition_code()) { new } else { old };
            self.set(each, 0, value)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn arithmetic(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let size = Self::size(each, 0);
        match each.mnemonic() {
            Mnemonic::Inc | Mnemonic::Dec => {
                let (value, carry) = (self.get(each, 0)?, self.cpu.flags.carry);
                let result = if each.mnemonic() == Mnemonic::Inc {
                    self.cpu.add(value, 1, false, size)
                } else {
                    self.cpu.subtract(value, 1, false, size)
                };
                self.cpu.flags.carry = carry;
                self.set(each, 0, result)?;
            }
            Mnemonic::Neg => {
                let value = self.get(each, 0)?;
                let result = self.cpu.subtract(0, value, false, size);
                self.set(each, 0, result)?;
            }
            Mnemonic::Not => {
                let value = self.get(each, 0)?;
                self.set(each, 0, !value & mask(size))?;
            }
            _ => return self.binary(each, size),
        }
        Ok(true)
    }

    /// Arithmetic of two operands.
    fn binary(&mut self, each: &Instruction, size: usize) -> Result<bool, Stop> {
        let mnemonic = each.mnemonic();
        if !matches!(
            mnemonic,
            Mnemonic::Add
                | Mnemonic::Adc
                | Mnemonic::Sub
                | Mnemonic::Sbb
                | Mnemonic::Cmp
                | Mnemonic::And
                | Mnemonic::Test
                | Mnemonic::Or
                | Mnemonic::Xor
        ) {
            return Ok(false);
        }
        let (a, b) = (self.get(each, 0)?, self.get(each, 1)?);
        let carry = self.cpu.flags.carry;
        let result = match mnemonic {
            Mnemonic::Add => self.cpu.add(a, b, false, size),
            Mnemonic::Adc => self.cpu.add(a, b, carry, size),
            Mnemonic::Sub | Mnemonic::Cmp => self.cpu.subtract(a, b, false, size),
            Mnemonic::Sbb => self.cpu.subtract(a, b, carry, size),
            _ => {
                let result = match mnemonic {
                    Mnemonic::Or => a | b,
                    Mnemonic::Xor => a ^ b,
                    _ => a & b,
                };
                self.cpu.logic(result, size);
                result
            }
        };
        if !matches!(mnemonic, Mnemonic::Cmp | Mnemonic::Test) {
            self.set(each, 0, result)?;
        }
        Ok(true)
    }

    /// Exchanges, as atomic counts use them.
    fn exchange(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let size = Self::size(each, 0);
        match each.mnemonic() {
            Mnemonic::Xchg => {
                let (a, b) = (self.get(each, 0)?, self.get(each, 1)?);
                self.set(each, 0, b)?;
                self.set(each, 1, a)?;
            }
            Mnemonic::Xadd => {
                let (a, b) = (self.get(each, 0)?, self.get(each, 1)?);
                let sum = self.cpu.add(a, b, false, size);
                self.set(each, 1, a)?;
                self.set(each, 0, sum)?;
            }
            Mnemonic::Cmpxchg => {
                let (old, new) = (self.get(each, 0)?, self.get(each, 1)?);
                let wanted = self.cpu.general[RAX];
                self.cpu.subtract(wanted, old, false, size);
                if self.cpu.flags.zero {
                    self.set(each, 0, new)?;
                } else {
                    let register = [Register::AL, Register::AX, Register::EAX, Register::RAX];
                    let place = register[size.clamp(1, 8).ilog2() as usize];
                    self.cpu.set(place, old).ok_or_else(|| refused(each))?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Repeated copies and fills.
    fn string(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let size = match each.mnemonic() {
            Mnemonic::Movsb | Mnemonic::Stosb => 1,
            Mnemonic::Movsw | Mnemonic::Stosw => 2,
            Mnemonic::Stosd => 4,
            Mnemonic::Movsq | Mnemonic::Stosq => 8,
            _ => return Ok(false),
        };
        let times = if each.has_rep_prefix() { self.cpu.general[RCX] } else { 1 };
        if times > MOST_REPEATED {
            return Err(Stop::Memory);
        }
        let is_copy =
            matches!(each.mnemonic(), Mnemonic::Movsb | Mnemonic::Movsw | Mnemonic::Movsq);
        for _ in 0..times {
            let value = if is_copy {
                self.memory.number(self.cpu.general[RSI], size)?
            } else {
                self.cpu.general[RAX]
            };
            self.memory.write(self.cpu.general[RDI], &value.to_le_bytes()[..size])?;
            self.cpu.general[RDI] = self.cpu.general[RDI].wrapping_add(size as u64);
            if is_copy {
                self.cpu.general[RSI] = self.cpu.general[RSI].wrapping_add(size as u64);
            }
        }
        if each.has_rep_prefix() {
            self.cpu.general[RCX] = 0;
        }
        Ok(true)
    }
}
