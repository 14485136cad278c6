//! Removes the segments of dead processes from the directory: those past an age, those beyond a
//! number or a share of the file system, and all of them when a live process finds no room for its
//! segment.
//!
//! Several processes may sweep at the same time: the second finds nothing left. Only regular files
//! of the directory's own user are touched, by name; no link is followed. A file whose lock is held
//! belongs to a process that lives and stays.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::mem::offset_of;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::layout::Header;

/// How long the segment of a process that crashed is kept.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of them are kept: a service that crashes all the time must not fill the memory that
/// they lie in.
const KEPT: usize = 64;
/// As much of the file system they may take together: one part in so many.
const SHARE: u64 = 8;
/// A person may be about to look at a crash: a segment younger than this is removed only when there
/// is no room.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// Room that a new segment should find: enough for some thousand handles.
const ROOM_BYTES: u64 = 1 << 20;
/// Entries of the directory that are looked at when an agent starts.
const MOST_ENTRIES: usize = 4096;
const SEGMENT: &str = "seg";
/// Ending of the name of a note.
pub const NOTE: &str = "note";

/// How much is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Segments that are too old or take too much room: removed when an agent starts or a viewer
    /// lists processes.
    Overdue,
    /// All segments except fresh segments: removed at a person's request.
    Settled,
    /// All.
    Everything,
}

/// Counts of removed and kept segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Segments of dead processes that were removed.
    pub removed: u64,
    /// Bytes that they took.
    pub removed_bytes: u64,
    /// Segments of dead processes that stay.
    pub kept: u64,
    /// Bytes that these take.
    pub kept_bytes: u64,
}

/// The segment of a process that does not live any more.
struct Dead {
    path: PathBuf,
    /// When it was last written to, as far as the file system knows.
    at: SystemTime,
    bytes: u64,
    inode: u64,
    /// It was hidden: a viewer has no use for it.
    is_hidden: bool,
    /// The newest of its program.
    is_last: bool,
    program: Vec<u8>,
}

/// Sweeps a directory but for the files of this process, whose stem is `own`.
pub fn sweep(directory: &Path, own: &str, extent: Extent) -> Swept {
    let Ok(owner) = fs::symlink_metadata(directory).map(|found| found.uid()) else {
        return Swept::default();
    };
    let most = if extent == Extent::Overdue { MOST_ENTRIES } else { usize::MAX };
    let dead = dead_in(directory, own, owner, most);
    let (free, total) = platform::space(directory).unwrap_or((u64::MAX, u64::MAX));
    let overdue = choose(&dead, extent, SystemTime::now(), free, total);
    let mut swept = Swept::default();
    for (each, goes) in dead.iter().zip(overdue) {
        // the process is dead: no thread answers on the socket
        let _ = fs::remove_file(each.path.with_extension("sock"));
        if goes && remove(each) {
            swept.removed += 1;
            swept.removed_bytes += each.bytes;
        } else {
            swept.kept += 1;
            swept.kept_bytes += each.bytes;
        }
    }
    swept
}

/// Makes room in a directory for a segment that is about to be made, when there is too little.
/// Costs one system call otherwise.
pub fn make_room(directory: &Path) {
    if platform::space(directory).is_ok_and(|(free, _)| free < ROOM_BYTES) {
        sweep(directory, "", Extent::Overdue);
    }
}

/// Which segments of dead processes to remove; they are in order, the newest first.
fn choose(dead: &[Dead], extent: Extent, now: SystemTime, free: u64, total: u64) -> Vec<bool> {
    let (mut kept, mut taken) = (0, 0);
    let mut goes: Vec<bool> = Vec::with_capacity(dead.len());
    for each in dead {
        let age = now.duration_since(each.at).unwrap_or_default();
        let is_full = kept >= KEPT;
        let is_too_much = is_full || taken + each.bytes > total / SHARE;
        goes.push(match extent {
            Extent::Everything => true,
            _ if each.is_hidden || age > RETENTION => true,
            _ if age < FRESH => false,
            Extent::Settled => true,
            // the last crash of each program stays as long as there is room
            Extent::Overdue => is_too_much && (!each.is_last || is_full),
        });
        if goes.last() == Some(&false) {
            kept += 1;
            taken += each.bytes;
        }
    }
    let mut room = free.saturating_add(
        dead.iter().zip(&goes).filter(|(_, &goes)| goes).map(|(each, _)| each.bytes).sum(),
    );
    // the oldest first, fresh or not: without room no process that lives can be looked at
    for (each, goes) in dead.iter().zip(&mut goes).rev() {
        if room >= ROOM_BYTES {
            break;
        }
        if !*goes {
            *goes = true;
            room = room.saturating_add(each.bytes);
        }
    }
    goes
}

/// Segments whose process is dead, the newest first. Notes of the dead are removed on the way.
fn dead_in(directory: &Path, own: &str, owner: u32, most: usize) -> Vec<Dead> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut dead = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()).take(most) {
        let ending = path.extension().and_then(OsStr::to_str);
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or("").trim_start_matches('.');
        if ending == Some(NOTE) && is_of_nobody(stem) {
            // another process that sweeps may be first
            let _ = fs::remove_file(&path);
        } else if ending == Some(SEGMENT) && stem != own {
            dead.extend(dead_at(path, owner));
        }
    }
    dead.sort_by_key(|each| Reverse(each.at));
    let mut programs = HashSet::new();
    for each in &mut dead {
        each.is_last = !each.is_hidden && programs.insert(each.program.clone());
    }
    dead
}

/// A file of `owner` whose lock no process holds.
fn dead_at(path: PathBuf, owner: u32) -> Option<Dead> {
    if !is_plain(&fs::symlink_metadata(&path).ok()?, owner) {
        return None;
    }
    let file = platform::open_plainly(&path).ok()?;
    let found = file.metadata().ok()?;
    if !is_plain(&found, owner) || !matches!(platform::is_locked(&file), Ok(false)) {
        return None;
    }
    let is_hidden =
        path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with('.'));
    let at = found.modified().ok()?;
    Some(Dead {
        at,
        bytes: found.blocks() * 512,
        inode: found.ino(),
        is_hidden,
        is_last: false,
        program: program_in(&file),
        path,
    })
}

fn is_plain(found: &Metadata, owner: u32) -> bool {
    found.is_file() && found.uid() == owner
}

/// The program's command line in a segment's header, as bytes to compare; empty for a file that is
/// no segment.
fn program_in(file: &File) -> Vec<u8> {
    let mut program = vec![0; 256];
    let read = file.read_at(&mut program, offset_of!(Header, program) as u64).unwrap_or(0);
    program.truncate(read);
    program
}

/// Removes a file, unless its name belongs to a new file: a process that replaced itself with
/// `exec` publishes under the same name.
fn remove(dead: &Dead) -> bool {
    let is_same = fs::symlink_metadata(&dead.path).is_ok_and(|found| found.ino() == dead.inode);
    is_same && fs::remove_file(&dead.path).is_ok()
}

/// Whether no process of that pid and start lives any more.
fn is_of_nobody(stem: &str) -> bool {
    let named = stem
        .split_once('-')
        .and_then(|(pid, start)| Some((pid.parse().ok()?, start.parse::<u64>().ok()?)));
    named.is_some_and(|(pid, start)| platform::start_time(pid).map_or(true, |found| found != start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::FileTimes;
    use std::os::unix::fs::symlink;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn directory(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("arc-inspector-{name}-{}", platform::process_id()));
        fs::create_dir_all(&path).expect("a directory");
        path
    }

    fn dead(directory: &Path, name: &str, age: Duration) -> PathBuf {
        let path = directory.join(name);
        let file = File::create(&path).expect("a file");
        // a program of its own, unless its name says otherwise
        file.write_all_at(name.as_bytes(), offset_of!(Header, program) as u64).expect("room");
        file.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).expect("its time");
        path
    }

    #[test]
    fn what_died_long_ago_goes_and_of_the_rest_the_newest_stay() {
        let directory = directory("sweep");
        let old = dead(&directory, "1-1.seg", RETENTION + HOUR);
        let hidden = dead(&directory, ".2-2.seg", Duration::ZERO);
        let own = dead(&directory, "3-3.seg", RETENTION * 2);
        let pid = platform::process_id();
        let start = platform::start_time(pid).expect("its start");
        let [note, living] = [format!("1-1.{NOTE}"), format!("{pid}-{start}.{NOTE}")]
            .map(|name| directory.join(name));
        for path in [&note, &living] {
            symlink("a reason", path).expect("a link");
        }
        let recent: Vec<PathBuf> = (0..KEPT as u64 + 5)
            .map(|age| {
                dead(&directory, &format!("9{age}-1.seg"), FRESH + Duration::from_secs(age * 60))
            })
            .collect();
        let swept = sweep(&directory, "3-3", Extent::Overdue);
        assert!(!old.exists() && !hidden.exists() && own.exists());
        assert!(!note.is_symlink() && living.is_symlink());
        let kept: Vec<bool> = recent.iter().map(|path| path.exists()).collect();
        assert!(kept[..KEPT].iter().all(|&is_kept| is_kept), "the newest are kept");
        assert!(!kept[KEPT..].iter().any(|&is_kept| is_kept), "and no more");
        assert_eq!((swept.removed, swept.kept), (7, KEPT as u64));
        fs::remove_dir_all(&directory).expect("it is ours");
    }

    #[test]
    fn only_plain_files_are_touched() {
        let directory = directory("hostile");
        let target = dead(&directory, "target", RETENTION * 2);
        let link = directory.join("1-1.seg");
        symlink(&target, &link).expect("a link");
        let folder = directory.join("2-2.seg");
        fs::create_dir(&folder).expect("a directory");
        let swept = sweep(&directory, "", Extent::Everything);
        assert!(link.is_symlink() && target.exists() && folder.is_dir());
        assert_eq!(swept, Swept::default());
        fs::remove_dir_all(&directory).expect("it is ours");
    }

    #[test]
    fn a_person_removes_all_but_what_is_fresh_or_all() {
        let directory = directory("asked");
        let (fresh, settled) =
            (dead(&directory, "1-1.seg", Duration::ZERO), dead(&directory, "2-2.seg", FRESH * 2));
        assert_eq!(sweep(&directory, "", Extent::Settled).removed, 1);
        assert!(fresh.exists() && !settled.exists());
        assert_eq!(sweep(&directory, "", Extent::Everything).removed, 1);
        assert!(!fresh.exists());
        fs::remove_dir_all(&directory).expect("it is ours");
    }

    fn segment(age: Duration, bytes: u64, program: &str) -> Dead {
        let at = SystemTime::now() - age;
        Dead {
            path: PathBuf::new(),
            at,
            bytes,
            inode: 0,
            is_hidden: false,
            is_last: program != "again",
            program: program.into(),
        }
    }

    #[test]
    fn beyond_a_share_of_the_file_system_the_older_ones_of_a_program_go() {
        let dead = [
            segment(HOUR, 100, "a"),
            segment(HOUR * 2, 100, "again"),
            segment(HOUR * 3, 100, "b"),
            segment(HOUR * 4, 100, "again"),
        ];
        let goes = choose(&dead, Extent::Overdue, SystemTime::now(), u64::MAX, SHARE * 150);
        assert_eq!(goes, [false, true, false, true], "of each program the last crash stays");
    }

    #[test]
    fn without_room_the_oldest_go_first_whatever_they_are() {
        let half = ROOM_BYTES / 2;
        let dead = [
            segment(Duration::ZERO, half, "a"),
            segment(Duration::from_secs(1), half, "b"),
            segment(HOUR, half, "c"),
        ];
        let goes = choose(&dead, Extent::Overdue, SystemTime::now(), 0, u64::MAX);
        assert_eq!(goes, [false, true, true]);
        assert_eq!(
            choose(&dead, Extent::Overdue, SystemTime::now(), ROOM_BYTES, u64::MAX),
            [false; 3]
        );
    }
}
