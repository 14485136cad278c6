//! Instructions on vectors of 16 bytes, as copies of structures and tables of hashes use them.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use crate::machine::{refused, Machine};
use crate::memory::Source;
use crate::stop::Stop;

type Lanes = [u8; 16];

fn number(register: Register) -> Option<usize> {
    (register.is_xmm() && register.number() < 16).then(|| register.number())
}

/// Each lane of `size` bytes by itself.
fn by_lane(a: u128, b: u128, size: usize, work: impl Fn(u64, u64) -> u64) -> u128 {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    let mut out = [0; 16];
    for at in (0..16).step_by(size) {
        let lane = |all: &Lanes| {
            let mut bytes = [0; 8];
            bytes[..size].copy_from_slice(&all[at..at + size]);
            u64::from_le_bytes(bytes)
        };
        let result = work(lane(&a), lane(&b)).to_le_bytes();
        out[at..at + size].copy_from_slice(&result[..size]);
    }
    u128::from_le_bytes(out)
}

/// Lanes of both, in turn, from the lower or upper half.
fn interleaved(a: u128, b: u128, size: usize, is_high: bool) -> u128 {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    let mut out = [0; 16];
    let from = if is_high { 8 } else { 0 };
    for lane in 0..8 / size {
        let at = from + lane * size;
        out[2 * lane * size..][..size].copy_from_slice(&a[at..at + size]);
        out[(2 * lane + 1) * size..][..size].copy_from_slice(&b[at..at + size]);
    }
    u128::from_le_bytes(out)
}

/// Lanes of 4 bytes chosen by pairs of bits.
fn shuffled(low: u128, high: u128, choice: u64) -> u128 {
    (0..4).fold(0, |all, lane| {
        let from = if lane < 2 { low } else { high };
        let wanted = choice >> (2 * lane) & 3;
        all | (from >> (32 * wanted) & 0xFFFF_FFFF) << (32 * lane)
    })
}

impl<S: Source> Machine<'_, S> {
    /// The bits of a vector, register or memory operand; memory of fewer bytes is filled with 0.
    fn wide(&mut self, each: &Instruction, operand: u32) -> Result<u128, Stop> {
        match each.op_kind(operand) {
            OpKind::Register => {
                let register = each.op_register(operand);
                match number(register) {
                    Some(place) => Ok(self.cpu.vectors[place]),
                    None => self.cpu.get(register).map(u128::from).ok_or_else(|| refused(each)),
                }
            }
            OpKind::Memory => {
                let (at, size) = (self.address(each)?, each.memory_size().size().min(16));
                let mut bytes = [0; 16];
                self.memory.read(at, &mut bytes[..size])?;
                Ok(u128::from_le_bytes(bytes))
            }
            _ => Err(refused(each)),
        }
    }

    fn set_wide(&mut self, each: &Instruction, value: u128) -> Result<(), Stop> {
        match each.op_kind(0) {
            OpKind::Register => match number(each.op0_register()) {
                Some(place) => self.cpu.vectors[place] = value,
                None => return self.set(each, 0, value as u64),
            },
            OpKind::Memory => {
                let (at, size) = (self.address(each)?, each.memory_size().size().min(16));
                if matches!(size, 4 | 8) {
                    return self.store(at, size, value as u64, false);
                }
                self.memory.write(at, &value.to_le_bytes()[..size])?;
            }
            _ => return Err(refused(each)),
        }
        Ok(())
    }

    /// Executes a vector instruction; `false`: it is none that is emulated.
    pub(crate) fn vector(&mut self, each: &Instruction) -> Result<bool, Stop> {
        Ok(self.vector_moves(each)? || self.halves(each)? || self.lanes(each)?)
    }

    fn vector_moves(&mut self, each: &Instruction) -> Result<bool, Stop> {
        match each.mnemonic() {
            Mnemonic::Movaps
            | Mnemonic::Movups
            | Mnemonic::Movapd
            | Mnemonic::Movupd
            | Mnemonic::Movdqa
            | Mnemonic::Movdqu
            | Mnemonic::Lddqu
            | Mnemonic::Movntdq
            | Mnemonic::Movntps => {
                let value = self.wide(each, 1)?;
                self.set_wide(each, value)?;
            }
            Mnemonic::Movq | Mnemonic::Movd => {
                let bits = if each.mnemonic() == Mnemonic::Movq { 64 } else { 32 };
                let value = self.wide(each, 1)? & ((1 << bits) - 1);
                self.set_wide(each, value)?;
            }
            Mnemonic::Movss | Mnemonic::Movsd => {
                let bits = if each.mnemonic() == Mnemonic::Movsd { 64 } else { 32 };
                let is_of_vectors =
                    (0..2).any(|at| at < each.op_count() && number(each.op_register(at)).is_some());
                if !is_of_vectors {
                    return Ok(false);
                }
                let low = (1_u128 << bits) - 1;
                let mut value = self.wide(each, 1)? & low;
                if each.op0_kind() == OpKind::Register && each.op1_kind() == OpKind::Register {
                    value |= self.wide(each, 0)? & !low;
                }
                self.set_wide(each, value)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Moves of one half.
    fn halves(&mut self, each: &Instruction) -> Result<bool, Stop> {
        const LOW: u128 = u64::MAX as u128;
        let is_store = each.op0_kind() == OpKind::Memory;
        let mnemonic = each.mnemonic();
        if !matches!(
            mnemonic,
            Mnemonic::Movlps
                | Mnemonic::Movlpd
                | Mnemonic::Movhps
                | Mnemonic::Movhpd
                | Mnemonic::Movhlps
                | Mnemonic::Movlhps
        ) {
            return Ok(false);
        }
        let source = self.wide(each, 1)?;
        if is_store {
            let is_high = matches!(mnemonic, Mnemonic::Movhps | Mnemonic::Movhpd);
            self.set_wide(each, if is_high { source >> 64 } else { source & LOW })?;
            return Ok(true);
        }
        let old = self.wide(each, 0)?;
        let value = match mnemonic {
            Mnemonic::Movlps | Mnemonic::Movlpd => old & !LOW | source & LOW,
            Mnemonic::Movhlps => old & !LOW | source >> 64,
            _ => old & LOW | source << 64,
        };
        self.set_wide(each, value)?;
        Ok(true)
    }

    fn lanes(&mut self, each: &Instruction) -> Result<bool, Stop> {
        if matches!(each.mnemonic(), Mnemonic::Pmovmskb | Mnemonic::Movmskps | Mnemonic::Movmskpd) {
            let size = match each.mnemonic() {
                Mnemonic::Pmovmskb => 1,
                Mnemonic::Movmskps => 4,
                _ => 8,
            };
            let value = self.wide(each, 1)?;
            let signs = (0..16 / size)
                .map(|lane| (value >> (8 * size * (lane + 1) - 1) as u32 & 1) << lane as u32)
                .sum::<u128>();
            self.set(each, 0, signs as u64)?;
            return Ok(true);
        }
        if each.op0_kind() != OpKind::Register || number(each.op0_register()).is_none() {
            return Ok(false);
        }
        if let Some(value) = self.shifted(each)? {
            self.set_wide(each, value)?;
            return Ok(true);
        }
        if each.op_count() != 2 || matches!(each.op1_kind(), OpKind::Immediate8) {
            return Ok(false);
        }
        let (a, b) = (self.wide(each, 0)?, self.wide(each, 1)?);
        let Some(value) = combined(each.mnemonic(), a, b) else { return Ok(false) };
        self.set_wide(each, value)?;
        Ok(true)
    }

    /// Shifts and choices by a number in the instruction.
    fn shifted(&mut self, each: &Instruction) -> Result<Option<u128>, Stop> {
        let last = each.op_count().saturating_sub(1);
        if last == 0 || each.op_kind(last) != OpKind::Immediate8 {
            return Ok(None);
        }
        let by = each.immediate(last);
        let a = self.wide(each, 0)?;
        let bytes = by.min(16) as u32;
        Ok(Some(match each.mnemonic() {
            Mnemonic::Pshufd => {
                let b = self.wide(each, 1)?;
                shuffled(b, b, by)
            }
            Mnemonic::Pshuflw | Mnemonic::Pshufhw => {
                let b = self.wide(each, 1)?;
                let from = if each.mnemonic() == Mnemonic::Pshuflw { 0 } else { 64 };
                let half = (0..4).fold(0, |all, lane| {
                    let wanted = from + 16 * (by >> (2 * lane) & 3) as u32;
                    all | (b >> wanted & 0xFFFF) << (from + 16 * lane as u32)
                });
                b & !(u128::from(u64::MAX) << from) | half
            }
            Mnemonic::Palignr => {
                let b = self.wide(each, 1)?;
                let high = a.checked_shl(128_u32.saturating_sub(8 * by.min(32) as u32));
                match by {
                    0 => b,
                    1..=15 => b >> (8 * by) | high.unwrap_or(0),
                    16..=31 => a >> (8 * (by - 16)),
                    _ => 0,
                }
            }
            Mnemonic::Shufps => shuffled(a, self.wide(each, 1)?, by),
            Mnemonic::Psrldq => a.checked_shr(8 * bytes).unwrap_or(0),
            Mnemonic::Pslldq => a.checked_shl(8 * bytes).unwrap_or(0),
            Mnemonic::Psrlq => by_lane(a, 0, 8, |a, _| a.checked_shr(by as u32).unwrap_or(0)),
            Mnemonic::Psllq => by_lane(a, 0, 8, |a, _| a.checked_shl(by as u32).unwrap_or(0)),
            Mnemonic::Psrld => by_lane(a, 0, 4, |a, _| a.checked_shr(by as u32).unwrap_or(0)),
            Mnemonic::Pslld => by_lane(a, 0, 4, |a, _| a.checked_shl(by as u32).unwrap_or(0)),
            _ => return Ok(None),
        }))
    }
}

/// The result of two vectors.
fn combined(mnemonic: Mnemonic, a: u128, b: u128) -> Option<u128> {
    let equal = |size| by_lane(a, b, size, |a, b| if a == b { u64::MAX } else { 0 });
    let sum = |size| by_lane(a, b, size, u64::wrapping_add);
    let difference = |size| by_lane(a, b, size, u64::wrapping_sub);
    Some(match mnemonic {
        Mnemonic::Pxor | Mnemonic::Xorps | Mnemonic::Xorpd => a ^ b,
        Mnemonic::Por | Mnemonic::Orps | Mnemonic::Orpd => a | b,
        Mnemonic::Pand | Mnemonic::Andps | Mnemonic::Andpd => a & b,
        Mnemonic::Pandn | Mnemonic::Andnps | Mnemonic::Andnpd => !a & b,
        Mnemonic::Pcmpeqb => equal(1),
        Mnemonic::Pcmpeqw => equal(2),
        Mnemonic::Pcmpeqd => equal(4),
        Mnemonic::Pcmpgtb => {
            by_lane(a, b, 1, |a, b| if (a as i8) > b as i8 { u64::MAX } else { 0 })
        }
        Mnemonic::Pminub => by_lane(a, b, 1, u64::min),
        Mnemonic::Pmaxub => by_lane(a, b, 1, u64::max),
        Mnemonic::Paddb => sum(1),
        Mnemonic::Paddw => sum(2),
        Mnemonic::Paddd => sum(4),
        Mnemonic::Paddq => sum(8),
        Mnemonic::Psubb => difference(1),
        Mnemonic::Psubw => difference(2),
        Mnemonic::Psubd => difference(4),
        Mnemonic::Psubq => difference(8),
        Mnemonic::Punpcklbw => interleaved(a, b, 1, false),
        Mnemonic::Punpcklwd => interleaved(a, b, 2, false),
        Mnemonic::Punpckldq | Mnemonic::Unpcklps => interleaved(a, b, 4, false),
        Mnemonic::Punpcklqdq | Mnemonic::Unpcklpd => interleaved(a, b, 8, false),
        Mnemonic::Punpckhbw => interleaved(a, b, 1, true),
        Mnemonic::Punpckhwd => interleaved(a, b, 2, true),
        Mnemonic::Punpckhdq | Mnemonic::Unpckhps => interleaved(a, b, 4, true),
        Mnemonic::Punpckhqdq | Mnemonic::Unpckhpd => interleaved(a, b, 8, true),
        _ => return None,
    })
}
