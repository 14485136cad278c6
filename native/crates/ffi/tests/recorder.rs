//! Recording: sites, levels, events, collections, thread names, and the rows that adapters keep.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::ptr::null_mut;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_inspector_native::levels::ai_set_type_level;
use arc_inspector_native::recorder::{
    ai_gc, ai_set_site, ai_site, ai_thread_here, ai_thread_name, AiFrameText,
};
use arc_inspector_native::rows::{
    ai_event, ai_row_add, ai_row_address, ai_row_counts, ai_row_end, ai_row_resource, ai_rows_add,
    ai_rows_clear, ai_type, AiTypeSpec,
};
use arc_inspector_native::AiText;
use objects::ownership;
use objects::ownership::{borrow, lower};
use recorder::events;
use recorder::levels;
use recorder::runtime::runtime;
use recorder::threads;
use samples::TodoItem;
use segment::atomic;
use segment::layout::{
    EventKind, HandleSlot, Kind, Level, ReferenceState, ResourceState, AS_THE_PROCESS, FOREIGN_BIT,
    GC_LOG,
};
use segment::registry::{generation_of, index_of, Slot};
use segment::status::Status;

/// Levels are the process's, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn at_level(level: Level) -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    levels::set_level(runtime(), level as u8);
    turn
}

fn text(text: &str) -> AiText {
    AiText { data: text.as_ptr(), length: text.len() }
}

fn type_of(name: &str, kind: Kind, closes: bool) -> u16 {
    let spec = AiTypeSpec {
        name: text(name),
        origin: text("tests"),
        close_signature: text(""),
        kind: kind as u8,
        closes: u8::from(closes),
        thread_affine: 0,
        size_bytes: 0,
        data_offset: 16,
    };
    let mut index = 0;
    // SAFETY: a valid description and a place for the index.
    assert_eq!(unsafe { ai_type(&spec, &mut index, null_mut()) }, 0);
    index
}

fn row(type_id: u16, address: u64, born_now: i32) -> u64 {
    let mut row = 0;
    assert_eq!(
        // SAFETY: a place for the row.
        unsafe { ai_row_add(type_id, address, address + 16, born_now, &mut row, null_mut()) },
        0
    );
    row
}

fn end(row: u64, state: ReferenceState) -> i32 {
    // SAFETY: no place for an error.
    unsafe { ai_row_end(row, state as u8, null_mut()) }
}

fn slot(handle: u64) -> Slot<'static> {
    runtime().table.slot_of(handle).unwrap()
}

fn site(frames: &[(&str, &str, u32)], cut: i32) -> u32 {
    let frame = |&(function, file, line): &(&str, &str, u32)| AiFrameText {
        function: function.as_ptr(),
        function_length: function.len(),
        file: file.as_ptr(),
        file_length: file.len(),
        line,
    };
    let frames: Vec<AiFrameText> = frames.iter().map(frame).collect();
    // SAFETY: valid frames.
    unsafe { ai_site(frames.as_ptr(), frames.len(), cut) }
}

/// Kinds, handles and sites of this thread's newest events, newest last.
fn newest_events(count: u64) -> Vec<(u32, u64, u32)> {
    let ring = threads::local(|local| local.ring.get());
    let written = atomic!(AtomicU64, ring, written).load(Ordering::SeqCst);
    let read = |number: u64| {
        // SAFETY: the events follow the ring's header.
        let event =
            unsafe { ring.add(1).cast::<segment::layout::Event>().add((number % 4096) as usize) };
        let kind = atomic!(AtomicU32, event, count_kind).load(Ordering::SeqCst) & 0xFF;
        assert!(atomic!(AtomicU64, event, at_ticks).load(Ordering::SeqCst) > 0);
        (
            kind,
            atomic!(AtomicU64, event, handle).load(Ordering::SeqCst),
            u32::from(atomic!(AtomicU16, event, site).load(Ordering::SeqCst)),
        )
    };
    (written - count..written).map(read).collect()
}

#[test]
fn a_stack_is_interned_once_and_another_line_is_another_site() {
    let first = site(&[("inner", "a.py", 3), ("outer", "a.py", 9)], 0);
    assert_ne!(first, 0);
    assert_eq!(site(&[("inner", "a.py", 3), ("outer", "a.py", 9)], 0), first);
    assert_ne!(site(&[("inner", "a.py", 4), ("outer", "a.py", 9)], 0), first);
    assert_ne!(site(&[("inner", "a.py", 3), ("outer", "a.py", 9)], 1), first, "cut off is another");
    assert_eq!(site(&[], 0), 0);
    let slot = runtime().segment().site(first);
    assert_eq!(atomic!(AtomicU32, slot, frame_count).load(Ordering::SeqCst), 2);
    let frame =
        runtime().segment().frame(atomic!(AtomicU32, slot, frames[0]).load(Ordering::SeqCst));
    assert_eq!(atomic!(AtomicU32, frame, line).load(Ordering::SeqCst), 3);
}

#[test]
fn a_stack_deeper_than_a_site_is_cut_and_says_so() {
    let deep = [("f", "deep.py", 1); 20];
    let slot = runtime().segment().site(site(&deep, 0));
    assert_eq!(atomic!(AtomicU32, slot, frame_count).load(Ordering::SeqCst), 12);
    assert_eq!(atomic!(AtomicU32, slot, cut).load(Ordering::SeqCst), 1);
}

#[test]
fn off_records_nothing_of_a_birth_and_count_its_time_and_thread() {
    let turn = at_level(Level::Off);
    let unseen = lower(Arc::new(TodoItem::new("unseen"))).unwrap();
    assert_eq!((slot(unseen).created_at(), slot(unseen).created_thread()), (0, 0));
    levels::set_level(runtime(), Level::Count as u8);
    let seen = lower(Arc::new(TodoItem::new("seen"))).unwrap();
    assert!(slot(seen).created_at() > 0);
    assert_eq!(u32::from(slot(seen).created_thread()), ai_thread_here());
    for handle in [unseen, seen] {
        ownership::release(runtime(), handle).unwrap();
    }
    drop(turn);
}

#[test]
fn the_history_of_a_handle_is_its_birth_its_calls_and_its_release_at_their_sites() {
    let _turn = at_level(Level::History);
    let here = site(&[("make", "history.py", 1)], 0);
    ai_set_site(here);
    let handle = lower(Arc::new(TodoItem::new("x"))).unwrap();
    borrow::<TodoItem>(handle).unwrap().set_done(true);
    ownership::release(runtime(), handle).unwrap();
    ai_set_site(0);
    let kinds = [EventKind::Create, EventKind::Borrow, EventKind::Return, EventKind::Release];
    let mut expected: Vec<_> = kinds.map(|kind| (kind as u32, handle, here)).into();
    expected.push((EventKind::Drop as u32, 0, here));
    assert_eq!(newest_events(5), expected);
}

#[test]
fn a_type_can_be_recorded_more_or_less_than_the_process() {
    let _turn = at_level(Level::Off);
    let type_id = type_of("Louder", Kind::Declared, false);
    assert_eq!(ai_set_type_level(type_id, Level::History as u8), 0);
    let seen = row(type_id, 0x1000, 1);
    assert_eq!(newest_events(1)[0].1, seen);
    assert_eq!(ai_set_type_level(type_id, AS_THE_PROCESS), 0);
    let unseen = row(type_id, 0x2000, 1);
    assert_eq!((newest_events(1)[0].1, slot(unseen).created_at()), (seen, 0));
    assert_eq!(ai_set_type_level(u16::MAX, 0), Status::BadArgument as i32);
    for row in [seen, unseen] {
        assert_eq!(end(row, ReferenceState::Released), 0);
    }
}

#[test]
fn an_adapters_row_is_born_known_and_ended_once() {
    let _turn = at_level(Level::Count);
    let type_id = type_of("Wallet", Kind::Uniffi, true);
    assert_eq!(type_of("Wallet", Kind::Uniffi, true), type_id);
    let (before_attach, now) = (row(type_id, 0x1000, 0), row(type_id, 0x2000, 1));
    assert_eq!((slot(before_attach).created_at(), slot(now).created_at() > 0), (0, true));
    assert_eq!(slot(now).word0().resource(), ResourceState::Open as u8);
    assert_eq!((ai_row_address(now, 0x3000), slot(now).address()), (0, 0x3000));
    assert_eq!(ai_row_counts(now, 5, 1, 2), 0);
    assert_eq!(slot(now).counts().load(Ordering::SeqCst), 5 | 1 << 32 | 2 << 48);
    assert_eq!(
        (ai_row_resource(now, ResourceState::Closed as u8), ai_row_resource(now, 99)),
        (0, Status::BadArgument as i32)
    );
    assert_eq!(end(now, ReferenceState::Live), Status::BadArgument as i32);
    assert_eq!(
        (end(now, ReferenceState::Dropped), end(now, ReferenceState::Dropped)),
        (0, Status::StaleHandle as i32)
    );
    assert_eq!(slot(now).word0().resource(), ResourceState::Closed as u8);
    assert_eq!(end(before_attach, ReferenceState::Dropped), 0);
    assert_eq!(slot(before_attach).word0().resource(), ResourceState::NeverClosed as u8);
}

#[test]
fn rows_that_nobody_watches_any_more_end_without_a_word() {
    let _turn = at_level(Level::Count);
    let type_id = type_of("Detached", Kind::Uniffi, false);
    let (addresses, mut rows): (Vec<u64>, _) =
        ((1..=100).map(|number| number * 64).collect(), vec![0; 100]);
    assert_eq!(
        // SAFETY: a hundred of each.
        unsafe {
            ai_rows_add(
                type_id,
                addresses.as_ptr(),
                addresses.as_ptr(),
                100,
                rows.as_mut_ptr(),
                null_mut(),
            )
        },
        0
    );
    let before = events::live_handles(runtime());
    ai_rows_clear(type_id);
    assert_eq!(events::live_handles(runtime()), before - 100);
    assert!(rows.iter().all(|&row| slot(row).word0().reference() == ReferenceState::Free as u8));
    assert_eq!(end(rows[0], ReferenceState::Released), Status::StaleHandle as i32);
}

#[test]
fn a_row_of_a_foreign_kind_has_the_foreign_bit() {
    let _turn = at_level(Level::Count);
    let row = row(type_of("Callback", Kind::UniffiForeign, false), 0, 1);
    assert_eq!(row & FOREIGN_BIT, 1);
    assert_eq!(end(row, ReferenceState::Released), 0);
}

#[test]
fn adapters_and_the_runtime_keep_out_of_each_others_rows() {
    let _turn = at_level(Level::Count);
    let handle = lower(Arc::new(TodoItem::new("ours"))).unwrap();
    assert_eq!(end(handle, ReferenceState::Dropped), Status::StaleHandle as i32);
    let theirs = row(type_of("Theirs", Kind::Uniffi, false), 0x10, 1);
    assert_eq!(ownership::release(runtime(), theirs).err().unwrap().status, Status::WrongType);
    let mut out = 0;
    let ours = slot(handle).word0().type_id();
    assert_eq!(
        // SAFETY: a place for the row.
        unsafe { ai_row_add(ours, 1, 1, 1, &mut out, null_mut()) },
        Status::BadArgument as i32
    );
    // SAFETY: as above.
    assert_eq!(unsafe { ai_row_add(0, 1, 1, 1, &mut out, null_mut()) }, Status::BadArgument as i32);
    assert_eq!(end(theirs, ReferenceState::Released), 0);
    ownership::release(runtime(), handle).unwrap();
}

#[test]
fn an_adapters_event_goes_to_the_history_of_its_row() {
    let _turn = at_level(Level::History);
    let row = row(type_of("Evented", Kind::Uniffi, false), 0x10, 1);
    ai_event(EventKind::Clone as u8, row, 0x10, 3);
    assert_eq!(newest_events(1)[0].0, EventKind::Clone as u32);
    assert_eq!(end(row, ReferenceState::Released), 0);
}

#[test]
fn the_newest_collections_stand_in_the_log() {
    for number in 0..GC_LOG as u32 + 3 {
        ai_gc(77, 1000, number, 2, 1);
    }
    let header = runtime().segment().header();
    let logged = atomic!(AtomicU64, header, gc_logged).load(Ordering::SeqCst);
    let at = ((logged - 1) % GC_LOG as u64) as usize;
    assert_eq!(
        atomic!(AtomicU32, header, gc_log[at].collected).load(Ordering::SeqCst),
        GC_LOG as u32 + 2
    );
    assert_eq!(atomic!(AtomicU64, header, gc_log[at].took_nanos).load(Ordering::SeqCst), 1000);
}

#[test]
fn a_thread_is_named_as_the_host_language_calls_it() {
    let index = ai_thread_here();
    let name = "Größe";
    // SAFETY: valid text.
    assert_eq!(unsafe { ai_thread_name(platform::thread_id(), name.as_ptr(), name.len()) }, 0);
    assert_eq!(threads::name_of(runtime(), index as u16), "thread \"Größe\"");
    assert_eq!(
        // SAFETY: valid text.
        unsafe { ai_thread_name(u32::MAX, name.as_ptr(), name.len()) },
        Status::BadArgument as i32
    );
}

#[test]
fn slots_of_ended_threads_that_nothing_names_are_used_again() {
    let _turn = at_level(Level::Off);
    let indexes: Vec<u32> =
        (0..400).map(|_| std::thread::spawn(|| ai_thread_here()).join().unwrap()).collect();
    let highest = indexes.iter().copied().max().unwrap();
    assert!(highest < 200, "400 threads one after the other took slots up to {highest}");
    let state =
        atomic!(AtomicU8, runtime().segment().thread(indexes[399]), state).load(Ordering::SeqCst);
    assert_eq!(state, 2, "ended");
}

#[test]
fn a_handle_is_one_cache_line() {
    let handle = lower(Arc::new(TodoItem::new("x"))).unwrap();
    let words = runtime().segment().handle(index_of(handle));
    assert_eq!(words.as_ptr() as usize % size_of::<HandleSlot>(), 0);
    assert_eq!(generation_of(handle), (words[0].load(Ordering::SeqCst) >> 32) as u32);
    ownership::release(runtime(), handle).unwrap();
}
