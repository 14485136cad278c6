//! The reader against segments of every sort, most of them hostile.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

extern crate arc_inspector_viewer as viewer;

mod image;

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use image::{file_bytes, header, row, Image, Scratch};
use segment::layout::{
    Event, FrameSlot, HandleSlot, Header, Section, ThreadSlot, BUSY, LAYOUT_VERSION, RING_EVENTS,
};
use viewer::reader::{zeroed, Part, ReadError, Reader};

fn open_error(path: &Path) -> String {
    match Reader::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

/// The error of opening a header changed by `change`.
fn refusal(change: impl FnOnce(&mut Header)) -> String {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let mut changed = image.header;
    change(&mut changed);
    image.put(0, &changed);
    open_error(&image.path)
}

#[test]
fn a_sound_segment_opens_and_shows_its_rows_in_slot_order() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    image.put_row(1, &row(7));
    image.put_row(3, &row(9));
    let reader = Reader::open(&image.path).unwrap();
    let mut rows = [zeroed::<HandleSlot>(); 8];
    let found = reader.handles(&mut rows).unwrap();
    assert_eq!((found.rows, found.changing), (3, 0));
    assert_eq!(rows[..4].iter().map(|row| row.generation).collect::<Vec<_>>(), [7, 0, 9, 0]);
    assert_eq!(reader.header().unwrap().pid, 4711);
}

/// Positions that a reading finds changed, and the copy with the changes.
fn changes(reader: &Reader, known: &mut Vec<HandleSlot>) -> Vec<u32> {
    let mut found = Vec::new();
    reader.changes(known, &|| false, |position, row| found.push((position, *row))).unwrap();
    for &(position, row) in &found {
        if known.len() <= position as usize {
            known.resize(position as usize + 1, zeroed());
        }
        known[position as usize] = row;
    }
    found.into_iter().map(|(position, _)| position).collect()
}

#[test]
fn a_reading_tells_only_rows_that_differ_from_an_earlier_copy() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    for index in [1_u32, 2, 700, 1500] {
        image.put_row(index, &row(index));
    }
    let reader = Reader::open(&image.path).unwrap();
    let mut known = Vec::new();
    assert_eq!(changes(&reader, &mut known), [0, 1, 699, 1499]);
    assert_eq!(changes(&reader, &mut known), []);
    image.put_row(700, &HandleSlot { strong: 9, ..row(700) });
    image.put_row(2, &HandleSlot { resource_state: 6, ..row(2) });
    assert_eq!(changes(&reader, &mut known).len(), 2);
    assert_eq!((known[1].resource_state, known[699].strong), (6, 9));
    (1..1200).for_each(|index| image.put_row(index, &row(index + 1)));
    assert_eq!(changes(&reader, &mut known).len(), 1199);
    assert_eq!(changes(&reader, &mut known), []);
}

#[test]
fn a_row_that_is_being_written_is_told_once_with_its_mark() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    image.put_row(1, &HandleSlot { reference_state: BUSY | 1, ..row(3) });
    let (reader, mut known) = (Reader::open(&image.path).unwrap(), Vec::new());
    assert_eq!(changes(&reader, &mut known), [0]);
    assert_eq!(known[0].reference_state, BUSY | 1);
    assert_eq!(changes(&reader, &mut known), []);
    image.put_row(1, &row(3));
    assert_eq!(changes(&reader, &mut known), [0]);
    assert_eq!(known[0].reference_state, 1);
}

#[test]
fn a_reading_can_be_given_up() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    image.put_row(1, &row(3));
    let reader = Reader::open(&image.path).unwrap();
    assert!(reader.changes(&[], &|| true, |_, _| ()).is_err());
}

#[test]
fn only_rows_in_use_are_live_and_each_keeps_its_index() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    for index in [2_u32, 700, 701, 1500] {
        image.put_row(index, &row(index));
    }
    let reader = Reader::open(&image.path).unwrap();
    let (mut rows, mut indices) = ([zeroed::<HandleSlot>(); 8], [0_u32; 8]);
    assert_eq!(reader.live(&mut rows, &mut indices).unwrap().rows, 4);
    assert_eq!(indices[..4], [2, 700, 701, 1500]);
    assert_eq!(rows[2].generation, 701);
}

#[test]
fn too_little_room_is_answered_with_the_number_of_rows_and_no_more_is_written() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    for index in 1..=600 {
        image.put_row(index, &row(index));
    }
    let reader = Reader::open(&image.path).unwrap();
    let (mut rows, mut indices) = ([zeroed::<HandleSlot>(); 300], [0_u32; 300]);
    assert_eq!(reader.live(&mut rows[..299], &mut indices).unwrap().rows, 600);
    assert_eq!((rows[298].generation, rows[299].generation), (299, 0));
    assert_eq!(reader.handles(&mut rows[..10]).unwrap().rows, 600);
}

#[test]
fn a_row_whose_writer_died_half_way_is_marked_as_changing() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    image.put_row(1, &row(1));
    image.put_row(2, &HandleSlot { reference_state: 1 | BUSY, ..row(2) });
    let reader = Reader::open(&image.path).unwrap();
    let (mut rows, mut indices) = ([zeroed::<HandleSlot>(); 4], [0_u32; 4]);
    let all = reader.handles(&mut rows).unwrap();
    assert_eq!((all.rows, all.changing, rows[1].reference_state), (2, 1, 1 | BUSY));
    let live = reader.live(&mut rows, &mut indices).unwrap();
    assert_eq!((live.rows, live.changing), (2, 1));
}

#[test]
fn rows_that_a_writer_changes_all_the_time_are_whole_or_marked() {
    let scratch = Scratch::new();
    let image = Arc::new(Image::create(&scratch.path("a.seg"), header()));
    image.put_row(1, &row(1));
    let reader = Reader::open(&image.path).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (image, stop) = (Arc::clone(&image), Arc::clone(&stop));
        move || rewrite_row(&image, &stop)
    });
    let mut rows = [zeroed::<HandleSlot>(); 1];
    let mut whole = 0;
    while whole < 2_000 {
        if reader.handles(&mut rows).unwrap().changing == 0 {
            let slot = rows[0];
            assert_eq!(
                (slot.created_at_ticks, slot.data),
                (slot.changed_at_ticks, slot.changed_at_ticks)
            );
            whole += 1;
        }
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

/// The writers' protocol: busy, the fields one word after the other, the new state last.
fn rewrite_row(image: &Image, stop: &AtomicBool) {
    let offset = image.header.handles.offset + 64;
    let mut round = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        image.put(offset, &(1 | BUSY));
        for word in [3, 4, 7] {
            image.put(offset + word * 8, &round);
        }
        image.put(offset, &1_u8);
    }
}

#[test]
fn records_come_from_where_asked_and_stop_at_the_mark() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    image.put(image.header.frames.offset + 24, &FrameSlot { line: 41, ready: 1, ..zeroed() });
    let reader = Reader::open(&image.path).unwrap();
    let mut frames = [zeroed::<FrameSlot>(); 8];
    assert_eq!(reader.records(Part::Frames, 1, &mut frames).unwrap(), 1);
    assert_eq!(frames[0].line, 41);
    assert_eq!(reader.records(Part::Frames, 900, &mut frames).unwrap(), 0);
    assert_eq!(reader.records(Part::Frames, usize::MAX, &mut frames).unwrap(), 0);
    assert!(reader.records(Part::Sites, 0, &mut frames).is_err());
}

#[test]
fn of_a_thread_s_calls_only_those_in_flight_are_shown() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let busy = ThreadSlot { depth: 2, calls: [7; 8], call_ticks: [9; 8], ..zeroed() };
    image.put(image.header.threads.offset + 256, &busy);
    image.put(image.header.threads.offset + 512, &ThreadSlot { depth: u64::MAX, ..busy });
    let mut threads = [zeroed::<ThreadSlot>(); 4];
    assert_eq!(Reader::open(&image.path).unwrap().threads(1, &mut threads).unwrap(), 2);
    assert_eq!(
        (threads[0].calls, threads[0].call_ticks),
        ([7, 7, 0, 0, 0, 0, 0, 0], [9, 9, 0, 0, 0, 0, 0, 0])
    );
    assert_eq!(threads[1].calls, [7; 8]);
}

#[test]
fn texts_are_found_by_offset_and_never_beyond_the_arena() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let strings = image.header.strings.offset;
    image.put(strings + 8, &5_u32);
    image.file.write_all_at(b"add()", strings + 12).unwrap();
    image.put(strings + 20, &41_u32);
    image.put(strings + 24, &u32::MAX);
    let reader = Reader::open(&image.path).unwrap();
    let mut text = [0_u8; 16];
    assert_eq!(reader.text(8, &mut text).unwrap(), 5);
    assert_eq!(&text[..5], b"add()");
    for offset in [20, 24, 61, 64, 4096, u32::MAX] {
        assert!(matches!(reader.text(offset, &mut text), Err(ReadError::Damaged(_))), "{offset}");
    }
}

#[test]
fn events_are_read_by_number_and_a_lapped_reader_learns_how_many_it_missed() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let total = u64::from(RING_EVENTS) + 100;
    for number in 0..total {
        image.put_event(number, &Event { at_ticks: number, ..zeroed() });
    }
    image.put_written(total);
    let reader = Reader::open(&image.path).unwrap();
    let mut events = vec![zeroed::<Event>(); RING_EVENTS as usize + 8];
    let found = reader.events(0, 40, &mut events).unwrap();
    assert_eq!(
        (found.count as u64, found.next, found.lost),
        (u64::from(RING_EVENTS) - 1, total, 61)
    );
    let numbers: Vec<u64> = events[..found.count].iter().map(|event| event.at_ticks).collect();
    assert_eq!(numbers, (101..total).collect::<Vec<_>>());
    let few = reader.events(0, total - 5, &mut events[..2]).unwrap();
    assert_eq!((few.count, few.next, few.lost), (2, total - 3, 0));
    assert_eq!(reader.events(0, total + 9, &mut events).unwrap().next, total);
    assert!(reader.events(2, 0, &mut events).is_err());
    image.put_written(u64::MAX);
    assert!(reader.events(0, 0, &mut events).is_err());
}

#[test]
fn events_of_a_thread_that_had_the_ring_before_are_gone_and_counted_as_missed() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    for number in 0..20 {
        image.put_event(number, &Event { at_ticks: number, ..zeroed() });
    }
    image.put_written(20);
    image.put_since(12);
    image.use_rings(1);
    let reader = Reader::open(&image.path).unwrap();
    let mut events = vec![zeroed::<Event>(); 32];
    let found = reader.events(0, 5, &mut events).unwrap();
    assert_eq!((found.count, found.next, found.lost), (8, 20, 7));
    assert_eq!(events[0].at_ticks, 12);
    let mut gone = [u64::MAX; 4];
    assert_eq!(reader.events_gone(&mut gone).unwrap(), 1);
    assert_eq!(gone[0], 12);
    image.put_written(u64::from(RING_EVENTS) + 30);
    reader.events_gone(&mut gone).unwrap();
    assert_eq!(gone[0], 30);
}

#[test]
fn another_version_is_refused_with_both_numbers() {
    let said = refusal(|header| header.layout_version = 77);
    assert_eq!(
        said,
        format!("the segment has layout version 77, this inspector reads version {LAYOUT_VERSION}")
    );
}

#[test]
fn a_header_that_contradicts_itself_is_refused_and_says_where() {
    assert!(refusal(|header| header.magic ^= 1).contains("does not begin as a segment"));
    assert!(refusal(|header| header.header_bytes = 5).contains("5 bytes"));
    assert!(refusal(|header| header.ticks_per_sec = 0).contains("clock"));
    assert!(
        refusal(|header| header.threads.record_bytes = 255).contains("threads has records of 255")
    );
    assert!(refusal(|header| header.handles.capacity = u32::MAX)
        .contains("handles has room for 4294967295"));
    assert!(refusal(|header| header.types.capacity = 0).contains("types"));
    assert!(refusal(|header| header.sites.offset = 8).contains("begins at byte 8"));
    assert!(refusal(|header| header.sites.offset += 1).contains("begins at byte"));
    assert!(refusal(|header| header.frames.offset = u64::MAX - 7).contains("begins at byte"));
    assert!(refusal(|header| header.frames.offset = 1 << 40).contains("truncated"));
    assert!(refusal(|header| header.rings.used = 3).contains("uses 3 records of 2"));
    assert!(refusal(|header| header.types.offset = header.threads.offset).contains("overlap"));
}

#[test]
fn a_file_too_short_is_refused_at_every_length() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let whole = file_bytes(&image.header);
    for length in [0, 1, 8, 15, 16, 100, 2000, 4096, 5000, whole / 2, whole - 1] {
        image.file.set_len(length).unwrap();
        let said = open_error(&image.path);
        assert!(
            said.contains("bytes") || said.contains("truncated") || said.contains("begin"),
            "{length}: {said}"
        );
    }
}

#[test]
fn a_file_that_shrinks_under_the_reader_is_a_short_read() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    image.put_row(1000, &row(1));
    let reader = Reader::open(&image.path).unwrap();
    image.file.set_len(image.header.handles.offset + 100).unwrap();
    let mut rows = vec![zeroed::<HandleSlot>(); 2000];
    let mut indices = vec![0; 2000];
    assert!(matches!(reader.handles(&mut rows), Err(ReadError::Truncated { .. })));
    assert!(matches!(reader.live(&mut rows, &mut indices), Err(ReadError::Truncated { .. })));
    let mut events = [zeroed::<Event>(); 4];
    assert!(matches!(reader.events(0, 0, &mut events), Err(ReadError::Truncated { .. })));
    image.file.set_len(10).unwrap();
    assert!(matches!(reader.header(), Err(ReadError::Truncated { .. })));
}

#[test]
fn a_header_that_changes_under_the_reader_is_noticed() {
    let scratch = Scratch::new();
    let image = Image::create(&scratch.path("a.seg"), header());
    let reader = Reader::open(&image.path).unwrap();
    let mut changed = image.header;
    changed.handles = Section { used: u32::MAX, ..changed.handles };
    image.put(0, &changed);
    let mut rows = vec![zeroed::<HandleSlot>(); 10];
    assert!(reader
        .handles(&mut rows)
        .is_err_and(|error| error.to_string().contains("uses 4294967295")));
    changed = image.header;
    changed.handles.offset += 4096;
    image.put(0, &changed);
    assert!(reader.header().is_err_and(|error| error.to_string().contains("moved")));
}
