//! The start of the agent, as the viewer that started the program asks for it.

use std::env;
use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;

use agent::Options;
use control::Stay;
use segment::layout::Level;

/// Anything but empty and `0`: the program is to be looked at.
const WANTED: &str = "ARC_INSPECTOR";
/// `off`, `count`, `history` or `stacks`.
const LEVEL: &str = "ARC_INSPECTOR_LEVEL";
/// Descriptor of a pipe: the program waits there until its viewer has attached.
const WAIT: &str = "ARC_INSPECTOR_WAIT_FD";
const LEVELS: [(&str, Level); 4] = [
    ("off", Level::Off),
    ("count", Level::Count),
    ("history", Level::History),
    ("stacks", Level::Stacks),
];

/// The viewer's wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The program is to be looked at.
    pub is_wanted: bool,
    level: Level,
    /// Negative: it does not wait.
    wait: i32,
}

impl Settings {
    /// The wishes in the environment.
    pub fn of_environment() -> Self {
        Self::of(|name| env::var(name).unwrap_or_default())
    }

    fn of(variable: impl Fn(&str) -> String) -> Self {
        let level = variable(LEVEL);
        let named = LEVELS.iter().find(|(name, _)| level.eq_ignore_ascii_case(name));
        Self {
            is_wanted: !matches!(variable(WANTED).as_str(), "" | "0"),
            level: named.map_or(Level::Count, |&(_, level)| level),
            wait: variable(WAIT).parse().unwrap_or(-1),
        }
    }
}

/// Starts the agent and waits for the viewer. False: it could not start, and a line on stderr says
/// why. `leave` runs before the agent leaves.
pub fn start(settings: &Settings, leave: fn()) -> bool {
    let words: Vec<String> =
        env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let executable = env::current_exe().unwrap_or_default();
    let name = executable.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let started = agent::start(&Options {
        level: settings.level as u8,
        idle_level: Level::Count as u8,
        program: &words.join(" "),
        runtime: &name,
        directory: None,
        stay: Stay::default(),
    });
    if let Err(error) = &started {
        eprintln!("arc-inspector: {}", error.message);
        return false;
    }
    agent::on_leaving(leave);
    platform::at_exit(exit);
    wait(settings.wait);
    true
}

extern "C" fn exit() {
    agent::exit();
}

/// Waits until the viewer writes to its pipe, closes it or ends.
fn wait(descriptor: i32) {
    if descriptor > 2 {
        // SAFETY: the viewer made this descriptor for us alone; it is closed with the file.
        let mut pipe = unsafe { File::from_raw_fd(descriptor) };
        // a pipe that cannot be read needs no wait
        let _ = pipe.read(&mut [0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_whether_at_what_level_and_where_to_wait() {
        let settings = Settings::of(|name| {
            [(WANTED, "1"), (LEVEL, "STACKS"), (WAIT, "7")]
                .into_iter()
                .find(|(known, _)| *known == name)
                .map_or_else(String::new, |(_, value)| value.to_owned())
        });
        assert_eq!(settings, Settings { is_wanted: true, level: Level::Stacks, wait: 7 });
        let none = Settings::of(|_| String::new());
        assert_eq!(none, Settings { is_wanted: false, level: Level::Count, wait: -1 });
        assert!(!Settings::of(|_| "0".to_owned()).is_wanted);
    }
}
