//! Bits, shifts and products of general registers.

use iced_x86::{Instruction, Mnemonic, OpKind};

use crate::cpu::{mask, sign_bit, signed};
use crate::machine::Machine;
use crate::memory::Source;
use crate::stop::Stop;

const RAX: usize = 0;
const RDX: usize = 2;

impl<S: Source> Machine<'_, S> {
    /// Single bits, and searches for them.
    pub(crate) fn bits(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let size = Self::size(each, 0);
        match each.mnemonic() {
            Mnemonic::Bt | Mnemonic::Bts | Mnemonic::Btr | Mnemonic::Btc => {
                // a bit number in a register may lead beyond the operand in memory
                if each.op_kind(0) == OpKind::Memory && each.op_kind(1) == OpKind::Register {
                    return Ok(false);
                }
                let (value, number) = (self.get(each, 0)?, self.get(each, 1)?);
                let bit = 1_u64 << (number & (8 * size as u64 - 1));
                self.cpu.flags.carry = value & bit != 0;
                match each.mnemonic() {
                    Mnemonic::Bts => self.set(each, 0, value | bit)?,
                    Mnemonic::Btr => self.set(each, 0, value & !bit)?,
                    Mnemonic::Btc => self.set(each, 0, value ^ bit)?,
                    _ => {}
                }
            }
            Mnemonic::Bsf | Mnemonic::Tzcnt | Mnemonic::Bsr => {
                let value = self.get(each, 1)? & mask(size);
                self.cpu.flags.zero = value == 0;
                if value != 0 {
                    let found = match each.mnemonic() {
                        Mnemonic::Bsr => 63 - value.leading_zeros(),
                        _ => value.trailing_zeros(),
                    };
                    self.set(each, 0, u64::from(found))?;
                } else if each.mnemonic() == Mnemonic::Tzcnt {
                    self.set(each, 0, 8 * size as u64)?;
                }
                self.cpu.flags.carry = value == 0;
            }
            Mnemonic::Bswap => {
                let value = self.get(each, 0)?;
                self.set(each, 0, value.swap_bytes() >> (64 - 8 * size))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Shifts and rotations.
    pub(crate) fn shift(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let size = Self::size(each, 0);
        let width = 8 * size as u32;
        let mnemonic = each.mnemonic();
        if !matches!(
            mnemonic,
            Mnemonic::Shl | Mnemonic::Shr | Mnemonic::Sar | Mnemonic::Rol | Mnemonic::Ror
        ) {
            return Ok(false);
        }
        let value = self.get(each, 0)?;
        let count = (self.get(each, 1)? & if size == 8 { 63 } else { 31 }) as u32;
        if count == 0 {
            return Ok(true);
        }
        let turned = count % width;
        let (result, carry) = match mnemonic {
            Mnemonic::Shl => {
                let wide = u128::from(value) << count;
                (wide as u64 & mask(size), wide >> width & 1 != 0)
            }
            Mnemonic::Shr => (value >> count, value >> (count - 1) & 1 != 0),
            Mnemonic::Sar => {
                let wide = signed(value, size);
                ((wide >> count) as u64 & mask(size), wide >> (count - 1) & 1 != 0)
            }
            _ => {
                let left =
                    if mnemonic == Mnemonic::Rol { turned } else { (width - turned) % width };
                let wide = u128::from(value) << left;
                let result = (wide | wide >> width) as u64 & mask(size);
                let bit = if mnemonic == Mnemonic::Rol { 1 } else { sign_bit(size) };
                (result, result & bit != 0)
            }
        };
        if matches!(mnemonic, Mnemonic::Rol | Mnemonic::Ror) {
            self.cpu.flags.carry = carry;
        } else {
            self.cpu.logic(result, size);
            self.cpu.flags.carry = carry;
            self.cpu.flags.overflow = (result ^ value) & sign_bit(size) != 0;
        }
        self.set(each, 0, result)?;
        Ok(true)
    }

    /// Products and quotients.
    pub(crate) fn multiply(&mut self, each: &Instruction) -> Result<bool, Stop> {
        let size = Self::size(each, 0);
        match (each.mnemonic(), each.op_count()) {
            (Mnemonic::Imul, 2 | 3) => {
                let from = each.op_count() - 2;
                let a = i128::from(signed(self.get(each, from)?, size));
                let b = i128::from(signed(self.get(each, from + 1)?, size));
                let result = a * b;
                let kept = result as u64 & mask(size);
                self.cpu.flags.carry = i128::from(signed(kept, size)) != result;
                self.cpu.flags.overflow = self.cpu.flags.carry;
                self.set(each, 0, kept)?;
            }
            (Mnemonic::Mul | Mnemonic::Imul, 1) if size >= 4 => {
                let (a, b) = (self.cpu.general[RAX] & mask(size), self.get(each, 0)?);
                let wide = if each.mnemonic() == Mnemonic::Mul {
                    u128::from(a) * u128::from(b)
                } else {
                    (i128::from(signed(a, size)) * i128::from(signed(b, size))) as u128
                };
                self.cpu.general[RAX] = wide as u64 & mask(size);
                self.cpu.general[RDX] = (wide >> (8 * size)) as u64 & mask(size);
                self.cpu.flags.carry = self.cpu.general[RDX] != 0;
                self.cpu.flags.overflow = self.cpu.flags.carry;
            }
            (Mnemonic::Div, 1) if size >= 4 => {
                let [low, high] = [RAX, RDX].map(|each| self.cpu.general[each] & mask(size));
                let whole = u128::from(high) << (8 * size) | u128::from(low);
                let by = u128::from(self.get(each, 0)?);
                if by == 0 || whole / by > u128::from(mask(size)) {
                    return Ok(false);
                }
                self.cpu.general[RAX] = (whole / by) as u64;
                self.cpu.general[RDX] = (whole % by) as u64;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
