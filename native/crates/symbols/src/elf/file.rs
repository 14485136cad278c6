//! One file: its sections, its symbols, and the note that identifies its build.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use object::elf::{self, FileHeader64, Sym64};
use object::read::elf::{
    CompressionHeader, FileHeader, NoteIterator, ProgramHeader, SectionHeader,
};
use object::read::{ReadCache, ReadRef};
use object::{pod, LittleEndian};
use segment::status::{Error, Result, Status};

use super::machine::opened;

/// A larger table is taken for damage; the table of all symbols of a library with debug
/// information has millions.
const MOST_TABLE_BYTES: u64 = 256 << 20;
const MOST_NOTE_BYTES: u64 = 64 << 10;
const PAGE: u64 = 4096;
/// Bytes of a name that are looked at.
const LONGEST_NAME: usize = 4096;
type Header = FileHeader64<LittleEndian>;
type Symbol = Sym64<LittleEndian>;

/// A part of the file that is loaded into memory.
struct Loaded {
    offset: u64,
    /// Before relocation.
    address: u64,
    bytes: u64,
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// With the dot, such as `.text`.
    pub name: String,
    /// The place in the file where it begins.
    pub offset: u64,
    /// Bytes in the file.
    pub bytes: u64,
    /// Algorithm (`ELFCOMPRESS_ZLIB` and so on) and unpacked size, when it is compressed.
    pub packed: Option<(u32, u64)>,
    kind: u32,
    link: usize,
}

/// An exported symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// As the file has it.
    pub name: String,
    /// Before relocation.
    pub address: u64,
}

/// A function of the file's table of symbols.
#[derive(Clone, Debug)]
struct Function {
    address: u64,
    bytes: u64,
    name: usize,
}

/// The functions of a file by address.
pub struct Functions {
    sorted: Vec<Function>,
    names: Vec<u8>,
}

impl Functions {
    /// Memory that the table takes.
    pub fn bytes(&self) -> u64 {
        (self.names.len() + self.sorted.len() * size_of::<Function>()) as u64
    }

    /// Name of the function to which an address, before relocation, belongs.
    pub fn at(&self, address: u64) -> Option<String> {
        let after = self.sorted.partition_point(|each| each.address <= address);
        let found = self.sorted.get(after.checked_sub(1)?)?;
        let is_inside = found.bytes == 0 || address - found.address < found.bytes;
        is_inside.then(|| name_at(&self.names, found.name))?
    }
}

/// An open 64-bit little-endian file for this machine's kind of processor.
pub struct ElfFile {
    path: PathBuf,
    file: Rc<File>,
    loaded: Vec<Loaded>,
    sections: Vec<Section>,
    build_id: Option<Vec<u8>>,
}

impl ElfFile {
    /// Opens a file and reads its tables of contents.
    ///
    /// # Errors
    /// It cannot be read, or is no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = Rc::new(opened(path)?);
        let mut found = Self {
            path: path.to_owned(),
            file,
            loaded: Vec::new(),
            sections: Vec::new(),
            build_id: None,
        };
        found.read_tables()?;
        let note = found.section(".note.gnu.build-id").cloned();
        found.build_id = note
            .and_then(|note| found.read(note.offset, note.bytes.min(MOST_NOTE_BYTES)).ok())
            .and_then(|notes| build_id_of_notes(&notes));
        Ok(found)
    }

    fn read_tables(&mut self) -> Result<()> {
        let cache = ReadCache::new(self.file.as_ref());
        let bounded = Bounded(&cache);
        let header = self.header(bounded)?;
        let damaged = |_| self.damaged("damaged, or stripped of its sections");
        let endian = LittleEndian;
        let segments = header.program_headers(endian, bounded).map_err(damaged)?;
        let headers = header.section_headers(endian, bounded).map_err(damaged)?;
        let names = header.section_strings_index(endian, bounded).ok();
        let names = names.and_then(|index| headers.get(index.0)?.data(endian, bounded).ok());
        if headers.is_empty() {
            return Err(self.damaged("damaged, or stripped of its sections"));
        }
        self.loaded = segments
            .iter()
            .filter(|each| each.p_type(endian) == elf::PT_LOAD)
            .map(|each| Loaded {
                offset: each.p_offset(endian),
                address: each.p_vaddr(endian),
                bytes: each.p_filesz(endian),
            })
            .collect();
        self.sections =
            headers.iter().map(|each| section(each, names.unwrap_or(&[]), bounded)).collect();
        Ok(())
    }

    fn header<'a>(&self, bounded: Bounded<'a>) -> Result<&'a Header> {
        let wrong = || Error::new(Status::Io, format!("not a 64-bit x86 program: {}", self));
        let header = bounded.read_at::<Header>(0).map_err(|()| wrong())?;
        let is_ours = header.is_supported()
            && header.is_little_endian()
            && header.is_class_64()
            && header.e_machine(LittleEndian) == elf::EM_X86_64;
        is_ours.then_some(header).ok_or_else(wrong)
    }

    fn damaged(&self, what: &str) -> Error {
        Error::new(Status::Io, format!("{what}: {self}"))
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's descriptor, for reading it in parts.
    pub fn file(&self) -> Rc<File> {
        self.file.clone()
    }

    /// Number of the file in its file system.
    pub fn inode(&self) -> u64 {
        self.file.metadata().map_or(0, |found| found.ino())
    }

    /// The identity of the build, when the linker wrote one.
    pub fn build_id(&self) -> Option<&[u8]> {
        self.build_id.as_deref()
    }

    /// A section by its name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|each| each.name == name)
    }

    /// The address, before relocation, of an offset of the file, or of its page's start.
    ///
    /// # Errors
    /// Nothing is loaded from there.
    pub fn address_at(&self, offset: u64) -> Result<u64> {
        self.address(offset, |start| start - start % PAGE).ok_or_else(|| {
            Error::new(Status::Io, format!("nothing is loaded from offset {offset}: {self}"))
        })
    }

    /// The address, before relocation, of the very byte at an offset of the file; `None`: it is
    /// not loaded.
    pub fn loaded_at(&self, offset: u64) -> Option<u64> {
        self.address(offset, |start| start)
    }

    fn address(&self, offset: u64, first: impl Fn(u64) -> u64) -> Option<u64> {
        let is_in = |each: &&Loaded| {
            first(each.offset) <= offset && offset < each.offset.saturating_add(each.bytes)
        };
        let found = self.loaded.iter().find(is_in)?;
        Some(found.address.wrapping_sub(found.offset).wrapping_add(offset))
    }

    /// Exported symbols that are defined here and whose name is wanted.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn exports(&self, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Export>> {
        let mut found = Vec::new();
        for table in self.tables(elf::SHT_DYNSYM) {
            let (symbols, names) = self.symbols(table)?;
            for symbol in symbols_of(&symbols) {
                let address = symbol.st_value.get(LittleEndian);
                let is_defined = symbol.st_shndx.get(LittleEndian) != 0 && address != 0;
                let name = bytes_at(&names, symbol.st_name.get(LittleEndian) as usize);
                if let Some(name) = name.filter(|name| is_defined && is_wanted(name)) {
                    found.push(Export { name: lossy(name), address });
                }
            }
        }
        Ok(found)
    }

    /// All functions; of a stripped file the exported functions alone.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn functions(&self) -> Result<Functions> {
        let table = self.tables(elf::SHT_SYMTAB).chain(self.tables(elf::SHT_DYNSYM)).next();
        let Some(table) = table else {
            return Ok(Functions { sorted: Vec::new(), names: Vec::new() });
        };
        let (symbols, names) = self.symbols(table)?;
        let is_function = |each: &&Symbol| {
            each.st_info & 15 == elf::STT_FUNC && each.st_value.get(LittleEndian) != 0
        };
        let mut sorted: Vec<Function> = symbols_of(&symbols)
            .iter()
            .filter(is_function)
            .map(|each| Function {
                address: each.st_value.get(LittleEndian),
                bytes: each.st_size.get(LittleEndian),
                name: each.st_name.get(LittleEndian) as usize,
            })
            .collect();
        sorted.sort_by_key(|each| each.address);
        Ok(Functions { sorted, names })
    }

    fn tables(&self, kind: u32) -> impl Iterator<Item = &Section> {
        self.sections
            .iter()
            .filter(move |each| each.kind == kind && each.link < self.sections.len())
    }

    /// A table's records and the names that they refer to.
    fn symbols(&self, table: &Section) -> Result<(Vec<u8>, Vec<u8>)> {
        let names = &self.sections[table.link];
        Ok((self.read(table.offset, table.bytes)?, self.read(names.offset, names.bytes)?))
    }

    /// Bytes of the file.
    ///
    /// # Errors
    /// There are fewer, or the size is absurd.
    pub fn read(&self, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        let length = self.file.metadata().map_or(0, |found| found.len());
        if bytes > MOST_TABLE_BYTES || offset.checked_add(bytes).is_none_or(|end| end > length) {
            return Err(self.damaged(&format!("damaged, a table of {bytes} bytes")));
        }
        let mut read = vec![0_u8; bytes as usize];
        self.file.read_exact_at(&mut read, offset).map_err(|_| self.damaged("damaged"))?;
        Ok(read)
    }
}

impl std::fmt::Display for ElfFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(formatter)
    }
}

/// A file's content, of which no table is longer than there is sense in.
#[derive(Clone, Copy)]
struct Bounded<'a>(&'a ReadCache<&'a File>);

impl<'a> ReadRef<'a> for Bounded<'a> {
    fn len(self) -> std::result::Result<u64, ()> {
        self.0.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> std::result::Result<&'a [u8], ()> {
        if size > MOST_TABLE_BYTES {
            return Err(());
        }
        self.0.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(
        self,
        range: std::ops::Range<u64>,
        delimiter: u8,
    ) -> std::result::Result<&'a [u8], ()> {
        self.0.read_bytes_at_until(range, delimiter)
    }
}

fn section(
    header: &elf::SectionHeader64<LittleEndian>,
    names: &[u8],
    bounded: Bounded<'_>,
) -> Section {
    let endian = LittleEndian;
    let (offset, bytes) = header.file_range(endian).unwrap_or((0, 0));
    let (packed, (offset, bytes)) = match header.compression(endian, bounded) {
        Ok(None) => (None, (offset, bytes)),
        Ok(Some((header, at, packed_bytes))) => {
            (Some((header.ch_type(endian), header.ch_size(endian))), (at, packed_bytes))
        }
        Err(_) => (Some((0, 0)), (offset, bytes)),
    };
    Section {
        name: name_at(names, header.sh_name(endian) as usize).unwrap_or_default(),
        offset,
        bytes,
        packed,
        kind: header.sh_type(endian),
        link: header.sh_link(endian) as usize,
    }
}

fn symbols_of(bytes: &[u8]) -> &[Symbol] {
    let count = bytes.len() / size_of::<Symbol>();
    pod::slice_from_bytes(bytes, count).map_or(&[], |(symbols, _)| symbols)
}

/// A name in a table of names; `None`: the place lies outside.
fn bytes_at(names: &[u8], at: usize) -> Option<&[u8]> {
    let rest = names.get(at..)?;
    let rest = &rest[..rest.len().min(LONGEST_NAME)];
    Some(&rest[..rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len())])
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn name_at(names: &[u8], at: usize) -> Option<String> {
    bytes_at(names, at).map(lossy)
}

/// The identity of a build, out of the notes of a file or of memory.
pub fn build_id_of_notes(notes: &[u8]) -> Option<Vec<u8>> {
    let mut found = NoteIterator::<Header>::new(LittleEndian, 4, notes).ok()?;
    while let Ok(Some(note)) = found.next() {
        let is_gnu = note.name() == elf::ELF_NOTE_GNU;
        if is_gnu && note.n_type(LittleEndian) == elf::NT_GNU_BUILD_ID && !note.desc().is_empty() {
            return Some(note.desc().to_vec());
        }
    }
    None
}
