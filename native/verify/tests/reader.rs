//! The reader fed with anything: it answers with records or with one line, and never with more than
//! it was given room for.

#[path = "../../crates/viewer/tests/image/mod.rs"]
mod image;

use std::mem::size_of;
use std::os::unix::fs::FileExt;

use image::{header, Image, Scratch, ROWS};
use proptest::collection::vec;
use proptest::prelude::*;
use segment::layout::{Event, FrameSlot, HandleSlot, Header, SiteSlot, ThreadSlot, TypeSlot};
use viewer::reader::{zeroed, Part, Reader, Record};

/// Ask the reader for everything. Only its return matters here; the results are checked in tests
/// with known content.
fn read_all(reader: &Reader, number: u32, from: u64) -> Result<(), TestCaseError> {
    let mut rows = vec![zeroed::<HandleSlot>(); 300];
    let mut indices = vec![0; 300];
    let _ = reader.header();
    if let Ok(found) = reader.handles(&mut rows) {
        prop_assert!(found.rows < ROWS as usize && found.changing <= 300);
    }
    if let Ok(found) = reader.live(&mut rows, &mut indices) {
        prop_assert!(found.rows < ROWS as usize);
        prop_assert!(indices[..found.rows.min(300)].windows(2).all(|pair| pair[0] < pair[1]));
    }
    some_records::<ThreadSlot>(reader, Part::Threads, number)?;
    some_records::<TypeSlot>(reader, Part::Types, number)?;
    some_records::<SiteSlot>(reader, Part::Sites, number)?;
    some_records::<FrameSlot>(reader, Part::Frames, number)?;
    some_records::<u8>(reader, Part::Strings, number)?;
    let mut text = [0_u8; 40];
    let _ = reader.text(number, &mut text);
    let mut events = vec![zeroed::<Event>(); 100];
    if let Ok(found) = reader.events(number % 3, from, &mut events) {
        prop_assert!(found.count <= 100);
    }
    Ok(())
}

fn some_records<T: Record>(reader: &Reader, part: Part, from: u32) -> Result<(), TestCaseError> {
    let mut records = vec![zeroed::<T>(); 10];
    if let Ok(count) = reader.records(part, from as usize % 20, &mut records) {
        prop_assert!(count <= 10);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused_in_one_line(bytes in vec(any::<u8>(), 0..9000)) {
        let scratch = Scratch::new();
        let path = scratch.path("any.seg");
        std::fs::write(&path, bytes).expect("a temporary file");
        match Reader::open(&path) {
            Ok(_) => prop_assert!(false, "noise was opened"),
            Err(error) => prop_assert_eq!(error.to_string().lines().count(), 1),
        }
    }

    #[test]
    fn a_header_with_any_bytes_changed_is_refused_or_read_within_bounds(
        changes in vec((0..size_of::<Header>(), any::<u8>()), 1..12),
        number in any::<u32>(),
        from in any::<u64>(),
    ) {
        let scratch = Scratch::new();
        let image = Image::create(&scratch.path("a.seg"), header());
        for (offset, byte) in changes {
            image.put(offset as u64, &byte);
        }
        if let Ok(reader) = Reader::open(&image.path) {
            read_all(&reader, number, from)?;
        }
    }

    #[test]
    fn a_file_that_changes_and_shrinks_after_it_was_opened_stays_within_bounds(
        changes in vec((any::<prop::sample::Index>(), any::<u64>()), 0..200),
        length in any::<prop::sample::Index>(),
        number in any::<u32>(),
        from in any::<u64>(),
    ) {
        let scratch = Scratch::new();
        let image = Image::create(&scratch.path("a.seg"), header());
        image.put_row(1000, &image::row(1));
        let reader = Reader::open(&image.path).expect("a sound segment");
        let whole = image::file_bytes(&image.header) as usize;
        for (offset, word) in changes {
            image.file.write_all_at(&word.to_le_bytes(), offset.index(whole - 8) as u64).expect("a temporary file");
        }
        read_all(&reader, number, from)?;
        image.file.set_len(length.index(whole) as u64).expect("a temporary file");
        read_all(&reader, number, from)?;
    }
}
