//! The segment's name in the directory: `<pid>-<starttime>.seg` while the agent runs, hidden while
//! it is stopped, removed when the process ends.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use platform::descriptors::{Descriptor, Opening, Table};
use recorder::fork::{Rank, Section};
use recorder::moving;
use recorder::runtime::Runtime;
use segment::status::{Error, Result, Status};
use segment::sweep::{sweep, Extent, NOTE};
use segment::sync::{Guard, Lock};
use segment::Backing;

/// A longer link would need a page of its own.
const NOTE_BYTES: usize = 120;

/// The name that the segment's file has.
#[derive(Clone, Debug, Default)]
enum Name {
    /// None yet.
    #[default]
    None,
    /// Viewers find it.
    Published(PathBuf),
    /// Viewers pass over it; kept because a file that lost its last name cannot get another.
    Hidden(PathBuf),
    /// It has none; a note tells viewers why.
    Noted(PathBuf),
}

/// The name of this process's segment.
static NAME: Lock<Name> = Lock::new(Name::None);

// a child has no name: that is the parent's
static SECTION: Section =
    Section::new(Rank::Name, || NAME.hold(), release, |_| *NAME.lock() = Name::None);

/// # Safety
/// After `NAME.hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { NAME.let_go() };
}

fn name() -> Guard<'static, Name> {
    SECTION.join();
    NAME.lock()
}

fn stem() -> Result<String> {
    let pid = platform::process_id();
    let start = platform::start_time(pid)
        .map_err(|error| Error::io("cannot tell when this process started", &error))?;
    Ok(format!("{pid}-{start}"))
}

/// Gives the segment its name, so that viewers find it. Returns its path and its file, open in
/// `table` as long as the agent runs.
pub fn publish(
    runtime: &Runtime,
    directory: Option<&Path>,
    table: &Arc<Table>,
) -> Result<(PathBuf, Descriptor)> {
    moving::take_file(runtime, directory)?;
    let usual = runtime.directory.as_ref().ok_or_else(|| no_file(runtime))?;
    // found again: it may have been removed, or the environment may name another, since the segment
    // was made
    let directory = platform::segment_directory(directory)
        .map_err(|error| Error::new(Status::Unavailable, error.to_string()))?;
    let stem = stem()?;
    sweep(&directory, &stem, Extent::Overdue);
    let path = directory.join(format!("{stem}.seg"));
    let mut name = self::name();
    let mut backing = runtime.segment().backing().lock();
    let backing = backing.as_mut().ok_or_else(|| no_file(runtime))?;
    let named = match &*name {
        Name::Published(_) => open_named(backing, &path, table),
        Name::Hidden(hidden) => {
            fs::rename(hidden, &path).and_then(|()| open_named(backing, &path, table))
        }
        Name::None | Name::Noted(_) => {
            name_new(backing, &runtime.segment().mapped_file(), &path, table)
        }
    };
    if let (Name::Noted(note), Ok(_)) = (&*name, &named) {
        // fails if the note was swept before
        let _ = fs::remove_file(note);
    }
    let file = named.map_err(|error| refused(&error, &path, usual))?;
    *name = Name::Published(path.clone());
    Ok((path, file))
}

/// Why there is nothing to publish. Memory that was private at the first use of a handle stays so.
fn no_file(runtime: &Runtime) -> Error {
    Error::new(Status::Unavailable, runtime.no_file.lock().clone())
}

fn refused(error: &io::Error, path: &Path, usual: &Path) -> Error {
    if error.kind() == ErrorKind::NotFound {
        let lost = "somebody removed this process's segment, and a file cannot get a name again";
        return Error::new(Status::Unavailable, format!("{lost}: {}", path.display()));
    }
    if error.kind() != ErrorKind::CrossesDevices {
        return Error::io(format!("cannot publish the segment as {}", path.display()), error);
    }
    // made at the first use of a handle, and a file cannot move to another file system under its
    // mapping
    let made = format!(
        "this process's segment was made in {} at the first use of a handle",
        usual.display()
    );
    Error::new(
        Status::Unavailable,
        format!(
            "{made}, which is another file system than {}",
            path.parent().unwrap_or(path).display()
        ),
    )
}

/// Opens the segment's file after the program closed its descriptor: the system lets privileged
/// processes open a file that they have mapped.
fn open_mapped(backing: &Backing, mapped: &Path, table: &Arc<Table>) -> io::Result<Descriptor> {
    let opened = table.open_file(mapped, Opening::read_write()).ok();
    let ours =
        opened.filter(|file| file.identity().is_ok_and(|identity| identity == backing.identity));
    ours.ok_or_else(|| {
        io::Error::other(
            "the program closed the descriptor of the segment before the agent started",
        )
    })
}

/// Opens the segment's file, which has the name `path`, and takes the lock that says that we live.
fn open_named(backing: &Backing, path: &Path, table: &Arc<Table>) -> io::Result<Descriptor> {
    let file = table.open_file(path, Opening::read_write().plainly())?;
    if file.identity()? != backing.identity {
        return Err(ErrorKind::NotFound.into());
    }
    hold_lock(&file)?;
    Ok(file)
}

/// Some file systems keep a different open file under a mapping than the mapped one; on
/// these the lock ended with the first descriptor.
fn hold_lock(file: &Descriptor) -> io::Result<()> {
    match file.lock() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

fn name_new(
    backing: &mut Backing,
    mapped: &Path,
    path: &Path,
    table: &Arc<Table>,
) -> io::Result<Descriptor> {
    let file = match backing.unnamed.as_ref().filter(|unnamed| !unnamed.is_lost()) {
        Some(unnamed) => table.reopen(unnamed, platform::thread_id())?,
        None => open_mapped(backing, mapped, table)?,
    };
    // locked before it gets a name: no sweep takes it for a segment of a dead process
    hold_lock(&file)?;
    match file.name(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            // the same process before it replaced itself with exec: pid and start time stay,
            // everything else is replaced
            fs::remove_file(path)?;
            file.name(path)?;
        }
        other => other?,
    }
    backing.unnamed = None;
    Ok(file)
}

/// Takes the segment out of viewers' sight: without a trace, or, where handles of our own runtime
/// keep the file, under a hidden name.
pub fn withdraw(runtime: &Runtime) {
    if moving::leave_file(runtime) {
        return remove();
    }

    let mut name = self::name();
    let Name::Published(path) = &*name else { return };
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let hidden = path.with_file_name(format!(".{file}"));
    *name = match fs::rename(path, &hidden) {
        Ok(()) => Name::Hidden(hidden),
        // the file was removed: it has no name any more, and cannot get another
        Err(_) => Name::None,
    };
}

/// Leaves a note where viewers look for the segment: why this process has none that they could
/// find. A symbolic link that leads nowhere, because such a link needs no room in a full file
/// system and no descriptor. Does nothing where not even that can be had.
pub fn note(runtime: &Runtime, reason: &str) {
    let Ok(directory) =
        runtime.directory.clone().map_or_else(|| platform::segment_directory(None), Ok)
    else {
        return;
    };
    let Ok(stem) = stem() else { return };
    let mut name = self::name();
    if matches!(*name, Name::None) {
        let path = directory.join(format!("{stem}.{NOTE}"));
        let mut length = reason.len().min(NOTE_BYTES);
        while !reason.is_char_boundary(length) {
            length -= 1;
        }
        if std::os::unix::fs::symlink(&reason[..length], &path).is_ok() {
            *name = Name::Noted(path);
        }
    }
}

/// Removes the segment's name; the memory stays as long as the process.
pub fn remove() {
    let name = std::mem::take(&mut *name());
    if let Name::Published(path) | Name::Hidden(path) | Name::Noted(path) = name {
        // fails if the file was swept before
        let _ = fs::remove_file(path);
    }
}
