//! Registers and flags of x86-64, and the arithmetic that sets the flags.

use iced_x86::{ConditionCode, Register};

/// The stack pointer among the registers.
pub(crate) const RSP: usize = 4;

/// Flags that conditions read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) carry: bool,
    pub(crate) zero: bool,
    pub(crate) sign: bool,
    pub(crate) overflow: bool,
    pub(crate) parity: bool,
}

/// The state of the processor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) general: [u64; 16],
    pub(crate) vectors: [u128; 16],
    pub(crate) flags: Flags,
    pub(crate) next: u64,
    pub(crate) thread: u64,
}

/// All bits of a number of `size` bytes.
pub(crate) fn mask(size: usize) -> u64 {
    if size >= 8 {
        u64::MAX
    } else {
        (1 << (8 * size)) - 1
    }
}

/// The highest bit of a number of `size` bytes.
pub(crate) fn sign_bit(size: usize) -> u64 {
    1 << (8 * size.clamp(1, 8) - 1)
}

/// A number of `size` bytes with its sign carried on to 64 bits.
pub(crate) fn signed(value: u64, size: usize) -> i64 {
    let unused = 64 - 8 * size.clamp(1, 8) as u32;
    ((value << unused) as i64) >> unused
}

/// Whether a register is the second byte of another one.
fn is_high(register: Register) -> bool {
    matches!(register, Register::AH | Register::CH | Register::DH | Register::BH)
}

impl Cpu {
    /// A general register; `None`: the register is another kind.
    pub(crate) fn get(&self, register: Register) -> Option<u64> {
        if !register.is_gpr() {
            return None;
        }
        let whole = self.general[register.full_register().number() & 15];
        let moved = if is_high(register) { whole >> 8 } else { whole };
        Some(moved & mask(register.size()))
    }

    /// Sets a general register: 32 bits clear the upper half, fewer bits leave the rest.
    pub(crate) fn set(&mut self, register: Register, value: u64) -> Option<()> {
        if !register.is_gpr() {
            return None;
        }
        let place = &mut self.general[register.full_register().number() & 15];
        let (size, shift) = (register.size(), if is_high(register) { 8 } else { 0 });
        let bits = mask(size) << shift;
        *place = match size {
            8 => value,
            4 => value & mask(4),
            _ => *place & !bits | value << shift & bits,
        };
        Some(())
    }

    /// Flags of a result that is a number of bits alone.
    pub(crate) fn logic(&mut self, result: u64, size: usize) {
        self.result_flags(result, size);
        self.flags.carry = false;
        self.flags.overflow = false;
    }

    /// Zero, sign and parity.
    pub(crate) fn result_flags(&mut self, result: u64, size: usize) {
        let result = result & mask(size);
        self.flags.zero = result == 0;
        self.flags.sign = result & sign_bit(size) != 0;
        self.flags.parity = (result as u8).count_ones() % 2 == 0;
    }

    pub(crate) fn add(&mut self, a: u64, b: u64, carry: bool, size: usize) -> u64 {
        let (a, b) = (a & mask(size), b & mask(size));
        let wide = u128::from(a) + u128::from(b) + u128::from(carry);
        let result = wide as u64 & mask(size);
        self.result_flags(result, size);
        self.flags.carry = wide > u128::from(mask(size));
        self.flags.overflow = (a ^ result) & (b ^ result) & sign_bit(size) != 0;
        result
    }

    pub(crate) fn subtract(&mut self, a: u64, b: u64, borrow: bool, size: usize) -> u64 {
        let (a, b) = (a & mask(size), b & mask(size));
        let result = a.wrapping_sub(b).wrapping_sub(u64::from(borrow)) & mask(size);
        self.result_flags(result, size);
        self.flags.carry = u128::from(a) < u128::from(b) + u128::from(borrow);
        self.flags.overflow = (a ^ b) & (a ^ result) & sign_bit(size) != 0;
        result
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, condition: ConditionCode) -> bool {
        let flags = self.flags;
        match condition {
            ConditionCode::o => flags.overflow,
            ConditionCode::no => !flags.overflow,
            ConditionCode::b => flags.carry,
            ConditionCode::ae => !flags.carry,
            ConditionCode::e => flags.zero,
            ConditionCode::ne => !flags.zero,
            ConditionCode::be => flags.carry || flags.zero,
            ConditionCode::a => !flags.carry && !flags.zero,
            ConditionCode::s => flags.sign,
            ConditionCode::ns => !flags.sign,
            ConditionCode::p => flags.parity,
            ConditionCode::np => !flags.parity,
            ConditionCode::l => flags.sign != flags.overflow,
            ConditionCode::ge => flags.sign == flags.overflow,
            ConditionCode::le => flags.zero || flags.sign != flags.overflow,
            ConditionCode::g => !flags.zero && flags.sign == flags.overflow,
            ConditionCode::None => true,
        }
    }
}
