//! The reader of segments and the store of handles: a sound segment with any changes, read, changed
//! again under the reader, and read again.

use std::os::unix::fs::FileExt;

use super::image::{header, row, Image, Scratch};
use arbitrary::{Arbitrary, Unstructured};
use segment::layout::{
    Event, FrameSlot, HandleSlot, Header, SiteSlot, ThreadSlot, TypeSlot, RING_EVENTS,
};
use store::{
    lines, look, sorted, Coded, Counting, HandleField, HandleStore, HandleTable, Keys, Kinds,
    Question, TableClock, Threads,
};
use viewer::reader::{zeroed, Part, Reader};

/// Bytes that are written over those of a record.
#[derive(Arbitrary, Debug)]
struct Change<'a> {
    /// 0: the header, from 1: the sections in their order.
    place: u8,
    record: u16,
    at: u8,
    bytes: &'a [u8],
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    before: Vec<Change<'a>>,
    between: Vec<Change<'a>>,
    /// The file ends there when it is read again.
    cut_at: Option<u32>,
    kinds: [u8; 4],
    is_descending: bool,
}

impl Change<'_> {
    fn write(&self, image: &Image) {
        let Header { threads, types, sites, frames, strings, handles, rings, .. } = image.header;
        let sections = [threads, types, sites, frames, strings, handles, rings];
        let offset = match usize::from(self.place).checked_sub(1) {
            Some(number) => {
                let section = sections[number % sections.len()];
                let record = u32::from(self.record) % section.capacity.min(64);
                section.offset + u64::from(section.record_bytes) * u64::from(record)
            }
            None => u64::from(self.record) % size_of::<Header>() as u64,
        };
        let bytes = &self.bytes[..self.bytes.len().min(64)];
        image.file.write_all_at(bytes, offset + u64::from(self.at)).expect("room in the folder");
    }
}

/// Read everything else that a viewer reads; errors are fine.
fn read_all(reader: &Reader) -> Option<()> {
    let mut events = [zeroed::<Event>(); RING_EVENTS as usize];
    for ring in 0..3 {
        for from in [0, 7, u64::MAX - 3] {
            let found = reader.events(ring, from, &mut events).ok();
            assert!(found.is_none_or(|found| found.count <= events.len()));
        }
    }
    let header = reader.header().ok()?;
    let mut text = [0; 300];
    for offset in [0, 1, header.strings.used, u32::MAX] {
        let _ = reader.text(offset, &mut text);
    }
    let _ = reader.threads(0, &mut [zeroed::<ThreadSlot>(); 16]);
    let _ = reader.records(Part::Types, 0, &mut [zeroed::<TypeSlot>(); 16]);
    let _ = reader.records(Part::Sites, 1, &mut [zeroed::<SiteSlot>(); 16]);
    let _ = reader.records(Part::Frames, 0, &mut [zeroed::<FrameSlot>(); 16]);
    let mut rows = [zeroed::<HandleSlot>(); 64];
    let _ = reader.live(&mut rows, &mut [0; 64]);
    reader.events_gone(&mut [0; 4]).ok().map(drop)
}

/// What the store says of the segment now. None: it cannot be read.
fn table(store: &mut HandleStore, reader: &Reader, kinds: &Kinds) -> Option<HandleTable> {
    store.read(reader, &|| false).ok()?;
    let threads = Threads { calls: vec![3, 6 | 7 << 32], indices: vec![(7, 1)], records: 2 };
    let clock = TableClock { anchor_ticks: 1, anchor_secs: 1e9, ticks_per_sec: 1e9 };
    Some(store.publish(kinds.clone(), &threads, clock))
}

/// All numbers of a table.
fn contents(table: &HandleTable) -> (Vec<Vec<i64>>, usize, usize) {
    let rows = table.columns().len();
    let columns = (0..).map_while(HandleField::from_number).filter_map(|field| {
        let mut out = vec![0; rows];
        table.write_ints(field, None, &mut out).then_some(out)
    });
    (columns.collect(), table.live(), table.damaged())
}

fn ask(table: &HandleTable, case: &Case) {
    let never = || false;
    look(table, 4);
    let keys = [Keys::Age, Keys::Slot, Keys::Count(HandleField::Strong)];
    for keys in keys {
        let question = Question {
            shown: &[],
            ranks: &[0, 1, 2],
            keys,
            is_descending: case.is_descending,
            now: 2e9,
            moment_secs: 3.0,
        };
        let found = sorted(table, &question, None, &never).expect("the question fits the table");
        assert_eq!(found.rows.len(), table.columns().len());
    }
    let counting = Counting {
        outer: Coded { field: HandleField::Types, codes: &[] },
        inner: Coded { field: HandleField::CreatedSites, codes: &[1, 2] },
        kept: &[],
        mark: None,
        recent: 0.0,
    };
    let counted = lines(table, &counting, &never).expect("the question fits the table");
    assert!(counted.iter().map(|each| each.live).sum::<u64>() <= table.live() as u64);
}

/// Run a case.
///
/// # Panics
/// A finding, or the system has no room for a file.
pub fn run(bytes: &[u8]) {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(bytes)) else { return };

    thread_local!(static SCRATCH: Scratch = Scratch::new());
    SCRATCH.with(|scratch| {
        let image = Image::create(&scratch.path("a.seg"), header());
        look_at(&image, &case);
        std::fs::remove_file(&image.path).expect("the file is ours");
    });
}

fn look_at(image: &Image, case: &Case) {
    for index in [1_u32, 2, 3, 40] {
        image.put_row(index, &row(index));
    }
    case.before.iter().for_each(|change| change.write(image));
    let Ok(reader) = Reader::open(&image.path) else { return };
    let kinds = Kinds(case.kinds.iter().map(|&kind| u16::from(kind)).collect());
    let mut store = HandleStore::new();
    read_all(&reader);
    if let Some(found) = table(&mut store, &reader, &kinds) {
        ask(&found, case);
    }
    case.between.iter().for_each(|change| change.write(image));
    if let Some(bytes) = case.cut_at {
        image.file.set_len(u64::from(bytes)).expect("a shorter file");
    }
    read_all(&reader);
    let Some(found) = table(&mut store, &reader, &kinds) else { return };
    ask(&found, case);
    let afresh = table(&mut HandleStore::new(), &reader, &kinds).expect("it was just read");
    assert_eq!(contents(&found), contents(&afresh), "a row that changed is a row read afresh");
}
