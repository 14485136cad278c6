//! How much is recorded. No logic: see `recorder::levels`.

use super::catch_value;
use recorder::levels;
use recorder::runtime::{existing, runtime};
use segment::status::Status;

/// Sets the level of all types without a level of their own.
#[no_mangle]
pub extern "C" fn ai_set_level(level: u8) {
    catch_value((), || levels::set_level(runtime(), level));
}

/// The process's level.
#[no_mangle]
pub extern "C" fn ai_level() -> u8 {
    catch_value(0, || existing().map_or(0, levels::level))
}

/// The highest level of any type now: the process's level, or a higher level of a single type.
#[no_mangle]
pub extern "C" fn ai_hottest_level() -> u8 {
    levels::hottest()
}

/// The level of a type; for an unknown type the process's level.
#[no_mangle]
pub extern "C" fn ai_type_level(type_id: u16) -> u8 {
    catch_value(0, || existing().map_or(0, |runtime| levels::level_of_any(runtime, type_id)))
}

/// Sets the level of one type, 255: as the process. A `Status`.
#[no_mangle]
pub extern "C" fn ai_set_type_level(type_id: u16, level: u8) -> i32 {
    let found = catch_value(false, || levels::set_type_level(runtime(), type_id, level));
    if found {
        Status::Ok as i32
    } else {
        Status::BadArgument as i32
    }
}
