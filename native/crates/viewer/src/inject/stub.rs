//! The machine code that a borrowed thread runs, and the thread that it starts. Position
//! independent; copied into the target's region.
//!
//! The borrowed thread arrives with its own registers. It saves them all on a stack of the region,
//! calls `pthread_create`, gives itself back its signal mask, its vector state and its registers,
//! and jumps to where it was. Nothing of that needs the injector any more.

use segment::injected::{at, CODE_BYTES};

std::arch::global_asm!(
    ".pushsection .rodata.arc_inspector_stub, \"a\", @progbits",
    ".balign 16",
    ".hidden arc_inspector_stub_begin",
    ".hidden arc_inspector_stub_end",
    ".globl arc_inspector_stub_begin",
    ".globl arc_inspector_stub_end",
    "arc_inspector_stub_begin:",
    "mov [rip + arc_inspector_stub_begin + {page} + {stack_pointer}], rsp",
    "lea rsp, [rip + arc_inspector_stub_begin + {page} + {stack_top}]",
    "pushfq",
    "push rax; push rcx; push rdx; push rbx; push rbp; push rsi; push rdi",
    "push r8; push r9; push r10; push r11; push r12; push r13; push r14; push r15",
    "cld",
    "lea rbx, [rip + arc_inspector_stub_begin + {page}]",
    "mov eax, -1; mov edx, -1",
    "lea rdi, [rbx + {vectors}]",
    "xsave64 [rdi]",
    "lea rdi, [rbx + {thread}]",
    "lea rsi, [rbx + {attributes}]",
    "lea rdx, [rip + 2f]",
    "mov rcx, rbx",
    "call [rbx + {functions}]",
    "inc eax",
    "mov [rbx + {created}], eax",
    // rt_sigprocmask(SIG_SETMASK, &mask, NULL, 8)
    "mov eax, 14; mov edi, 2; lea rsi, [rbx + {mask}]; xor edx, edx; mov r10d, 8; syscall",
    "mov eax, -1; mov edx, -1",
    "lea rdi, [rbx + {vectors}]",
    "xrstor64 [rdi]",
    "pop r15; pop r14; pop r13; pop r12; pop r11; pop r10; pop r9; pop r8",
    "pop rdi; pop rsi; pop rbp; pop rbx; pop rdx; pop rcx; pop rax",
    "popfq",
    "mov dword ptr [rip + arc_inspector_stub_begin + {page} + {left}], 1",
    "mov rsp, [rip + arc_inspector_stub_begin + {page} + {stack_pointer}]",
    "jmp [rip + arc_inspector_stub_begin + {page} + {goes_on}]",
    // the new thread, with the region's second page as its argument
    ".balign 16",
    "2:",
    "push rbx; push r12; sub rsp, 8",
    "mov rbx, rdi",
    "call [rbx + {functions} + 8]", // pthread_self
    "mov rdi, rax",
    "call [rbx + {functions} + 16]", // pthread_detach
    "call [rbx + {functions} + 24]", // Py_IsInitialized
    "test eax, eax",
    "jz 3f",
    "call [rbx + {functions} + 32]", // PyGILState_Ensure
    "mov r12d, eax",
    "lea rdi, [rbx + {text}]",
    "call [rbx + {functions} + 40]", // PyRun_SimpleString
    "mov edi, r12d",
    "call [rbx + {functions} + 48]", // PyGILState_Release
    "3:",
    "mov dword ptr [rbx + {done}], 1",
    "add rsp, 8; pop r12; pop rbx",
    "xor eax, eax",
    "ret",
    "arc_inspector_stub_end:",
    ".popsection",
    page = const CODE_BYTES,
    stack_pointer = const at::STACK_POINTER,
    stack_top = const at::STACK_TOP,
    vectors = const at::VECTORS,
    thread = const at::THREAD,
    attributes = const at::ATTRIBUTES,
    functions = const at::FUNCTIONS,
    created = const at::CREATED,
    mask = const at::MASK,
    left = const at::LEFT,
    goes_on = const at::GOES_ON,
    text = const at::TEXT,
    done = const at::DONE,
);

extern "C" {
    static arc_inspector_stub_begin: u8;
    static arc_inspector_stub_end: u8;
}

/// The stub's bytes.
pub fn code() -> &'static [u8] {
    // SAFETY: both symbols lie in one section, in this order; the bytes between them are never
    // written.
    unsafe {
        let begin: *const u8 = &raw const arc_inspector_stub_begin;
        let end: *const u8 = &raw const arc_inspector_stub_end;
        std::slice::from_raw_parts(begin, end.addr() - begin.addr())
    }
}

/// Whether this machine can run the stub: its vector state is saved with `xsave`, and fits.
pub fn is_supported() -> bool {
    std::arch::is_x86_feature_detected!("xsave") && {
        // SAFETY: every x86-64 processor knows `cpuid`, and one with xsave this leaf. Safe by
        // itself from Rust 1.91 on.
        #[allow(unused_unsafe)]
        let state = unsafe { std::arch::x86_64::__cpuid_count(0xd, 0) };
        state.ebx as usize <= segment::injected::VECTOR_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stub_fits_in_its_page_and_ends_in_a_return() {
        assert!(code().len() < CODE_BYTES, "{} bytes", code().len());
        assert_eq!(code().last(), Some(&0xc3));
    }
}
