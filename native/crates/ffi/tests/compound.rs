//! Objects in fields of records, enums, maps, sequences and optional values across the boundary:
//! counts, events and holders at each step.

#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_inspector_native::quick::ai_live_handles;
use objects::edges;
use objects::object::index_of;
use objects::ownership;
use objects::ownership::in_flight::{self, Buffer, Reference};
use objects::ownership::{
    borrow, compound, is_same, strong_and_weak, Compound, Lifting, Lowering, Traced,
};
use recorder::levels;
use recorder::runtime::runtime;
use recorder::threads;
use samples::{Board, Focus, Lists, Planner, TodoItem, TodoList};
use segment::atomic;
use segment::layout::{Event, EventKind, Level};
use segment::status::{Error, Result, Status};
use serde_json::json;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An item and a list, each with a handle by which a test looks at it.
struct Objects {
    item: u64,
    list: u64,
}

/// Runs a test alone; at its end the handles are the only references, and nothing is in flight.
fn leaving_nothing(body: impl FnOnce(&Objects)) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ai_live_handles();
    let item = Traced::new(TodoItem::new("milk")).lower().unwrap();
    let list = Traced::new(TodoList::new()).lower().unwrap();
    body(&Objects { item, list });
    for handle in [item, list] {
        assert_eq!(strong_and_weak(handle).unwrap().0, 1);
        ownership::release(runtime(), handle).unwrap();
    }
    assert_eq!((in_flight::count(), ai_live_handles()), (0, before));
}

impl Objects {
    fn item(&self) -> Traced<TodoItem> {
        Traced::from_arc(Arc::clone(borrow::<TodoItem>(self.item).unwrap().arc()))
    }

    fn list(&self) -> Traced<TodoList> {
        Traced::from_arc(Arc::clone(borrow::<TodoList>(self.list).unwrap().arc()))
    }

    /// A board that has the item seven times and the list twice.
    fn board(&self) -> Board {
        Board {
            title: "week".to_owned(),
            backlog: self.list(),
            focus: Focus::List(self.list(), "read it".to_owned()),
            by_name: BTreeMap::from([("a".to_owned(), self.item()), ("b".to_owned(), self.item())]),
            pinned: Some(self.item()),
            columns: vec![vec![self.item(), self.item()], vec![], vec![self.item(), self.item()]],
        }
    }

    /// Strong counts of the item and the list.
    fn strong(&self) -> (u64, u64) {
        (strong_and_weak(self.item).unwrap().0, strong_and_weak(self.list).unwrap().0)
    }

    fn in_flight(&self) -> (usize, usize) {
        let address = |handle| runtime().table.slot_of(handle).unwrap().address();
        (in_flight::count_of(address(self.item)), in_flight::count_of(address(self.list)))
    }

    fn labels(&self) -> serde_json::Value {
        edges::holders(runtime(), self.item)["labels"].clone()
    }
}

#[test]
fn each_object_of_a_record_moves_one_reference_into_the_buffer_and_out_of_it() {
    leaving_nothing(|objects| {
        let board = objects.board();
        assert_eq!((objects.strong(), objects.in_flight()), ((8, 3), (0, 0)));
        let (bytes, buffer) = compound::lower(Some(board)).unwrap();
        assert_eq!((objects.strong(), objects.in_flight()), ((8, 3), (7, 2)));
        assert_eq!(objects.labels(), json!([{"label": "in flight", "count": 7}]));
        let board: Option<Board> = compound::lift(&bytes, buffer).unwrap();
        assert_eq!((objects.strong(), objects.in_flight()), ((8, 3), (0, 0)));
        assert_eq!(objects.labels(), json!([]));
        let board = board.unwrap();
        assert_eq!(
            (board.title.as_str(), board.by_name.len(), board.columns[2].len()),
            ("week", 2, 2)
        );
        assert!(matches!(&board.focus, Focus::List(_, note) if note == "read it"));
        let again = board.by_name["b"].clone().lower().unwrap();
        assert!(is_same(again, objects.item).unwrap());
        ownership::release(runtime(), again).unwrap();
        drop(board);
        assert_eq!(objects.strong(), (1, 1));
    });
}

#[test]
fn a_record_that_native_code_keeps_is_named_field_by_field_and_comes_back_the_same() {
    leaving_nothing(|objects| {
        let planner = Arc::new(Planner::new());
        let handle = objects::ownership::lower(Arc::clone(&planner)).unwrap();
        assert!(planner.exchange(Some(objects.board())).is_none());
        let fields = edges::holders(runtime(), objects.item)["fields"].clone();
        let named: Vec<_> = fields
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (field["label"].clone(), field["count"].clone()))
            .collect();
        let expected = [("board.by_name", 2), ("board.columns", 4), ("board.pinned", 1)];
        assert_eq!(named, expected.map(|(label, count)| (json!(label), json!(count))));
        let copy = planner.board();
        assert_eq!(objects.strong(), (15, 5));
        drop(copy);
        drop(planner.exchange(None));
        assert_eq!(objects.strong(), (1, 1));
        ownership::release(runtime(), handle).unwrap();
    });
}

#[test]
fn a_buffer_that_ends_too_early_anywhere_leaves_no_reference() {
    leaving_nothing(|objects| {
        let (whole, buffer) = compound::lower(objects.board()).unwrap();
        drop(buffer);
        for length in 0..whole.len() {
            let (bytes, buffer) = compound::lower(objects.board()).unwrap();
            let lifted: Result<Board> = compound::lift(&bytes[..length], buffer);
            assert_eq!(lifted.err().unwrap().status, Status::BadArgument, "{length} bytes");
            assert_eq!((objects.strong(), in_flight::count()), ((1, 1), 0), "{length} bytes");
        }
        let (mut bytes, buffer) = compound::lower(objects.board()).unwrap();
        bytes.push(0);
        let lifted: Result<Board> = compound::lift(&bytes, buffer);
        assert_eq!(lifted.err().unwrap().message, "1 bytes are left after the value");
    });
}

/// Another number in place of the second reference's, from that of the first.
type Change = fn(u64) -> u64;

#[test]
fn a_wrong_number_in_the_middle_of_a_sequence_leaves_no_reference() {
    leaving_nothing(|objects| {
        let wrong = |number: Change| -> Result<Vec<Traced<TodoItem>>> {
            let (mut bytes, buffer) =
                compound::lower(vec![objects.item(), objects.item(), objects.item()]).unwrap();
            let first = u64::from_be_bytes(bytes[4..12].try_into().unwrap());
            bytes[12..20].copy_from_slice(&number(first).to_be_bytes());
            compound::lift(&bytes, buffer)
        };
        let numbers: [(Change, Status); 4] = [
            (|_| 0, Status::ZeroHandle),
            (|_| u64::MAX, Status::UnknownHandle),
            (|first| first, Status::StaleHandle),
            (|first| first - 1, Status::StaleHandle),
        ];
        for (number, status) in numbers {
            assert_eq!(wrong(number).err().unwrap().status, status);
            assert_eq!((objects.strong(), in_flight::count()), ((1, 1), 0));
        }
    });
}

#[test]
fn an_object_of_another_type_in_the_middle_is_refused_by_name_and_leaves_no_reference() {
    leaving_nothing(|objects| {
        let (bytes, buffer) = compound::lower(vec![objects.list(), objects.list()]).unwrap();
        let lifted: Result<Vec<Traced<TodoItem>>> = compound::lift(&bytes, buffer);
        let error = lifted.err().unwrap();
        assert_eq!(error.status, Status::WrongType);
        assert_eq!(error.message, "the reference in flight is of a TodoList, not a TodoItem");
    });
}

#[test]
fn nonsense_in_place_of_lengths_flags_and_variants_is_refused() {
    leaving_nothing(|_| {
        let refused = |bytes: &[u8]| {
            compound::lift::<Option<Focus>>(bytes, Buffer::new()).err().unwrap().message
        };
        assert_eq!(refused(&[2]), "neither a value nor none: 2");
        assert_eq!(refused(&[1, 0, 0, 0, 4]), "a focus has no variant 4");
        assert_eq!(refused(&[1, 0xFF, 0xFF, 0xFF, 0xFF]), "no length or variant: -1");
        let texts = |bytes: &[u8]| {
            compound::lift::<Vec<String>>(bytes, Buffer::new()).err().unwrap().message
        };
        assert_eq!(texts(&[0x7F, 0xFF, 0xFF, 0xFF]), "the buffer ends 4 bytes too early");
        assert!(texts(&[0, 0, 0, 1, 0, 0, 0, 1, 0xFF]).ends_with("the text is not UTF-8"));
    });
}

/// A field whose lowering fails or panics, between fields with objects.
struct Broken {
    first: Traced<TodoItem>,
    panics: bool,
    last: Traced<TodoItem>,
}

impl Compound for Broken {
    fn write(self, to: &mut Lowering) -> Result<()> {
        self.first.write(to)?;
        assert!(!self.panics, "in the middle");
        Err(Error::new(Status::BadArgument, "in the middle"))?;
        self.last.write(to)
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        let first: Traced<TodoItem> = Compound::read(from)?;
        panic!("in the middle, with {:?}", Traced::strong_count(&first))
    }
}

#[test]
fn an_error_or_a_panic_between_two_fields_leaves_no_reference() {
    leaving_nothing(|objects| {
        let broken = |panics| Broken { first: objects.item(), panics, last: objects.item() };
        assert!(compound::lower(vec![broken(false)]).is_err());
        assert_eq!((objects.strong(), in_flight::count()), ((1, 1), 0));
        assert!(catch_unwind(AssertUnwindSafe(|| compound::lower(vec![broken(true)]))).is_err());
        assert_eq!((objects.strong(), in_flight::count()), ((1, 1), 0));
        let (bytes, buffer) =
            compound::lower((0..3).map(|_| objects.item()).collect::<Vec<_>>()).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| compound::lift::<Broken>(&bytes[4..], buffer)))
            .is_err());
        assert_eq!((objects.strong(), in_flight::count()), ((1, 1), 0));
    });
}

#[test]
fn a_handle_is_lowered_by_one_reference_and_lifted_into_one_handle() {
    leaving_nothing(|objects| {
        let buffer = Buffer::new();
        let number = buffer.lower(Reference::of_handle(objects.item).unwrap()).unwrap();
        assert_eq!((objects.strong(), objects.in_flight()), ((2, 1), (1, 0)));
        let handle = buffer.lift(number).unwrap().into_handle().unwrap();
        assert_eq!((objects.strong(), objects.in_flight()), ((2, 1), (0, 0)));
        assert!(handle != objects.item && is_same(handle, objects.item).unwrap());
        assert_eq!(buffer.lift(number).err().unwrap().status, Status::StaleHandle);
        ownership::release(runtime(), handle).unwrap();
        assert_eq!(Reference::of_handle(handle).err().unwrap().status, Status::StaleHandle);
        let thin = Lists::Thin.create().unwrap();
        assert_eq!(Reference::of_handle(thin).err().unwrap().status, Status::BadArgument);
        ownership::release(runtime(), thin).unwrap();
    });
}

#[test]
fn a_buffer_ends_once_and_takes_nothing_afterwards() {
    leaving_nothing(|objects| {
        let number = Buffer::new().into_number();
        let (buffer, same) = (Buffer::from_number(number), Buffer::from_number(number));
        let neighbour = Buffer::new();
        buffer.lower(Reference::of_handle(objects.item).unwrap()).unwrap();
        neighbour.lower(Reference::of_handle(objects.item).unwrap()).unwrap();
        drop(buffer);
        assert_eq!(objects.in_flight(), (1, 0), "the neighbour's stays");
        assert_eq!(
            same.lower(Reference::of_handle(objects.item).unwrap()).err().unwrap().status,
            Status::BadArgument
        );
        assert_eq!(objects.strong(), (2, 1));
    });
}

fn events_written() -> u64 {
    let ring = threads::local(|local| local.ring.get());
    atomic!(AtomicU64, ring, written).load(Ordering::SeqCst)
}

/// Kinds, whether they name a handle, types and counts of this thread's newest events, newest last.
fn newest_events(count: u64) -> Vec<(EventKind, bool, bool, u32)> {
    let ring = threads::local(|local| local.ring.get());
    let written = events_written();
    let type_id = index_of(runtime(), <TodoItem as objects::object::Object>::spec()).unwrap();
    let kinds = [
        EventKind::Create,
        EventKind::Clone,
        EventKind::Borrow,
        EventKind::Return,
        EventKind::Release,
        EventKind::Drop,
    ];
    let read = |number: u64| {
        // SAFETY: the events follow the ring's header.
        let event = unsafe { ring.add(1).cast::<Event>().add((number % 4096) as usize) };
        let both = atomic!(AtomicU32, event, count_kind).load(Ordering::SeqCst);
        let kind = kinds.into_iter().find(|&kind| kind as u32 == both & 0xFF).unwrap();
        let has_handle = atomic!(AtomicU64, event, handle).load(Ordering::SeqCst) != 0;
        (
            kind,
            has_handle,
            atomic!(AtomicU16, event, type_id).load(Ordering::SeqCst) == type_id,
            both >> 8,
        )
    };
    (written - count..written).map(read).collect()
}

#[test]
fn the_history_has_a_typed_clone_a_move_and_a_release_for_each_reference() {
    leaving_nothing(|objects| {
        levels::set_level(runtime(), Level::History as u8);
        let buffer = Buffer::new();
        let number = buffer.lower(Reference::of_handle(objects.item).unwrap()).unwrap();
        assert_eq!(newest_events(1), [(EventKind::Clone, false, true, 2)]);
        let handle = buffer.lift(number).unwrap().into_handle().unwrap();
        let moved = [(EventKind::Release, false, true, 2), (EventKind::Create, true, true, 2)];
        assert_eq!(newest_events(2), moved, "the handle accounts for the reference from here on");
        ownership::release(runtime(), handle).unwrap();
        buffer.lower(Reference::of_handle(objects.item).unwrap()).unwrap();
        drop(buffer);
        let given_up = [
            (EventKind::Release, true, true, 1),
            (EventKind::Clone, false, true, 2),
            (EventKind::Release, false, true, 1),
        ];
        assert_eq!(newest_events(3), given_up);
        let (lowered, written) = (objects.item(), events_written());
        let (bytes, buffer) = compound::lower(lowered).unwrap();
        let lifted: Traced<TodoItem> = compound::lift(&bytes, buffer).unwrap();
        assert_eq!(events_written(), written, "a reference that moves is not counted");
        drop(lifted);
        assert_eq!(newest_events(1), [(EventKind::Release, false, true, 1)]);
        levels::set_level(runtime(), Level::Off as u8);
    });
}
