//! The agent of a Rust program: viewers attach to it.

use std::env;

use agent::Options;
use control::Stay;
use segment::layout::Level;
use segment::status::{Error, Result, Status};

/// The variable that asks for the agent: anything but empty and `0`.
pub const VARIABLE: &str = "ARC_INSPECTOR";
/// The variable that gives its level: `off`, `count`, `history` or `stacks`.
pub const LEVEL_VARIABLE: &str = "ARC_INSPECTOR_LEVEL";

const LEVELS: [(&str, Level); 4] = [
    ("off", Level::Off),
    ("count", Level::Count),
    ("history", Level::History),
    ("stacks", Level::Stacks),
];

/// Starts the agent; does nothing while it runs. `level`: to begin with; without a viewer it is
/// `Count`.
///
/// # Errors
/// The segment or the socket could not be made; the message is one line.
pub fn start(level: Level) -> Result<()> {
    let words: Vec<String> =
        env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    agent::start(&Options {
        level: level as u8,
        idle_level: Level::Count as u8,
        program: &words.join(" "),
        runtime: "Rust",
        directory: None,
        stay: Stay::default(),
    })
}

/// Starts the agent when the environment asks for it, as Python programs do: `ARC_INSPECTOR=1`, and
/// `ARC_INSPECTOR_LEVEL`. True: it runs.
///
/// # Errors
/// As [`start`], and for a level that there is not.
pub fn start_from_env() -> Result<bool> {
    if matches!(env::var(VARIABLE).as_deref(), Err(_) | Ok("" | "0")) {
        return Ok(false);
    }
    let name = env::var(LEVEL_VARIABLE).unwrap_or_default();
    start(level_named(&name)?)?;
    Ok(true)
}

fn level_named(name: &str) -> Result<Level> {
    if name.is_empty() {
        return Ok(Level::Count);
    }
    let found = LEVELS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    found.map(|&(_, level)| level).ok_or_else(|| {
        Error::new(
            Status::BadArgument,
            format!("no such level, there are off, count, history and stacks: {name}"),
        )
    })
}

/// Ends the recording and removes its files; rows continue to work.
pub fn stop() {
    agent::stop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names_in_any_case() {
        assert_eq!(level_named("").map(|level| level as u8).ok(), Some(Level::Count as u8));
        assert_eq!(level_named("STACKS").map(|level| level as u8).ok(), Some(Level::Stacks as u8));
        let refused = level_named("all").err().map(|error| error.message);
        assert!(refused.is_some_and(|message| message.ends_with("stacks: all")));
    }
}
