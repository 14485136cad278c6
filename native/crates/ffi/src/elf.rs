//! Symbols of ELF files and maps of memory, for the viewer. No logic: see `symbols::elf` and
//! `platform::maps`.
//!
//! A file may be used from several threads, one at a time.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{bytes, catch, place, AiBuffer, AiError, AiText};
use ::symbols::elf::{self, ElfFile};
use platform::maps::MemoryMap;
use segment::status::{Error, Result, Status};

/// # Safety
/// `path` points to `length` readable bytes that outlive `'a`.
unsafe fn path_of<'a>(path: *const u8, length: usize) -> Result<&'a Path> {
    // SAFETY: the caller's promise.
    Ok(Path::new(OsStr::from_bytes(unsafe { bytes(path, length) }?)))
}

/// Open a file. NULL, with `error` filled, when it is none that can be read.
///
/// # Safety
/// `path` points to `length` readable bytes; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_elf_open(
    path: *const u8,
    length: usize,
    error: *mut AiError,
) -> *mut ElfFile {
    let mut opened = std::ptr::null_mut();
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            opened = Box::into_raw(Box::new(ElfFile::open(path_of(path, length)?)?));
            Ok(())
        });
    }
    opened
}

/// Close a file. NULL is fine.
///
/// # Safety
/// `file` came from `ai_elf_open`; no thread uses it now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_elf_close(file: *mut ElfFile) {
    if !file.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_elf_open`.
        drop(unsafe { Box::from_raw(file) });
    }
}

/// # Safety
/// `file` is NULL or open during `'a`.
unsafe fn opened<'a>(file: *const ElfFile) -> Result<&'a ElfFile> {
    // SAFETY: the caller's promise.
    unsafe { file.as_ref() }.ok_or_else(|| Error::new(Status::BadArgument, "no file"))
}

/// The address, before relocation, of an offset of the file, or of its page's start.
///
/// # Safety
/// `file` is open; `address` points to a number; `error` is NULL or points to memory for an
/// `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_elf_address_at(
    file: *const ElfFile,
    offset: u64,
    address: *mut u64,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            *place(address)? = opened(file)?.address_at(offset)?;
            Ok(())
        })
    }
}

/// Exported symbols: for each its address before relocation, as 8 bytes, and its name with a NUL.
/// `names` are separated by line feeds; with `are_starts` not 0 they are beginnings of names.
///
/// # Safety
/// `file` is open; `names` is valid; `out` is a place for a buffer; `error` is NULL or points to
/// memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_elf_exports(
    file: *const ElfFile,
    names: AiText,
    are_starts: u32,
    out: *mut AiBuffer,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let wanted: Vec<&[u8]> = names.read()?.split('\n').map(str::as_bytes).collect();
            let is_wanted = |name: &[u8]| {
                let fits =
                    |each: &&[u8]| name == *each || are_starts != 0 && name.starts_with(each);
                wanted.iter().any(fits)
            };
            let mut found = Vec::new();
            for export in opened(file)?.exports(is_wanted)? {
                found.extend_from_slice(&export.address.to_le_bytes());
                found.extend_from_slice(export.name.as_bytes());
                found.push(0);
            }
            *place(out)? = AiBuffer::from_vec(found);
            Ok(())
        })
    }
}

/// The kind of processor that a program is for, such as `x86-64`.
///
/// # Safety
/// `path` points to `length` readable bytes; `out` is a place for a buffer; `error` is NULL or
/// points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_elf_machine(
    path: *const u8,
    length: usize,
    out: *mut AiBuffer,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let machine = elf::machine_of(path_of(path, length)?)?;
            *place(out)? = AiBuffer::from_vec(machine.into_bytes());
            Ok(())
        })
    }
}

/// The memory map of a process, in ascending order. For each mapping: first byte, the byte behind
/// the last, offset in the file and inode, of 8 bytes each; major and minor number of the device,
/// and the length of the path, of 4 bytes each; the access in 4 letters; the path.
///
/// # Safety
/// `out` is a place for a buffer; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_memory_map(pid: u32, out: *mut AiBuffer, error: *mut AiError) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let map = MemoryMap::of(pid)
                .map_err(|error| Error::io(format_args!("the map of process {pid}"), &error))?;
            let mut found = Vec::new();
            for each in map.iter() {
                for number in [each.low, each.high, each.offset, each.inode] {
                    found.extend_from_slice(&number.to_le_bytes());
                }
                for number in [each.device.0, each.device.1, each.path.len() as u32] {
                    found.extend_from_slice(&number.to_le_bytes());
                }
                found.extend_from_slice(&each.access);
                found.extend_from_slice(each.path);
            }
            *place(out)? = AiBuffer::from_vec(found);
            Ok(())
        })
    }
}
