//! Stand-ins for the functions of libraries: a fixed number of small functions of ours, each with an
//! entry that names the function and the route of its calls.
//!
//! A stub finds its entry by its own address and jumps along the entry's route: straight to the
//! function, to code of ours before the function, or around it. No code is written at run time. An
//! entry is never used for another function: a program that kept a stub can call it for ever.
//!
//! The routes have unwind tables, so stacks and panics of other languages pass through them.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use segment::sync::Lock;

/// Number of stubs; matrix-sdk, a large library, has 900 functions that give or take handles.
pub const STUBS: usize = 8192;

/// The entry of a stub. The assembly below knows the places of its fields and its size.
#[repr(C, align(64))]
pub struct Entry {
    /// The library's function.
    real: AtomicUsize,
    /// The code that a call takes.
    route: AtomicUsize,
    /// Bytes of arguments on the stack, which the route around a function copies.
    stack_bytes: AtomicUsize,
    /// The first argument of ours; NULL: the entry is free.
    act: AtomicPtr<()>,
}

/// The route of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Ours runs first, then the function in its place. For functions of two whole arguments.
    Before,
    /// The function is called, then ours gets its result.
    Around,
}

static TABLE: [Entry; STUBS] = [const {
    Entry {
        real: AtomicUsize::new(0),
        route: AtomicUsize::new(0),
        stack_bytes: AtomicUsize::new(0),
        act: AtomicPtr::new(std::ptr::null_mut()),
    }
}; STUBS];
/// Ours on each route: set before the first stub.
static OURS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
/// Entries in use; guards giving them out.
static USED: Lock<usize> = Lock::new(0);

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod machine {
    use crate::stubs::{Entry, OURS, STUBS, TABLE};

    // `lea` takes 7 bytes and `jmp` 2 or 5: a stub has 16 bytes, and an entry 64
    std::arch::global_asm!(
        ".text",
        ".balign 16",
        ".hidden ai_abi_stubs",
        ".globl ai_abi_stubs",
        "ai_abi_stubs:",
        ".rept {stubs}",
        "lea 0(%rip), %r11",
        "jmp ai_abi_dispatch",
        ".balign 16",
        ".endr",
        "ai_abi_dispatch:",
        ".cfi_startproc",
        "lea 7+ai_abi_stubs(%rip), %rax",
        "sub %rax, %r11",
        "lea {table}(%rip), %rax",
        "lea (%rax,%r11,4), %r11",
        "jmp *8(%r11)",
        ".cfi_endproc",
        // straight to the function
        ".hidden ai_abi_through",
        ".globl ai_abi_through",
        "ai_abi_through:",
        ".cfi_startproc",
        "jmp *(%r11)",
        ".cfi_endproc",
        // ours, then the function with the arguments as they came
        ".hidden ai_abi_before",
        ".globl ai_abi_before",
        ".type ai_abi_before, @function",
        "ai_abi_before:",
        ".cfi_startproc",
        "push %rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset %rbp, -16",
        "mov %rsp, %rbp",
        ".cfi_def_cfa_register %rbp",
        "push %rdi",
        "push %rsi",
        "push %r11",
        "sub $8, %rsp",
        "mov %rdi, %rsi",
        "mov 24(%r11), %rdi",
        "call *{ours}(%rip)",
        "add $8, %rsp",
        "pop %r11",
        "pop %rsi",
        "pop %rdi",
        "pop %rbp",
        ".cfi_def_cfa %rsp, 8",
        "jmp *(%r11)",
        ".cfi_endproc",
        ".size ai_abi_before, .-ai_abi_before",
        // the function with a copy of the arguments on the stack, then ours with its result
        ".hidden ai_abi_around",
        ".globl ai_abi_around",
        ".type ai_abi_around, @function",
        "ai_abi_around:",
        ".cfi_startproc",
        "push %rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset %rbp, -16",
        "mov %rsp, %rbp",
        ".cfi_def_cfa_register %rbp",
        "push %rbx",
        ".cfi_offset %rbx, -24",
        "push %rdi",
        "push %rsi",
        "sub $8, %rsp",
        "mov %r11, %rbx",
        "mov 16(%rbx), %rax",
        "sub %rax, %rsp",
        "test %rax, %rax",
        "jz 3f",
        "2: mov 8(%rbp,%rax), %r11",
        "mov %r11, -8(%rsp,%rax)",
        "sub $8, %rax",
        "jnz 2b",
        "3: call *(%rbx)",
        "lea -32(%rbp), %rsp",
        "mov 24(%rbx), %rdi",
        "mov -16(%rbp), %rdx",
        "mov -24(%rbp), %rcx",
        "mov %rax, %rsi",
        "mov %rax, %rbx",
        "call *{ours}+8(%rip)",
        "mov %rbx, %rax",
        "mov -8(%rbp), %rbx",
        "leave",
        ".cfi_def_cfa %rsp, 8",
        ".cfi_restore %rbx",
        "ret",
        ".cfi_endproc",
        ".size ai_abi_around, .-ai_abi_around",
        stubs = const STUBS,
        table = sym TABLE,
        ours = sym OURS,
        options(att_syntax)
    );

    extern "C" {
        fn ai_abi_stubs();
        fn ai_abi_through();
        fn ai_abi_before();
        fn ai_abi_around();
    }

    const _: () = assert!(size_of::<Entry>() == 64);

    pub const STUB_BYTES: usize = 16;

    pub fn stubs() -> usize {
        ai_abi_stubs as *const () as usize
    }

    pub fn through() -> usize {
        ai_abi_through as *const () as usize
    }

    pub fn before() -> usize {
        ai_abi_before as *const () as usize
    }

    pub fn around() -> usize {
        ai_abi_around as *const () as usize
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod machine {
    pub const STUB_BYTES: usize = 16;

    pub fn stubs() -> usize {
        0
    }

    pub fn through() -> usize {
        0
    }

    pub fn before() -> usize {
        0
    }

    pub fn around() -> usize {
        0
    }
}

/// Whether there are stubs for this processor.
pub fn are_there() -> bool {
    machine::stubs() != 0
}

/// The function of the frame that the program's own frames follow.
pub fn innermost() -> usize {
    machine::around()
}

/// Ours before a function: with the argument of its entry, and the function's first argument.
pub type Before = unsafe extern "C" fn(*const (), u64);
/// Ours after a function: with the argument of its entry, the function's result, and its first two
/// arguments.
pub type Around = unsafe extern "C" fn(*const (), u64, u64, u64);

/// Sets ours. Before the first stub.
pub fn set_ours(before: Before, around: Around) {
    OURS[0].store(before as usize, Ordering::Relaxed);
    OURS[1].store(around as usize, Ordering::Relaxed);
}

/// The stub that stands for `real` from now on; `None`: all are in use.
pub fn stub_for(real: usize, route: Route, stack_bytes: usize, act: *const ()) -> Option<usize> {
    let mut used = USED.lock();
    let entry = TABLE.get(*used).filter(|_| are_there())?;
    // Relaxed: the caller hands the stub to its users, and that orders
    entry.real.store(real, Ordering::Relaxed);
    entry.stack_bytes.store(stack_bytes, Ordering::Relaxed);
    entry.act.store(act.cast_mut(), Ordering::Relaxed);
    let code = match route {
        Route::Before => machine::before(),
        Route::Around => machine::around(),
    };
    entry.route.store(code, Ordering::Relaxed);
    let stub = machine::stubs() + *used * machine::STUB_BYTES;
    *used += 1;
    Some(stub)
}

/// Lets every call go straight to its function from now on. A call that is under way ends as it
/// began.
pub fn leave() {
    let used = USED.lock();
    // Relaxed: a call takes one route or the other, and both are right
    TABLE[..*used]
        .iter()
        .for_each(|entry| entry.route.store(machine::through(), Ordering::Relaxed));
}

/// Stubs in use.
pub fn used() -> usize {
    *USED.lock()
}

/// Holds the table across a fork.
pub fn hold() {
    USED.hold();
}

/// Releases it.
///
/// # Safety
/// After `hold`, by the same thread or its copy in the child.
pub unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { USED.let_go() };
}
