//! The libraries that are loaded into this process, and their symbols, as the loader keeps them in
//! memory.

use std::ffi::CStr;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

const DT_JMPREL: i64 = 23;
const DT_PLTRELSZ: i64 = 2;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_HASH: i64 = 4;
const DT_GNU_HASH: i64 = 0x6fff_fef5;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_STRSZ: i64 = 10;
/// Relocations that put the address of a symbol into a slot.
#[cfg(target_arch = "x86_64")]
const SLOTS: [u64; 3] = [1, 6, 7];
#[cfg(not(target_arch = "x86_64"))]
const SLOTS: [u64; 3] = [257, 1025, 1026];
/// More symbols than any library has: a damaged table.
const MOST_SYMBOLS: u32 = 1 << 24;

/// A symbol that a library defines.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'a> {
    /// Name.
    pub name: &'a str,
    /// Address in this process.
    pub address: u64,
    /// Bytes, 0: unknown.
    pub size: u64,
}

/// A word that the loader filled with the address of a symbol of another library.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// Name of the symbol.
    pub name: &'a str,
    /// Address of the word.
    pub address: u64,
}

/// A loaded library. It cannot be unloaded while a caller has it.
pub struct Library<'a> {
    /// Path; empty for the program itself.
    pub path: &'a CStr,
    base: u64,
    /// Range of its mapping.
    pub range: (u64, u64),
    tables: Tables,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tables {
    symbols: u64,
    names: u64,
    name_bytes: u64,
    hash: u64,
    gnu_hash: u64,
    relocations: [(u64, u64); 2],
}

/// Calls `look` with each loaded library. The loader waits meanwhile, so `look` must not load,
/// unload or look up anything, and should be short.
pub fn each_library(mut look: impl FnMut(&Library<'_>)) {
    let mut look: &mut dyn FnMut(&Library<'_>) = &mut look;
    // SAFETY: `visit` gets the place of `look`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut look).cast()) };
}

unsafe extern "C" fn visit(
    found: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader's record, and the place of `look` from `each_library`.
    let (found, look) = unsafe { (&*found, &mut *data.cast::<&mut dyn FnMut(&Library<'_>)>()) };
    // SAFETY: the loader keeps the library and its headers while this runs.
    if let Some(library) = unsafe { library_of(found) } {
        // a panic must not unwind through the loader
        let _ = catch_unwind(AssertUnwindSafe(|| look(&library)));
    }
    0
}

/// # Safety
/// The loader's record of a library that stays loaded during `'a`.
unsafe fn library_of<'a>(found: &libc::dl_phdr_info) -> Option<Library<'a>> {
    let base = found.dlpi_addr;
    // SAFETY: the caller's promise.
    let headers = unsafe { slice::from_raw_parts(found.dlpi_phdr, found.dlpi_phnum.into()) };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let low = loaded().map(|header| base + header.p_vaddr).min()?;
    let high = loaded().map(|header| base + header.p_vaddr + header.p_memsz).max()?;
    let dynamic = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC)?;
    // SAFETY: the dynamic section lies in the mapping.
    let tables = unsafe { tables(base, (base + dynamic.p_vaddr) as *const [i64; 2]) };
    let path = if found.dlpi_name.is_null() {
        c""
    } else {
        // SAFETY: the caller's promise.
        unsafe { CStr::from_ptr(found.dlpi_name) }
    };
    Some(Library { path, base, range: (low, high), tables })
}

/// # Safety
/// `entry` points to a dynamic section.
unsafe fn tables(base: u64, mut entry: *const [i64; 2]) -> Tables {
    let mut tables = Tables::default();
    // the loader has made addresses of most libraries absolute
    let absolute = |value: u64| if value < base { base + value } else { value };
    loop {
        // SAFETY: the caller's promise; the section ends with a tag of 0.
        let [tag, value] = unsafe { entry.read() };
        let value = value as u64;
        match tag {
            0 => return tables,
            DT_SYMTAB => tables.symbols = absolute(value),
            DT_STRTAB => tables.names = absolute(value),
            DT_STRSZ => tables.name_bytes = value,
            DT_HASH => tables.hash = absolute(value),
            DT_GNU_HASH => tables.gnu_hash = absolute(value),
            DT_JMPREL => tables.relocations[0].0 = absolute(value),
            DT_PLTRELSZ => tables.relocations[0].1 = value,
            DT_RELA => tables.relocations[1].0 = absolute(value),
            DT_RELASZ => tables.relocations[1].1 = value,
            _ => {}
        }
        entry = entry.wrapping_add(1);
    }
}

impl<'a> Library<'a> {
    /// The symbols that it defines and exports.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol<'a>> + use<'a> {
        let tables = self.tables;
        let base = self.base;
        // SAFETY: the loader's own tables.
        let count = if tables.symbols == 0 { 0 } else { unsafe { tables.count() } };
        (1..count).filter_map(move |index| {
            // SAFETY: below the number of symbols.
            let symbol = unsafe { tables.symbol(index) };
            // SAFETY: the name's place is the table's own.
            let name = unsafe { tables.name(symbol.st_name) }?;
            let is_here = symbol.st_shndx != 0 && symbol.st_value != 0;
            is_here.then(|| Symbol { name, address: base + symbol.st_value, size: symbol.st_size })
        })
    }

    /// The words that hold addresses of symbols by name.
    pub fn slots(&self) -> impl Iterator<Item = Slot<'a>> + use<'a> {
        let (tables, base) = (self.tables, self.base);
        let relocations = tables.relocations.into_iter().flat_map(|(from, bytes)| {
            let count = if from == 0 { 0 } else { bytes as usize / size_of::<libc::Elf64_Rela>() };
            (0..count).map(move |at| {
                // SAFETY: below the number of relocations, in the loader's table.
                unsafe { (from as *const libc::Elf64_Rela).add(at).read_unaligned() }
            })
        });
        relocations.filter_map(move |each| {
            let index = (each.r_info >> 32) as u32;
            if !SLOTS.contains(&(each.r_info & 0xffff_ffff)) || index == 0 || each.r_addend != 0 {
                return None;
            }
            // SAFETY: a relocation names a symbol of its library's table.
            let name = unsafe { tables.name(tables.symbol(index).st_name) }?;
            Some(Slot { name, address: base + each.r_offset })
        })
    }
}

impl Tables {
    /// # Safety
    /// The loader's tables of a loaded library.
    unsafe fn count(&self) -> u32 {
        let word = |address: u64, at: u64| {
            // SAFETY: within the hash table, whose sizes it names itself.
            unsafe { *((address + 4 * at) as *const u32) }
        };
        if self.hash != 0 {
            return word(self.hash, 1).min(MOST_SYMBOLS);
        }
        if self.gnu_hash == 0 {
            return 0;
        }
        let (buckets, first, bloom) =
            (word(self.gnu_hash, 0), word(self.gnu_hash, 1), word(self.gnu_hash, 2));
        let bucket_words = 4 + 2 * u64::from(bloom);
        let last = (0..buckets).map(|at| word(self.gnu_hash, bucket_words + u64::from(at))).max();
        let Some(mut last) = last.filter(|&last| last >= first) else { return first };
        let chains = bucket_words + u64::from(buckets);
        // the last chain ends with an odd number
        while last < MOST_SYMBOLS && word(self.gnu_hash, chains + u64::from(last - first)) & 1 == 0
        {
            last += 1;
        }
        last + 1
    }

    /// # Safety
    /// `index` is below the number of symbols.
    unsafe fn symbol(&self, index: u32) -> libc::Elf64_Sym {
        // SAFETY: the caller's promise.
        unsafe { *(self.symbols as *const libc::Elf64_Sym).add(index as usize) }
    }

    /// # Safety
    /// The loader's tables of a library that stays loaded during `'a`.
    unsafe fn name<'a>(&self, place: u32) -> Option<&'a str> {
        if u64::from(place) >= self.name_bytes {
            return None;
        }
        // SAFETY: within the table, which ends with a zero.
        let name = unsafe { CStr::from_ptr((self.names + u64::from(place)) as *const _) };
        name.to_str().ok().filter(|name| !name.is_empty())
    }
}

/// The next definition of a function behind this library, in a version of the C library.
pub fn next_function(name: &CStr, versions: &[&CStr]) -> usize {
    let versioned = versions.iter().map(|version| {
        // SAFETY: two names; looking them up changes nothing.
        unsafe { libc::dlvsym(libc::RTLD_NEXT, name.as_ptr(), version.as_ptr()) as usize }
    });
    versioned.into_iter().find(|&found| found != 0).unwrap_or(0)
}

/// Stores `value` in a slot, if it holds `expected`, also where the loader has write-protected it.
/// Whether it was stored.
pub fn replace_slot(slot: u64, expected: u64, value: u64) -> bool {
    use std::sync::atomic::{AtomicU64, Ordering};
    const PAGE_BYTES: u64 = 4096;
    if slot % 8 != 0 {
        return false;
    }
    let map = crate::maps::MemoryMap::of_this_process();
    let Some(mapping) = map.iter().find(|each| (each.low..each.high).contains(&slot)) else {
        return false;
    };
    let page = (slot & !(PAGE_BYTES - 1)) as *mut libc::c_void;
    let is_closed = mapping.access[1] != b'w';
    let allow = |rights| {
        // SAFETY: a page of a library's table of addresses, which keeps its content.
        unsafe { libc::mprotect(page, PAGE_BYTES as usize, rights) == 0 }
    };
    if is_closed && !allow(libc::PROT_READ | libc::PROT_WRITE) {
        return false;
    }
    // SAFETY: an aligned word of a page that may be written. Relaxed: either address is right.
    let word = unsafe { &*(slot as *const AtomicU64) };
    let is_stored =
        word.compare_exchange(expected, value, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if is_closed {
        allow(libc::PROT_READ);
    }
    is_stored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_defines_a_function_where_the_loader_finds_it() {
        let mut found = None;
        each_library(|library| {
            let here = library.symbols().find(|symbol| symbol.name == "getpid");
            found = found.or(here.map(|symbol| (symbol.address, library.range)));
        });
        let (address, (low, high)) = found.expect("the C library");
        assert!((low..high).contains(&address));
        assert_eq!(address, libc::getpid as *const () as u64);
    }

    #[test]
    fn a_slot_of_this_program_holds_the_address_of_a_function_and_can_be_replaced() {
        // SAFETY: asks the system.
        unsafe { libc::getppid() };
        let mut slot = None;
        each_library(|library| {
            slot = slot.or(library.slots().find(|slot| slot.name == "getppid").map(|s| s.address));
        });
        let slot = slot.expect("a slot");
        // SAFETY: a word of a loaded library.
        let before = unsafe { *(slot as *const u64) };
        assert!(!replace_slot(slot, before + 1, 0));
        assert!(replace_slot(slot, before, before));
    }

    #[test]
    fn the_next_function_is_the_c_librarys() {
        assert_ne!(next_function(c"dlsym", &[c"GLIBC_2.34", c"GLIBC_2.2.5", c"GLIBC_2.17"]), 0);
        assert_eq!(next_function(c"dlsym", &[c"NONE_1"]), 0);
    }
}
