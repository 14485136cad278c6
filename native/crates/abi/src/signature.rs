//! The way in which a function's arguments and result cross the boundary.

use crate::metadata::Function;
use crate::types::Type;

/// Bytes of a buffer that is passed as an argument: capacity, length, place.
const BUFFER_BYTES: usize = 24;
/// Registers for whole numbers, and for floating-point numbers.
const WHOLE_REGISTERS: usize = 6;
const FLOATING_REGISTERS: usize = 8;
/// Bytes of arguments on the stack that are copied of a function that no metadata describe: eight
/// buffers.
pub const UNDESCRIBED_BYTES: usize = 8 * BUFFER_BYTES;

/// The form in which a value crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// In a register, or eight bytes of the stack.
    Whole,
    /// In a register for floating-point numbers.
    Floating,
    /// In a buffer.
    Buffer,
}

/// The form in which values of a type cross.
pub fn passing(of: &Type) -> Passing {
    match of {
        Type::Whole(_) | Type::Object(..) | Type::Callback(_) => Passing::Whole,
        Type::Floating(_) => Passing::Floating,
        _ => Passing::Buffer,
    }
}

/// Whether the caller gives the place for the result.
pub fn has_place(function: &Function) -> bool {
    !function.is_async && function.returns.as_ref().is_some_and(|of| passing(of) == Passing::Buffer)
}

/// Bytes of the stack that the arguments of a function take, a multiple of 16.
pub fn stack_bytes(function: &Function) -> usize {
    let (mut wholes, mut floats, mut buffers) = (0, 0, 0);
    for input in &function.inputs {
        match passing(input) {
            Passing::Whole => wholes += 1,
            Passing::Floating => floats += 1,
            Passing::Buffer => buffers += 1,
        }
    }
    wholes += usize::from(function.receiver.is_some()) + usize::from(has_place(function));
    // the place for the status of the call
    wholes += usize::from(!function.is_async);
    let beyond = wholes.saturating_sub(WHOLE_REGISTERS) + floats_beyond(floats);
    (buffers * BUFFER_BYTES + 8 * beyond).next_multiple_of(16)
}

fn floats_beyond(floats: usize) -> usize {
    floats.saturating_sub(FLOATING_REGISTERS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::samples::{name, object};

    #[test]
    fn buffers_and_arguments_without_a_register_lie_on_the_stack() {
        let mut function = Function {
            symbol: String::new(),
            receiver: Some(name("Node")),
            inputs: vec![Type::Whole(8), object("Node"), Type::Floating(8)],
            returns: Some(object("Node")),
            is_async: false,
        };
        assert_eq!(stack_bytes(&function), 0);
        function.inputs.push(Type::Text);
        assert_eq!(stack_bytes(&function), 32);
        function.returns = Some(Type::Text);
        assert_eq!(stack_bytes(&function), 32, "five registers");
        function.inputs.extend([Type::Whole(1), Type::Whole(1)]);
        assert_eq!(stack_bytes(&function), 32, "seven words, one of them on the stack");
        function.inputs.push(Type::Whole(1));
        assert_eq!(stack_bytes(&function), 48);
        function.is_async = true;
        assert_eq!(stack_bytes(&function), 32, "neither a place nor a status");
        function.inputs.extend(vec![Type::Floating(4); 9]);
        assert_eq!(stack_bytes(&function), 48, "two numbers without a register");
    }
}
