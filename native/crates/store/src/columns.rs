//! Narrow columns of one length, one element a row, and how they are written out wide.

use super::counts::Counts;
use super::handles::{id, reference, HandleSlotView};
use segment::layout::BUSY;

/// A column of `inspector.model.snapshot.Handles`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleField {
    /// Numbers of the handles.
    Ids,
    /// Indices of types.
    Types,
    /// States of the references.
    References,
    /// States of the resources.
    Resources,
    /// Heap addresses.
    Addresses,
    /// Values of the handles.
    Data,
    /// Strong counts.
    Strong,
    /// Weak counts.
    Weak,
    /// Strong counts of traits' own `Arc`s.
    InnerStrong,
    /// Strong counts of traits' outer `Arc`s.
    OuterStrong,
    /// Calls in flight.
    InFlight,
    /// Handles of the object.
    Proxies,
    /// References that native code holds.
    NativeRefs,
    /// Births.
    CreatedAt,
    /// Last changes of a state.
    ChangedAt,
    /// Threads of the births.
    CreatedThreads,
    /// Threads of the last changes.
    LastThreads,
    /// Threads that alone may close.
    OwnerThreads,
    /// Threads that asked for the close or released.
    RequesterThreads,
    /// Stacks of the births.
    CreatedSites,
    /// Stacks of the last changes.
    LastSites,
    /// Rows that would not hold still.
    Changing,
}

impl HandleField {
    /// The field with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        // SAFETY: the numbers from 0 to the last field are all fields.
        (number <= Self::Changing as u32)
            .then(|| unsafe { std::mem::transmute::<u32, Self>(number) })
    }
}

/// The columns of a table, 74 bytes a row. Times are ticks.
#[derive(Default)]
pub struct Columns {
    /// See `HandleField`, as the others.
    pub ids: Vec<u64>,
    pub(crate) types: Vec<u16>,
    /// See `HandleField`.
    pub references: Vec<u8>,
    /// See `HandleField`.
    pub resources: Vec<u8>,
    /// See `HandleField`.
    pub addresses: Vec<u64>,
    /// See `HandleField`.
    pub data: Vec<u64>,
    pub(crate) counts: [Vec<i32>; 4],
    pub(crate) created_at: Vec<u64>,
    pub(crate) changed_at: Vec<u64>,
    /// Creator, last, owner, requester.
    pub(crate) threads: [Vec<u16>; 4],
    pub(crate) created_sites: Vec<u16>,
    pub(crate) last_sites: Vec<u16>,
    /// See `HandleField`.
    pub changing: Vec<u8>,
    /// 1 where no other row is of the row's object.
    pub(crate) alone: Vec<u8>,
}

/// Places in `Columns::counts`.
pub(crate) const STRONG: usize = 0;
pub(crate) const WEAK: usize = 1;
pub(crate) const IN_FLIGHT: usize = 2;
pub(crate) const PROXIES: usize = 3;

impl Columns {
    /// Rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Make all columns this long; new rows are zeros.
    pub(crate) fn resize(&mut self, rows: usize) {
        for column in [
            &mut self.ids,
            &mut self.addresses,
            &mut self.data,
            &mut self.created_at,
            &mut self.changed_at,
        ] {
            column.resize(rows, 0);
        }
        for column in &mut self.counts {
            column.resize(rows, 0);
        }
        let [created, last, owner, requester] = &mut self.threads;
        let (types, sites) = (&mut self.types, &mut self.created_sites);
        for column in [types, sites, &mut self.last_sites, created, last, owner, requester] {
            column.resize(rows, 0);
        }
        for column in
            [&mut self.references, &mut self.resources, &mut self.changing, &mut self.alone]
        {
            column.resize(rows, 0);
        }
    }

    /// Write one row.
    #[inline]
    pub(crate) fn put(&mut self, row: usize, position: u32, view: &HandleSlotView<'_>) {
        let HandleSlotView { slot, kind, counts, created_thread } = *view;
        let Counts { strong, weak, in_flight, proxies, is_alone } = counts;
        self.alone[row] = u8::from(is_alone);
        self.ids[row] = id(position, slot, kind);
        self.types[row] = slot.type_id;
        self.references[row] = reference(slot);
        self.resources[row] = slot.resource_state;
        self.addresses[row] = slot.address;
        self.data[row] = slot.data;
        self.counts[STRONG][row] = strong;
        self.counts[WEAK][row] = weak;
        self.counts[IN_FLIGHT][row] = in_flight;
        self.counts[PROXIES][row] = proxies;
        self.created_at[row] = slot.created_at_ticks;
        self.changed_at[row] = slot.changed_at_ticks;
        self.threads[0][row] = created_thread;
        self.threads[1][row] = slot.last_thread;
        self.threads[2][row] = slot.owner_thread;
        self.threads[3][row] = slot.requester_thread;
        self.created_sites[row] = slot.created_site;
        self.last_sites[row] = slot.last_site;
        self.changing[row] = u8::from(slot.reference_state & BUSY != 0);
    }
}
