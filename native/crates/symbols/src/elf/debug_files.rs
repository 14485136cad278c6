//! Debug information that lies in files of its own, as distributions install it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::ElfFile;

const FOLDER: &str = "/usr/lib/debug";
const LONGEST_LINK: u64 = 4096;

/// Looks for separate debug files.
pub struct DebugFiles {
    roots: Vec<PathBuf>,
}

impl DebugFiles {
    /// In these roots of file systems, one after the other.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots }
    }

    /// The debug file of the same build as a library, which its process names `path`. Its build id
    /// names it, or a link in the library does.
    pub fn of_library(&self, library: &ElfFile, path: &Path) -> Option<ElfFile> {
        let id = library.build_id()?;
        let mut names = vec![by_build_id(id)?];
        if let Some(link) = link(library, ".gnu_debuglink") {
            let folder = path.parent()?;
            names.push(folder.join(".debug").join(&link));
            names.push(folder.join(&link));
            names.push(inside(Path::new(FOLDER), folder).join(&link));
        }
        self.of_build(&names, id)
    }

    /// The file with the parts that several debug files have in common.
    pub fn common_part(&self, debug: &ElfFile) -> Option<ElfFile> {
        let section = debug.section(".gnu_debugaltlink")?;
        let content = debug.read(section.offset, section.bytes.min(LONGEST_LINK)).ok()?;
        let end = content.iter().position(|&byte| byte == 0)?;
        let id = &content[end + 1..];
        let name = Path::new(OsStr::from_bytes(&content[..end]));
        let named = Path::new("/").join(name.strip_prefix("..").unwrap_or(name));
        self.of_build(&[named, by_build_id(id)?], id)
    }

    fn of_build(&self, names: &[PathBuf], id: &[u8]) -> Option<ElfFile> {
        let places = self.roots.iter().flat_map(|root| names.iter().map(|name| inside(root, name)));
        places
            .filter_map(|place| ElfFile::open(&place).ok())
            .find(|file| file.build_id() == Some(id))
    }
}

/// `/usr/lib/debug/.build-id/ab/cdef.debug`.
fn by_build_id(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(PathBuf::from(format!("{FOLDER}/.build-id/{first:02x}/{rest}.debug")))
}

/// The file's name in a link.
fn link(file: &ElfFile, section: &str) -> Option<PathBuf> {
    let section = file.section(section)?;
    let content = file.read(section.offset, section.bytes.min(LONGEST_LINK)).ok()?;
    let end = content.iter().position(|&byte| byte == 0)?;
    // a name without a folder: any other leads elsewhere
    let name = Path::new(OsStr::from_bytes(&content[..end])).file_name()?;
    Some(PathBuf::from(name))
}

/// An absolute path below another root.
pub fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}
