//! The reader of libraries, whose files belong to a target: any bytes.

use std::cell::Cell;
use std::fs::{remove_file, File};
use std::io::Write;
use std::rc::Rc;

use symbols::demangle::demangled;
use symbols::elf::{machine_of, Budget, ElfFile, Lines};

/// So many addresses are asked for, of those that the file names.
const ASKED: usize = 24;
/// Bytes that one file may cost.
const MOST_BYTES: u64 = 64 << 20;

fn look(path: &std::path::Path) -> Option<()> {
    let _ = machine_of(path);
    let file = ElfFile::open(path).ok()?;
    let exports = file.exports(|_| true).unwrap_or_default();
    let functions = file.functions().ok();
    let mut addresses = vec![0, 1, 0x1000, u64::MAX];
    addresses.extend(exports.iter().map(|export| export.address));
    addresses.truncate(ASKED);
    for export in &exports {
        demangled(&export.name);
    }
    for &address in &addresses {
        let _ = file.address_at(address);
        let _ = functions.as_ref().and_then(|found| found.at(address));
    }
    let total = Rc::new(Cell::new(MOST_BYTES));
    let lines = Lines::read(&file, None, Rc::new(Budget::new(MOST_BYTES, &total))).ok()?;
    for address in addresses {
        let _ = lines.at(address);
    }
    Some(())
}

/// Run a case.
///
/// # Panics
/// A finding, or the system has no room for a file.
pub fn run(bytes: &[u8]) {
    let path = std::env::temp_dir().join(format!("arc-inspector-fuzz-{}.so", std::process::id()));
    File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("room in the folder");
    look(&path);
    remove_file(&path).expect("the file is ours");
    if let Ok(text) = std::str::from_utf8(bytes) {
        demangled(text);
    }
}
