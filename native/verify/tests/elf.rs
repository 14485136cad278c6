//! The readers of ELF files and memory maps fed with anything: they answer, or say what is wrong,
//! without a panic and within bounded memory, time and stack.

#[path = "../../crates/symbols/tests/compiled/mod.rs"]
mod compiled;

use std::path::Path;
use std::rc::Rc;
use std::sync::OnceLock;

use compiled::{Folder, INLINED};
use platform::maps::{Mapping, MemoryMap};
use proptest::collection::vec;
use proptest::prelude::*;
use symbols::elf::lines::NoLines;
use symbols::elf::{build_id_of_notes, machine_of, Budget, ElfFile, Lines};

/// Asks a file for everything.
fn read_all(path: &Path) {
    let _ = machine_of(path);
    let Ok(file) = ElfFile::open(path) else { return };
    let _ = (file.address_at(0), file.loaded_at(0x1000));
    let exports = file.exports(|_| true).unwrap_or_default();
    if let Ok(functions) = file.functions() {
        let _ = (functions.at(0), functions.at(u64::MAX));
    }
    if let Ok(lines) = Lines::read(&file, None, Rc::new(Budget::default())) {
        for export in exports.iter().take(20) {
            for address in export.address..export.address.saturating_add(24) {
                let _ = lines.at(address);
            }
        }
    }
}

/// Libraries with debug information of both forms.
fn libraries() -> &'static [Vec<u8>] {
    static LIBRARIES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let folder = Folder::new("damaged");
        ["-gdwarf-4", "-gdwarf-5"]
            .iter()
            .map(|form| folder.compile("whole.c", INLINED, &["-O2", form]))
            .map(|library| std::fs::read(library).expect("a library"))
            .collect()
    })
}

/// The places of the debug information and of the tables of contents in a library.
fn parts(content: &[u8]) -> Vec<(usize, usize)> {
    let folder = Folder::new("parts");
    let path = folder.0.join("whole.so");
    std::fs::write(&path, content).expect("room");
    let file = ElfFile::open(&path).expect("a library");
    let names = [".debug_info", ".debug_abbrev", ".debug_line", ".debug_rnglists", ".debug_ranges"];
    let found = names.iter().filter_map(|name| file.section(name));
    let mut parts: Vec<_> = found.map(|each| (each.offset as usize, each.bytes as usize)).collect();
    parts.push((0, 64));
    parts.push((content.len() - 64 * 20, 64 * 20));
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in vec(any::<u8>(), 0..4096)) {
        let folder = Folder::new("noise");
        let path = folder.0.join("noise.so");
        std::fs::write(&path, &bytes).expect("room");
        prop_assert!(ElfFile::open(&path).is_err());
        read_all(&path);
        let _ = build_id_of_notes(&bytes);
    }

    #[test]
    fn a_damaged_library_is_an_answer_or_an_error(
        which in 0_usize..2,
        damage in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut content = libraries()[which].clone();
        let parts = parts(&content);
        for (part, at, value) in damage {
            let (from, bytes) = *part.get(&parts);
            content[from + at.index(bytes)] = value;
        }
        let folder = Folder::new("damage");
        let path = folder.0.join("damaged.so");
        std::fs::write(&path, &content).expect("room");
        read_all(&path);
    }

    #[test]
    fn any_line_of_a_map_is_a_mapping_or_left_out(line in vec(any::<u8>(), 0..200)) {
        let text: Vec<u8> = [&b"7f00-7fff r-xp 0 00:00 9 /a\n"[..], &line, b"\n"].concat();
        let map = MemoryMap::from(&text[..]);
        prop_assert_eq!(map.iter().next().map(|each| each.inode), Some(9));
        prop_assert!(map.iter().all(|each| each.low < each.high));
    }

    #[test]
    fn a_mapping_reads_back_as_it_was_written(
        low in any::<u32>(), bytes in 1_u32.., offset in any::<u64>(), inode in any::<u64>(),
        device in any::<(u32, u32)>(), flags in any::<[bool; 4]>(), path in "/[a-z /]{0,20}",
    ) {
        let (low, high) = (u64::from(low), u64::from(low) + u64::from(bytes));
        let letters = ["r-", "w-", "x-", "sp"].map(str::as_bytes);
        let access: [u8; 4] = std::array::from_fn(|at| letters[at][usize::from(!flags[at])]);
        let line = format!(
            "{low:x}-{high:x} {} {offset:08x} {:02x}:{:02x} {inode}          {path}",
            String::from_utf8_lossy(&access), device.0, device.1,
        );
        let mapping = Mapping { low, high, access, offset, device, inode, path: path.as_bytes() };
        prop_assert_eq!(Mapping::parse(line.as_bytes()), Some(mapping));
    }
}

/// A function in which so many functions are said to be inlined, each into the next.
fn nested(depth: usize) -> String {
    format!(
        "
        .text
        .globl f
        .type f, @function
    f:  ret
    .Lend:
        .section .debug_abbrev, \"\", @progbits
        .byte 1, 0x11, 1,  0x11, 1,  0x12, 7,  0, 0
        .byte 2, 0x2e, 1,  0x11, 1,  0x12, 7,  0, 0
        .byte 3, 0x1d, 1,  0, 0,  0
        .section .debug_info, \"\", @progbits
        .long .Lbehind - .Lunit
    .Lunit:
        .value 4
        .long 0
        .byte 8
        .byte 1
        .quad f, .Lend - f
        .byte 2
        .quad f, .Lend - f
        .fill {depth}, 1, 3
        .fill {}, 1, 0
    .Lbehind:
        ",
        depth + 2
    )
}

#[test]
fn functions_that_are_nested_without_end_are_refused_and_no_stack_overflows() {
    let folder = Folder::new("nested");
    for (depth, expected) in [(10, Ok(1)), (1_000_000, Err(NoLines::TooLarge))] {
        let library = folder.compile("nested.s", &nested(depth), &[]);
        let file = ElfFile::open(&library).expect("a library");
        let address = file.exports(|name| name == b"f").expect("symbols")[0].address;
        let lines = Lines::read(&file, None, Rc::new(Budget::default())).expect("units");
        assert_eq!(lines.at(address).map(|places| places.len()), expected, "{depth}");
    }
}
