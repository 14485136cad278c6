//! The words that a viewer gives the agent on its way.

use std::path::Path;
use std::time::Duration;

use control::Stay;
use segment::layout::Level;
use segment::status::{Error, Result, Status};

/// The options as they were written: `level=1;leaves=300000`.
pub struct Options<'a> {
    directory: Option<&'a Path>,
    program: &'a str,
    level: u8,
    leaves_after: Option<Duration>,
}

impl<'a> Options<'a> {
    /// Reads them. An empty text gives the defaults.
    ///
    /// # Errors
    /// A name that is not known, or a value that is not one.
    pub fn read(text: &'a str) -> Result<Self> {
        let mut options = Self {
            directory: None,
            program: "java",
            level: Level::Count as u8,
            leaves_after: None,
        };
        for word in text.split(';').filter(|word| !word.is_empty()) {
            options.take(word)?;
        }
        Ok(options)
    }

    fn take(&mut self, word: &'a str) -> Result<()> {
        let wrong = || Error::new(Status::BadArgument, format!("no option of the agent: {word}"));
        let (name, value) = word.split_once('=').ok_or_else(wrong)?;
        match name {
            "directory" => self.directory = Some(Path::new(value)),
            "program" => self.program = value,
            "level" => self.level = value.parse().map_err(|_| wrong())?,
            "leaves" => {
                self.leaves_after =
                    Some(Duration::from_millis(value.parse().map_err(|_| wrong())?));
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// For the recorder, in a virtual machine with this name.
    pub fn of_agent<'b>(&'b self, runtime: &'b str) -> agent::Options<'b> {
        agent::Options {
            level: self.level,
            idle_level: Level::Count as u8,
            program: self.program,
            runtime,
            directory: self.directory,
            stay: Stay { is_brought: self.leaves_after.is_some(), leaves_after: self.leaves_after },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_others_refused() {
        let options = Options::read("level=2;leaves=500;directory=/dev/shm/x").expect("valid");
        assert_eq!(options.level, 2);
        assert_eq!(options.leaves_after, Some(Duration::from_millis(500)));
        assert_eq!(options.directory, Some(Path::new("/dev/shm/x")));
        assert!(Options::read("").is_ok());
        for wrong in ["level", "level=high", "colour=red"] {
            assert!(Options::read(wrong).is_err(), "{wrong}");
        }
    }
}
