/* The library that is loaded before a program's own libraries: its dlsym is found first.
 *
 * A name that is not of UniFFI goes to the C library's dlsym by a jump, so that the C library sees
 * the program as its caller, which RTLD_NEXT and RTLD_DEFAULT depend on. */
#include <stddef.h>
#include <stdint.h>

void ai_preload_loaded(void);
size_t ai_preload_next(void);
size_t ai_preload_resolve(const char *name, size_t address);

#if defined(__x86_64__) && defined(__linux__)
typedef void *(*Lookup)(void *, const char *);
__attribute__((visibility("hidden"))) Lookup ai_preload_real;

__attribute__((visibility("hidden"), used)) void ai_preload_find(void) {
    if (!ai_preload_real) ai_preload_real = (Lookup)ai_preload_next();
}

__attribute__((visibility("hidden"), used)) void *ai_preload_look(void *handle, const char *name) {
    void *found;
    ai_preload_find();
    found = ai_preload_real ? ai_preload_real(handle, name) : NULL;
    return (void *)ai_preload_resolve(name, (size_t)found);
}

/* "uniffi_" and "ffi_" are told by their first four letters; the rest is compared in Rust */
__asm__(".text\n"
        ".globl dlsym\n"
        ".type dlsym, @function\n"
        "dlsym:\n"
        ".cfi_startproc\n"
        "test %rsi, %rsi\n"
        "jz 3f\n"
        "cmpb $'u', (%rsi)\n"
        "jne 1f\n"
        "cmpb $'n', 1(%rsi)\n"
        "jne 3f\n"
        "cmpb $'i', 2(%rsi)\n"
        "jne 3f\n"
        "cmpb $'f', 3(%rsi)\n"
        "jne 3f\n"
        "jmp ai_preload_look\n"
        "1: cmpb $'f', (%rsi)\n"
        "jne 3f\n"
        "cmpb $'f', 1(%rsi)\n"
        "jne 3f\n"
        "cmpb $'i', 2(%rsi)\n"
        "jne 3f\n"
        "cmpb $'_', 3(%rsi)\n"
        "je ai_preload_look\n"
        "3: mov ai_preload_real(%rip), %rax\n"
        "test %rax, %rax\n"
        "jz 4f\n"
        "jmp *%rax\n"
        "4: push %rdi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %rsi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "sub $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "call ai_preload_find\n"
        "add $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rsi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rdi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "mov ai_preload_real(%rip), %rax\n"
        "test %rax, %rax\n"
        "jz 5f\n"
        "jmp *%rax\n"
        "5: ret\n"
        ".cfi_endproc\n"
        ".size dlsym, .-dlsym\n");

__attribute__((constructor)) static void begin(void) {
    ai_preload_find();
    ai_preload_loaded();
}
#endif
