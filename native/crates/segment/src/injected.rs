//! The memory that an injection leaves in its target: a page of code, then a page of words and
//! text, a stack, and room for vector registers.

/// Bytes of the code at the region's beginning.
pub const CODE_BYTES: usize = 4096;
/// Bytes of the whole region.
pub const REGION_BYTES: usize = 64 << 10;
/// Room for the line of Python with its terminator.
pub const TEXT_BYTES: usize = at::STACK_BOTTOM - at::TEXT;
/// Room for vector registers.
pub const VECTOR_BYTES: usize = REGION_BYTES - CODE_BYTES - at::VECTORS;
/// First word behind the code: a region of ours.
pub const REGION_MAGIC: u64 = u64::from_le_bytes(*b"arc-inj1");

/// Offsets of the words behind the code.
pub mod at {
    /// The region was left by the borrowed thread.
    pub const LEFT: usize = 8;
    /// `pthread_create` returned this much, plus 1.
    pub const CREATED: usize = 12;
    /// The new thread is through.
    pub const DONE: usize = 16;
    /// The borrowed thread's id.
    pub const BORROWED: usize = 24;
    /// The borrowed thread's stack pointer.
    pub const STACK_POINTER: usize = 32;
    /// Address at which it continues.
    pub const GOES_ON: usize = 40;
    /// Its signal mask.
    pub const MASK: usize = 48;
    /// `pthread_t` of the new thread.
    pub const THREAD: usize = 56;
    /// Table of functions.
    pub const FUNCTIONS: usize = 64;
    /// `pthread_attr_t` of the new thread.
    pub const ATTRIBUTES: usize = 128;
    /// The line of Python.
    pub const TEXT: usize = 256;
    /// Nothing of the words lies behind this.
    pub const STACK_BOTTOM: usize = 4096;
    /// Beginning of the stack, which grows down.
    pub const STACK_TOP: usize = STACK_BOTTOM + (32 << 10);
    /// Vector registers.
    pub const VECTORS: usize = STACK_TOP;
}
