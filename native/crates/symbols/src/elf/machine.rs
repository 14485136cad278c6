//! Opening a program or library, of whatever kind of processor.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::FileHeader;
use object::{pod, Endianness};
use segment::status::{Error, Result, Status};

/// A regular file, opened for reading. A pipe under its name does not block.
pub(super) fn opened(path: &Path) -> Result<File> {
    let failed = |error| Error::io(path.display(), &error);
    let file = platform::open_without_waiting(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Error::new(Status::Io, format!("not a regular file: {}", path.display())));
    }
    Ok(file)
}

/// The kind of processor that a program is for: `x86-64`, `i386` and so on.
///
/// # Errors
/// It cannot be read, or is no program of this system.
pub fn machine_of(path: &Path) -> Result<String> {
    let file = opened(path)?;
    let mut start = [0_u8; size_of::<FileHeader64<Endianness>>()];
    let count = file.read_at(&mut start, 0).map_err(|error| Error::io(path.display(), &error))?;
    // these fields lie at the same places in files of both sizes
    let header = pod::from_bytes::<FileHeader32<Endianness>>(&start[..count])
        .map(|(header, _)| header)
        .ok()
        .filter(|header| header.e_ident.magic == elf::ELFMAG);
    let endian = header.and_then(|header| header.endian().ok());
    let (Some(header), Some(endian)) = (header, endian) else {
        let what = format!("not a program of this system: {}", path.display());
        return Err(Error::new(Status::Io, what));
    };
    Ok(match header.e_machine(endian) {
        elf::EM_X86_64 if header.e_ident.class != elf::ELFCLASS64 => "x32".into(),
        elf::EM_X86_64 => "x86-64".into(),
        elf::EM_386 => "i386".into(),
        elf::EM_ARM => "arm".into(),
        elf::EM_AARCH64 => "arm64".into(),
        elf::EM_RISCV => "riscv".into(),
        elf::EM_PPC64 => "ppc64".into(),
        elf::EM_S390 => "s390x".into(),
        number => format!("machine {number}"),
    })
}
