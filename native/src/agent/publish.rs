//! The segment's name in the directory: `<pid>-<starttime>.seg` while the agent runs, hidden while it is stopped, gone when the process ends.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::platform;
use crate::runtime::Runtime;
use crate::status::{Error, Result, Status};

/// How long the segment of a process that crashed is kept.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The name that the segment's file has.
#[derive(Clone, Debug, Default)]
pub enum Name {
    /// None yet.
    #[default]
    None,
    /// Viewers find it.
    Published(PathBuf),
    /// Viewers pass over it; kept because a file that lost its last name cannot get another.
    Hidden(PathBuf),
}

fn stem() -> Result<String> {
    let pid = platform::process_id();
    let start = platform::start_time(pid).map_err(|error| Error::io("cannot tell when this process started", &error))?;
    Ok(format!("{pid}-{start}"))
}

/// Gives the segment its name, so that viewers find it, and takes the lock that says we live.
pub fn publish(runtime: &Runtime, directory: Option<&Path>) -> Result<PathBuf> {
    let usual = runtime.directory.as_deref().map_err(|reason| Error::new(Status::Unavailable, reason.clone()))?;
    if !runtime.segment().has_file() {
        return Err(Error::new(Status::Unavailable, format!("no room for a segment: {}", usual.display())));
    }
    let directory = match directory {
        Some(path) => platform::segment_directory(Some(path)).map_err(|error| Error::new(Status::Unavailable, error.to_string()))?,
        None => usual.to_owned(),
    };
    let stem = stem()?;
    sweep(&directory, &stem);
    let path = directory.join(format!("{stem}.seg"));
    let mut name = runtime.name.lock();
    let named = match &*name {
        Name::Published(_) => Ok(()),
        Name::Hidden(hidden) => fs::rename(hidden, &path),
        Name::None => name_new(runtime, &path),
    };
    named.map_err(|error| Error::io(format!("cannot publish the segment as {}", path.display()), &error))?;
    *name = Name::Published(path.clone());
    Ok(path)
}

fn name_new(runtime: &Runtime, path: &Path) -> io::Result<()> {
    runtime.segment().with_file(|file| {
        let file = file.ok_or_else(|| io::Error::from(ErrorKind::NotFound))?;
        // locked before it can be found: nobody takes it for one that a dead process left
        platform::lock_for_life(file)?;
        match platform::name_file(file, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // the same process before it replaced itself with exec: pid and start stay, everything else is gone
                fs::remove_file(path)?;
                platform::name_file(file, path)
            }
            other => other,
        }
    })
}

/// Takes the segment out of viewers' sight.
pub fn withdraw(runtime: &Runtime) {
    let mut name = runtime.name.lock();
    let Name::Published(path) = &*name else { return };
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let hidden = path.with_file_name(format!(".{file}"));
    *name = match fs::rename(path, &hidden) {
        Ok(()) => Name::Hidden(hidden),
        // somebody removed it: then it has no name any more, and cannot get one
        Err(_) => Name::None,
    };
}

/// Removes the segment's name; the memory stays as long as the process.
pub fn remove(runtime: &Runtime) {
    let name = std::mem::take(&mut *runtime.name.lock());
    if let Name::Published(path) | Name::Hidden(path) = name {
        // gone already when somebody swept the directory
        let _ = fs::remove_file(path);
    }
}

/// Removes what processes left behind that died long ago. Never opens a file of ours: closing it again would drop our lock.
fn sweep(directory: &Path, own: &str) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or("").trim_start_matches('.');
        let is_segment = path.extension().is_some_and(|extension| extension == "seg");
        if is_segment && stem != own && is_abandoned(&path) {
            // whoever else sweeps may be first
            let _ = fs::remove_file(path.with_extension("sock"));
            let _ = fs::remove_file(&path);
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    let Ok(file) = platform::open_plainly(path) else { return false };
    let is_held = !matches!(platform::lock_holder(&file), Ok(None));
    let is_hidden = path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with('.'));
    let age = file.metadata().and_then(|found| found.modified()).map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    // one that was hidden has nothing to tell after the death of its process
    !is_held && (is_hidden || age.is_ok_and(|age| age > RETENTION))
}
