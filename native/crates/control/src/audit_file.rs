//! The file of the audit log: ours alone, appended to, of a bounded size.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use platform::descriptors::{Descriptor, Opening, Table};

/// Bytes after which the file is put aside as `FILE.1`, in place of the one before; both together
/// are the bound.
pub const MAX_BYTES: u64 = 4 << 20;
const OURS_ALONE: u32 = 0o600;

/// A log. It is open only while it is written to.
pub struct AuditFile {
    table: Arc<Table>,
    path: PathBuf,
    max_bytes: u64,
}

impl AuditFile {
    /// The log at `path`, created if it does not exist. An existing file must be a regular file of
    /// this user; permissions of group and others are removed.
    pub fn new(table: &Arc<Table>, path: &Path) -> io::Result<Self> {
        Self::bounded(table, path, MAX_BYTES)
    }

    /// As `new`, with another bound.
    pub fn bounded(table: &Arc<Table>, path: &Path, max_bytes: u64) -> io::Result<Self> {
        // a program may change its directory
        let log = Self { table: Arc::clone(table), path: std::path::absolute(path)?, max_bytes };
        log.open().map(|_| log)
    }

    /// Appends a line, in one piece.
    pub fn append(&self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        let mut file = self.open()?;
        let bytes = file.status()?.bytes;
        if bytes > 0 && bytes + line.len() as u64 > self.max_bytes {
            self.put_aside(&file)?;
            file = self.open()?;
        }
        let mut left = line.as_bytes();
        while !left.is_empty() {
            match file.write(left) {
                Ok(count) => left = &left[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Puts a full file aside. A child of a fork writes to the same file and may have been first;
    /// then another file is there already.
    fn put_aside(&self, full: &Descriptor) -> io::Result<()> {
        let is_still_there =
            fs::symlink_metadata(&self.path).ok().map(|found| (found.dev(), found.ino()));
        let full = full.identity()?;
        if is_still_there == Some((full.device, full.inode)) {
            fs::rename(&self.path, self.aside())?;
        }
        Ok(())
    }

    fn aside(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".1");
        name.into()
    }

    fn open(&self) -> io::Result<Descriptor> {
        // opening a pipe must not block the program
        let file = self.table.open_file(&self.path, Opening::append(OURS_ALONE).plainly())?;
        let found = file.status()?;
        if !found.is_regular {
            return Err(io::Error::other("not a plain file"));
        }
        if found.user != platform::user_id() {
            return Err(io::Error::other(format!("it belongs to user {}", found.user)));
        }
        if found.permissions != OURS_ALONE {
            file.set_mode(OURS_ALONE)?;
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir()
                .join(format!("arc-inspector-audit-{}-{name}", std::process::id()));
            fs::create_dir(&folder).expect("a folder");
            Self(folder)
        }

        fn log(&self) -> PathBuf {
            self.0.join("audit.jsonl")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).expect("the folder");
        }
    }

    fn opened(path: &Path) -> io::Result<AuditFile> {
        AuditFile::new(&Table::open(), path)
    }

    fn bounded(path: &Path, max_bytes: u64) -> io::Result<AuditFile> {
        AuditFile::bounded(&Table::open(), path, max_bytes)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("the file").mode() & 0o777
    }

    #[test]
    fn a_new_file_is_ours_alone_and_an_old_one_that_was_open_to_others_becomes_so() {
        let folder = Folder::new("mode");
        opened(&folder.log()).expect("a file").append("one").expect("room");
        assert_eq!(mode(&folder.log()), 0o600);
        fs::set_permissions(folder.log(), Permissions::from_mode(0o666)).expect("the file");
        opened(&folder.log()).expect("a file").append("two").expect("room");
        assert_eq!(mode(&folder.log()), 0o600);
        assert_eq!(fs::read_to_string(folder.log()).expect("the file"), "one\ntwo\n");
    }

    #[test]
    fn links_pipes_and_folders_are_refused() {
        let folder = Folder::new("kinds");
        std::os::unix::fs::symlink(folder.0.join("elsewhere"), folder.log()).expect("a link");
        assert!(opened(&folder.log()).is_err());
        assert!(!folder.0.join("elsewhere").exists());
        assert!(opened(&folder.0).is_err());
        let pipe = folder.0.join("pipe");
        platform::testing::make_pipe(&pipe);
        assert!(opened(&pipe).is_err());
    }

    #[test]
    fn a_full_file_is_put_aside_once_and_the_newest_lines_are_kept() {
        let folder = Folder::new("bound");
        let log = bounded(&folder.log(), 30).expect("a file");
        (0..20).for_each(|line| log.append(&format!("line {line:04}")).expect("room"));
        let text = |path: &Path| fs::read_to_string(path).expect("the file");
        assert_eq!(text(&folder.log()), "line 0018\nline 0019\n");
        assert_eq!(text(&log.aside()), "line 0015\nline 0016\nline 0017\n");
        assert_eq!((mode(&folder.log()), mode(&log.aside())), (0o600, 0o600));
        assert_eq!(fs::read_dir(&folder.0).expect("the folder").count(), 2);
    }

    #[test]
    fn two_who_write_the_same_file_put_it_aside_once() {
        let folder = Folder::new("both");
        let (one, other) = (
            bounded(&folder.log(), 30).expect("a file"),
            bounded(&folder.log(), 30).expect("a file"),
        );
        for line in 0..3 {
            one.append(&format!("line {line:04}")).expect("room");
        }
        one.append("line 0003").expect("room");
        other.append("line 0004").expect("room");
        assert_eq!(fs::read_to_string(folder.log()).expect("the file"), "line 0003\nline 0004\n");
    }
}
