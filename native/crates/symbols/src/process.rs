//! Functions, files and lines of the native code of one process, by address.
//!
//! They come from the files that are mapped into the process, as it sees them. Each file is read
//! when its first address is asked for. All that cannot be read gives no name, and the reason.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use object::elf::{FileHeader64, PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};
use object::LittleEndian;
use platform::maps::MemoryMap;
use segment::status::{Error, Result, Status};

use crate::demangle;
use crate::elf::budget::{Total, MOST_BYTES, MOST_BYTES_OF_PROCESS};
use crate::elf::debug_files::inside;
use crate::elf::file::Functions;
use crate::elf::{build_id_of_notes, Budget, DebugFiles, ElfFile, Lines, Place};
use viewer::outside;

/// Libraries that are kept in memory; with more, reading begins anew.
const MOST_LIBRARIES: usize = 64;
const MOST_NOTE_BYTES: u64 = 64 << 10;
const PAGE: usize = 4096;
const REPLACED: &str = "the file was replaced since it was loaded";
const ENOUGH: &str = "the libraries of the process are larger than is read";

/// An address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The place of the code, and around it the places into which it was inlined, innermost first.
    /// Names are as the source has them. Empty: the function is not known.
    pub places: Vec<Place>,
    /// Path of the library as the process sees it; empty: there is none.
    pub library: Vec<u8>,
    /// Why the library told no lines, though it or the system should; empty: it did, or it has
    /// no debug information.
    pub reason: String,
}

/// A file that is mapped.
#[derive(Clone, Debug)]
struct Mapped {
    low: u64,
    high: u64,
    offset: u64,
    inode: u64,
    path: Vec<u8>,
    is_code: bool,
}

/// A library, or the reason why it cannot be read.
type Known = Rc<std::result::Result<Library, String>>;

struct Library {
    file: ElfFile,
    functions: Functions,
    lines: Option<Lines>,
    reason: String,
}

/// The native code of one process.
pub struct Symbols {
    pid: u32,
    mapped: Vec<Mapped>,
    libraries: HashMap<(Vec<u8>, u64), Known>,
    total: Total,
    /// Folders in which a path of the process is looked up; the kernel's links come after them.
    roots: Vec<PathBuf>,
    follows_links: bool,
}

impl Symbols {
    /// The code of a process. Nothing is read yet.
    pub fn of(pid: u32) -> Self {
        let roots = vec![platform::root_of(pid), PathBuf::from("/")];
        Self {
            pid,
            mapped: Vec::new(),
            libraries: HashMap::new(),
            total: Rc::new(Cell::new(MOST_BYTES_OF_PROCESS)),
            roots,
            follows_links: true,
        }
    }

    /// Looks for replaced files as a viewer does that may not follow the kernel's links to them.
    pub fn without_links(mut self) -> Self {
        self.follows_links = false;
        self
    }

    /// The call that returns to an address.
    pub fn at(&mut self, return_address: u64) -> Found {
        // the call lies before the address to which it returns
        let address = return_address.wrapping_sub(1);
        if self.find(address).is_none() {
            self.mapped = MemoryMap::of(self.pid).map_or(Vec::new(), |map| files_of(&map));
        }
        let Some(mapped) = self.find(address).cloned() else { return Found::default() };
        let library = self.library(&mapped);
        let offset = address - mapped.low + mapped.offset;
        let (places, reason) = match library.as_ref() {
            Ok(library) => library.at(offset),
            Err(reason) => (Vec::new(), reason.clone()),
        };
        Found { places, library: mapped.path, reason }
    }

    fn find(&self, address: u64) -> Option<&Mapped> {
        self.mapped.iter().find(|each| each.is_code && (each.low..each.high).contains(&address))
    }

    fn library(&mut self, mapped: &Mapped) -> Known {
        let key = (mapped.path.clone(), mapped.inode);
        if let Some(known) = self.libraries.get(&key) {
            return known.clone();
        }
        if self.libraries.len() >= MOST_LIBRARIES {
            self.libraries.clear();
        }
        let found = Rc::new(self.read(mapped).map_err(|error| error.message));
        self.libraries.insert(key, found.clone());
        found
    }

    fn read(&self, mapped: &Mapped) -> Result<Library> {
        let file = self.open(mapped)?;
        let functions = file.functions().map_err(|error| without_path(error, file.path()))?;
        let left = self.total.get().checked_sub(functions.bytes());
        self.total.set(left.ok_or_else(|| Error::new(Status::Io, ENOUGH))?);
        let path = Path::new(OsStr::from_bytes(&mapped.path));
        let mut library = Library { file, functions, lines: None, reason: String::new() };
        let separate = DebugFiles::new(self.roots.clone());
        let debug = (!Lines::are_in(&library.file))
            .then(|| separate.of_library(&library.file, path))
            .flatten()
            .filter(Lines::are_in);
        let source = debug.as_ref().unwrap_or(&library.file);
        if !Lines::are_in(source) {
            return Ok(library);
        }
        let budget = Rc::new(Budget::new(MOST_BYTES, &self.total));
        match Lines::read(source, separate.common_part(source).as_ref(), budget) {
            Ok(lines) => library.lines = Some(lines),
            Err(reason) => library.reason = reason.to_string(),
        }
        Ok(library)
    }

    /// The very file that is mapped.
    fn open(&self, mapped: &Mapped) -> Result<ElfFile> {
        let mut failure = None;
        let loaded = self.build_id_in_memory(mapped);
        for place in self.places(mapped) {
            match ElfFile::open(&place) {
                Ok(file) if is_same(&file, loaded.as_deref(), mapped.inode) => return Ok(file),
                Ok(_) => failure = Some(Error::new(Status::Io, REPLACED)),
                Err(error) => failure = failure.or(Some(without_path(error, &place))),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(Status::Io, REPLACED)))
    }

    fn places(&self, mapped: &Mapped) -> Vec<PathBuf> {
        let path = mapped.path.strip_suffix(b" (deleted)").unwrap_or(&mapped.path);
        let path = PathBuf::from(OsString::from_vec(path.to_vec()));
        let mut places: Vec<PathBuf> = self.roots.iter().map(|root| inside(root, &path)).collect();
        if self.follows_links {
            places.push(platform::mapped_file_of(self.pid, mapped.low, mapped.high));
            places.push(platform::executable_of(self.pid));
        }
        places
    }

    /// The build id of the library as it was loaded; `None`: it has none, or the memory of the
    /// process may not be read.
    fn build_id_in_memory(&self, mapped: &Mapped) -> Option<Vec<u8>> {
        let is_start = |each: &&Mapped| {
            each.offset == 0 && (&each.path, each.inode) == (&mapped.path, mapped.inode)
        };
        let start = self.mapped.iter().find(is_start)?;
        let mut head = vec![0_u8; PAGE];
        let count = outside::read(self.pid, start.low, &mut head).ok()?;
        let header = FileHeader64::<LittleEndian>::parse(&head[..count]).ok()?;
        let segments = header.program_headers(LittleEndian, &head[..count]).ok()?;
        let of_kind = |kind| segments.iter().filter(move |each| each.p_type(LittleEndian) == kind);
        let first = of_kind(PT_LOAD).find(|each| each.p_offset(LittleEndian) == 0)?;
        let bias = start.low.wrapping_sub(first.p_vaddr(LittleEndian));
        of_kind(PT_NOTE).find_map(|note| {
            let bytes = note.p_memsz(LittleEndian).min(MOST_NOTE_BYTES);
            let mut notes = vec![0_u8; bytes as usize];
            let from = bias.wrapping_add(note.p_vaddr(LittleEndian));
            let count = outside::read(self.pid, from, &mut notes).ok()?;
            build_id_of_notes(&notes[..count])
        })
    }
}

impl Library {
    /// The places of the code at an offset of the file, and why lines are not known.
    fn at(&self, offset: u64) -> (Vec<Place>, String) {
        let Some(address) = self.file.loaded_at(offset) else {
            return (Vec::new(), self.reason.clone());
        };
        let symbol = self.functions.at(address).unwrap_or_default();
        let found = self.lines.as_ref().map_or(Ok(Vec::new()), |lines| lines.at(address));
        let (mut places, reason) = match found {
            Ok(places) => (places, self.reason.clone()),
            Err(reason) => (Vec::new(), reason.to_string()),
        };
        if places.is_empty() && !symbol.is_empty() {
            places.push(Place::default());
        }
        if let Some(outermost) = places.last_mut().filter(|place| place.function.is_empty()) {
            outermost.function = symbol;
        }
        for place in &mut places {
            place.function = demangle::demangled(&place.function).into_owned();
        }
        (places, reason)
    }
}

/// The path leads through the system's folder of the process, and says nothing to a person.
fn without_path(error: Error, place: &Path) -> Error {
    let path = format!(": {}", place.display());
    let cause = error.message.strip_suffix(&path).unwrap_or(&error.message);
    Error::new(error.status, cause)
}

fn is_same(file: &ElfFile, loaded: Option<&[u8]>, inode: u64) -> bool {
    match (loaded, file.build_id()) {
        (Some(loaded), Some(found)) => loaded == found,
        // by the number alone: file systems of layers show another device in the map
        _ => file.inode() == inode,
    }
}

fn files_of(map: &MemoryMap) -> Vec<Mapped> {
    map.iter()
        .filter(|each| each.path.starts_with(b"/"))
        .map(|each| Mapped {
            low: each.low,
            high: each.high,
            offset: each.offset,
            inode: each.inode,
            path: each.path.to_vec(),
            is_code: each.is_code(),
        })
        .collect()
}
