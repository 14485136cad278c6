//! Destructors written as bytes, over memory made by hand.

use std::collections::HashMap;

use crate::{Effect, EffectKind, Outcome, Page, Rehearsal, Source, Stop, FUNCTIONS, PAGE};

const CODE: u64 = 0x40_0000;
const HEAP: u64 = 0x50_0000;
const FREE: u64 = 0x60_0000;

#[derive(Default)]
struct Memory(HashMap<u64, Page>);

impl Source for Memory {
    fn page(&mut self, address: u64) -> Option<Page> {
        self.0.get(&address).copied()
    }
}

impl Memory {
    fn put(&mut self, address: u64, bytes: &[u8]) {
        for (offset, &byte) in bytes.iter().enumerate() {
            let at = address + offset as u64;
            let page = self.0.entry(at & !(PAGE - 1)).or_insert([0; PAGE as usize]);
            page[(at & (PAGE - 1)) as usize] = byte;
        }
    }

    fn word(&mut self, address: u64, word: u64) {
        self.put(address, &word.to_le_bytes());
    }

    fn run(self) -> Outcome {
        let free = FUNCTIONS.iter().position(|&name| name == "free").expect("it is listed");
        Rehearsal::new(self, [(FREE, free)], 0, []).drop_object(HEAP, CODE)
    }
}

/// An object with a count, and at 16 the address of an `Arc` of so many references.
fn object(strong: u64, code: &[u8]) -> Memory {
    let mut memory = Memory::default();
    memory.word(HEAP, 1);
    memory.word(HEAP + 16, HEAP + 256);
    memory.word(HEAP + 256, strong);
    memory.word(HEAP + 264, 2);
    memory.put(CODE, code);
    memory
}

/// mov rax,[rdi+16]; lock dec qword [rax]; jne end; mov rdi,rax; mov eax,FREE; jmp rax; end: ret
const DROP_ARC: &[u8] = &[
    0x48, 0x8b, 0x47, 0x10, 0xf0, 0x48, 0xff, 0x08, 0x75, 0x0a, 0x48, 0x89, 0xc7, 0xb8, 0x00, 0x00,
    0x60, 0x00, 0xff, 0xe0, 0xc3,
];

#[test]
fn a_count_that_falls_is_told_with_its_number_before_and_after() {
    let outcome = object(3, DROP_ARC).run();
    let kind = EffectKind::Atomic as u32;
    let fall = Effect { address: HEAP + 256, before: 3, after: 2, kind, size: 8 };
    assert_eq!((outcome.effects, outcome.stop, outcome.steps), (vec![fall], None, 4));
}

#[test]
fn the_last_reference_gives_the_memory_back() {
    let outcome = object(1, DROP_ARC).run();
    let kinds: Vec<_> = outcome.effects.iter().map(|each| (each.kind, each.address)).collect();
    let wanted = [(EffectKind::Atomic, HEAP + 256), (EffectKind::Freed, HEAP + 256)];
    assert_eq!(kinds, wanted.map(|(kind, address)| (kind as u32, address)));
    assert_eq!(outcome.stop, None);
}

#[test]
fn a_number_that_rises_again_is_no_effect() {
    // mov rax,[rdi+16]; dec qword [rax]; inc qword [rax]; ret
    let code = [0x48, 0x8b, 0x47, 0x10, 0x48, 0xff, 0x08, 0x48, 0xff, 0x00, 0xc3];
    assert_eq!(object(3, &code).run().effects, []);
}

#[test]
fn a_destructor_that_is_not_followed_says_why() {
    let stops = |code: &[u8]| object(1, code).run().stop;
    // jmp to itself
    assert_eq!(stops(&[0xeb, 0xfe]), Some(Stop::Steps));
    // mov rax,[0x10]
    let low = [0x48, 0x8b, 0x04, 0x25, 0x10, 0, 0, 0];
    assert_eq!(stops(&low), Some(Stop::Unreadable(0)));
    // mov eax,1; syscall
    assert_eq!(stops(&[0xb8, 1, 0, 0, 0, 0x0f, 0x05]), Some(Stop::System(1)));
    // mov eax,202; xor esi,esi; syscall: waits
    let wait = [0xb8, 202, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05];
    assert_eq!(stops(&wait), Some(Stop::Locked));
    // cpuid
    assert!(matches!(stops(&[0x0f, 0xa2]), Some(Stop::Instruction(name)) if name == "Cpuid"));
}

#[test]
fn a_hooked_slot_has_its_own_word_in_the_copy() {
    let mut memory = object(1, &[0xff, 0x27]); // jmp [rdi]: the object's first word
    memory.word(HEAP + 24, 0xdead_0000);
    memory.put(CODE, &[0xff, 0x67, 0x18]); // jmp [rdi+24]
    memory.put(CODE + 64, &[0xc3]);
    let outcome = Rehearsal::new(memory, [], 0, [(HEAP + 24, CODE + 64)]).drop_object(HEAP, CODE);
    assert_eq!((outcome.stop, outcome.steps), (None, 2));
}

/// Runs code that ends in `ret` with the object's second word as a result, and gives the word.
fn result(code: &[u8]) -> u64 {
    // the result is in rax: mov [rdi+32],rax is told by lowering a count of that many
    let mut memory = object(7, code);
    memory.word(HEAP + 512, 1 << 30);
    let mut whole = code.to_vec();
    // mov rcx,[rdi+16]; add rcx,256; sub rax,1; mov [rcx],rax; ret
    whole.extend([0x48, 0x8b, 0x4f, 0x10, 0x48, 0x81, 0xc1, 0, 1, 0, 0]);
    whole.extend([0x48, 0x83, 0xe8, 1, 0x48, 0x89, 0x01, 0xc3]);
    memory.put(CODE, &whole);
    let outcome = memory.run();
    assert_eq!(outcome.stop, None);
    outcome.effects.iter().find(|each| each.address == HEAP + 512).map_or(0, |each| each.after + 1)
}

#[test]
fn arithmetic_agrees_with_the_processor() {
    // each leaves 1 << 30 in rax
    let cases: [&[u8]; 8] = [
        &[0xb8, 0, 0, 0, 0x40],                                         // mov eax
        &[0xb8, 1, 0, 0, 0, 0x48, 0xc1, 0xe0, 30],                      // shl
        &[0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x48, 0xc1, 0xe8, 32], // shr
        &[0xb8, 0, 0, 0, 0x20, 0x48, 0x8d, 0x04, 0x00],                 // lea rax,[rax+rax]
        &[0xb8, 0, 0, 1, 0, 0x48, 0x69, 0xc0, 0, 0x40, 0, 0],           // imul
        &[0xb8, 0, 0, 0, 0xc0, 0xf7, 0xd8],                             // neg eax
        &[0xb8, 0, 0, 0, 0x40, 0x66, 0x48, 0x0f, 0x6e, 0xc0, 0x66, 0x48, 0x0f, 0x7e, 0xc0], // movq
        &[0xb8, 0, 0, 0, 0x10, 0xc1, 0xc0, 2],                          // rol
    ];
    for code in cases {
        assert_eq!(result(code), 1 << 30, "{code:02x?}");
    }
}
