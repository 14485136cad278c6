//! The memory map of a process, as `/proc/PID/maps` has it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A longer map is cut; maps of processes have some hundred kilobytes.
const MOST_BYTES: u64 = 64 << 20;

/// One line of the map. A file's path is shown as the process sees it, with `\012` for a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping<'a> {
    /// First byte.
    pub low: u64,
    /// The byte behind the last.
    pub high: u64,
    /// `r-xp`: readable, writable, executable, private or shared.
    pub access: [u8; 4],
    /// The place in the file where the mapping begins.
    pub offset: u64,
    /// Major and minor number of the file's device.
    pub device: (u32, u32),
    /// Number of the file; 0: memory without a file.
    pub inode: u64,
    /// Empty for memory without a name.
    pub path: &'a [u8],
}

impl<'a> Mapping<'a> {
    /// `7f12000-7f34000 r-xp 00001000 08:01 4711   /usr/lib/libc.so.6`; `None` for any other line.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let mut rest = line;
        let (low, high) = pair(word(&mut rest)?, b'-')?;
        let access = word(&mut rest)?.try_into().ok()?;
        let offset = hexadecimal(word(&mut rest)?)?;
        let (major, minor) = pair(word(&mut rest)?, b':')?;
        let inode = std::str::from_utf8(word(&mut rest)?).ok()?.parse().ok()?;
        let device = (u32::try_from(major).ok()?, u32::try_from(minor).ok()?);
        let is_access = |(each, letters): (&u8, &[u8; 3])| letters.contains(each);
        let letters = [b"r--", b"w--", b"x--", b"ps-"];
        let is_line = low < high && std::iter::zip(&access, letters).all(is_access);
        is_line.then_some(Self { low, high, access, offset, device, inode, path: rest })
    }

    /// Whether its memory may be executed.
    pub fn is_code(&self) -> bool {
        self.access[2] == b'x'
    }
}

/// The text up to the next space; the spaces are taken as well. `None` at the end.
fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    let spaces = after.iter().take_while(|&&byte| byte == b' ').count();
    *rest = &after[spaces..];
    (!word.is_empty()).then_some(word)
}

fn hexadecimal(word: &[u8]) -> Option<u64> {
    let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_hexdigit);
    is_number.then(|| u64::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok())?
}

fn pair(word: &[u8], between: u8) -> Option<(u64, u64)> {
    let at = word.iter().position(|&byte| byte == between)?;
    Some((hexadecimal(&word[..at])?, hexadecimal(&word[at + 1..])?))
}

/// The map of a process at one moment.
pub struct MemoryMap(Vec<u8>);

impl MemoryMap {
    /// The map of this process; empty when it cannot be read.
    pub fn of_this_process() -> Self {
        Self::read(Path::new("/proc/self/maps")).unwrap_or(Self(Vec::new()))
    }

    /// The map of another process; empty for a kernel thread or a zombie.
    ///
    /// # Errors
    /// The system's: the process has ended, or may not be read.
    pub fn of(pid: u32) -> io::Result<Self> {
        Self::read(Path::new(&format!("/proc/{pid}/maps")))
    }

    fn read(path: &Path) -> io::Result<Self> {
        let mut text = Vec::new();
        File::open(path)?.take(MOST_BYTES).read_to_end(&mut text)?;
        Ok(Self(text))
    }

    /// The mappings in ascending order. A line that makes no sense is left out.
    pub fn iter(&self) -> impl Iterator<Item = Mapping<'_>> {
        self.0.split(|&byte| byte == b'\n').filter_map(Mapping::parse)
    }
}

impl From<&[u8]> for MemoryMap {
    fn from(text: &[u8]) -> Self {
        Self(text.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_range_its_file_and_a_path_with_spaces() {
        let line = b"7f00-7fff r-xp 00001000 fd:1f 4711                 /opt/my lib.so (deleted)";
        let mapping = Mapping::parse(line).expect("a mapping");
        assert_eq!((mapping.low, mapping.high, mapping.offset), (0x7f00, 0x7fff, 0x1000));
        assert_eq!((mapping.device, mapping.inode), ((0xfd, 0x1f), 4711));
        assert_eq!(mapping.path, b"/opt/my lib.so (deleted)");
        assert!(mapping.is_code());
        let bare = Mapping::parse(b"7f00-7fff rw-s 0 00:00 0 ").expect("a mapping");
        assert_eq!((bare.path, bare.is_code()), (&b""[..], false));
    }

    #[test]
    fn a_line_that_makes_no_sense_is_left_out() {
        let bad: [&[u8]; 9] = [
            b"",
            b"7f00",
            b"7f00-7fff",
            b"7fff-7f00 r-xp 0 00:00 0 ",
            b"7f00-7fff rwxpp 0 00:00 0 ",
            b"7f00-7fff abcd 0 00:00 0 ",
            b"+7f0-7fff r-xp 0 00:00 0 ",
            b"7f00-7fff r-xp 0 00:00 x /lib",
            b"7f00-10000000000000000 r-xp 0 00:00 0 /lib",
        ];
        for line in bad {
            assert_eq!(Mapping::parse(line), None, "{}", String::from_utf8_lossy(line));
        }
        let text = b"nonsense\n7f00-7fff r--p 0 00:00 1 /a\n\xff\xff-\n";
        let map = MemoryMap::from(&text[..]);
        assert_eq!(map.iter().map(|each| each.path).collect::<Vec<_>>(), [b"/a"]);
    }

    #[test]
    fn this_process_finds_its_own_code() {
        let here = this_process_finds_its_own_code as *const () as u64;
        let map = MemoryMap::of_this_process();
        let found = map.iter().find(|each| (each.low..each.high).contains(&here));
        assert!(found.is_some_and(|each| each.is_code() && each.inode != 0));
        assert!(MemoryMap::of(u32::MAX).is_err());
    }
}
