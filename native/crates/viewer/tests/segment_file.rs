//! The file of a segment: what is refused by its kind or owner, its lock, and its size.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_viewer as viewer;

mod image;

use std::os::unix::fs::symlink;
use std::path::Path;

use image::{file_bytes, header, Image, Scratch};
use platform::testing::{become_nobody, in_child, lock_first_byte, make_pipe};
use viewer::reader::{ReadError, Reader};

fn open_error(path: &Path) -> String {
    match Reader::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_not_a_plain_file_is_refused_by_its_name() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let (link, pipe) = (scratch.path("link.seg"), scratch.path("pipe.seg"));
    symlink(&image.path, &link).unwrap();
    make_pipe(&pipe);
    assert!(open_error(&link).contains("symbolic link"));
    assert!(open_error(&pipe).contains("a pipe"));
    assert!(open_error(&scratch.path("")).contains("a directory"));
    assert!(open_error(Path::new("/dev/null")).contains("a device"));
    assert!(open_error(&scratch.path("nothing.seg")).contains("No such file"));
}

#[test]
fn a_stranger_s_file_is_refused_and_names_its_owner() {
    if platform::user_id() == 0 {
        return in_child_as_nobody();
    }
    assert!(open_error(Path::new("/etc/hostname")).contains("belongs to user 0"));
}

/// Root may read all, so the check is made by a child that gave that up.
fn in_child_as_nobody() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let code = in_child(|| {
        let refused =
            become_nobody() && matches!(Reader::open(&image.path), Err(ReadError::NotOurs(_)));
        i32::from(!refused)
    });
    assert_eq!(code, 0);
}

#[test]
fn the_lock_is_seen_while_held_also_by_our_own_process_and_outlives_a_reader() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    assert!(!Reader::open(&image.path).unwrap().is_locked().unwrap());
    lock_first_byte(&image.file);
    assert!(Reader::open(&image.path).unwrap().is_locked().unwrap());
    assert!(Reader::open(&image.path).unwrap().is_locked().unwrap());
}

#[test]
fn the_allocated_size_counts_no_holes() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let reader = Reader::open(&image.path).unwrap();
    assert!(reader.allocated() < file_bytes(&image.header) / 4);
}
