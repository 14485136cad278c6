//! The rows of one class of proxies: a row for each live proxy, from its birth (or the scan that
//! found it) to its release.
//!
//! Proxies are known by their address in the interpreter, never referred to. A proxy whose
//! finaliser runs is marked as leaving, so that a scan does not take it for a new proxy.

use super::layout::Layout;
use super::places::Places;
use recorder::levels;
use recorder::rows::{self, NewRow};
use recorder::runtime::runtime;
use recorder::threads::local;
use recorder::types;
use segment::layout::{Level, ReferenceState, ResourceState, EVENT_COUNT_UNKNOWN};

/// Stands for the row of a proxy while its finaliser runs.
const LEAVING: u64 = u64::MAX;
/// The outcome of a birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Born {
    /// Its row; 0: recording is off, or it found no room.
    Row(u64),
    /// Type or layout are to be found out first.
    Ask,
}

/// What is known of an object's resource, and how many rows the object has.
#[derive(Clone, Copy)]
struct Known {
    state: ResourceState,
    rows: usize,
}

/// The rows of one class.
pub struct Proxies {
    type_id: u16,
    layout: Layout,
    rows: Places<usize, u64>,
    /// Rows that wait for the layout, and their handles.
    unplaced: Vec<(u64, u64)>,
    is_followed: bool,
    /// Proxies that live on although their reference was released, with their rows.
    freed: Places<usize, u64>,
    /// An object of the class was found where the layout says that it lies.
    is_seen: bool,
    /// Resources whose state was told, by the address of their object.
    resources: Places<u64, Known>,
}

impl Default for Proxies {
    fn default() -> Self {
        Self::new()
    }
}

impl Proxies {
    /// Knows no proxy, no type and no layout.
    pub fn new() -> Self {
        Self {
            type_id: 0,
            layout: Layout::Unknown,
            rows: Places::default(),
            unplaced: Vec::new(),
            is_followed: true,
            freed: Places::default(),
            is_seen: false,
            resources: Places::default(),
        }
    }

    /// Proxies that are known.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The type of its rows.
    pub fn set_type(&mut self, type_id: u16) {
        self.type_id = type_id;
    }

    /// The level in force for its rows: the type's own level, or the process's level until the type
    /// exists. While everything is off, one load.
    pub fn level(&self) -> u8 {
        match levels::hottest() {
            0 => Level::Off as u8,
            _ => levels::level_of_any(runtime(), self.type_id),
        }
    }

    /// The layout of its handles.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The layout, found out; places the rows that waited for it.
    pub fn set_layout(&mut self, layout: Layout) {
        self.layout = layout;
        if layout == Layout::Unknown {
            return;
        }
        for (row, handle) in std::mem::take(&mut self.unplaced) {
            let address = self.layout.address_read(handle);
            if address != 0 {
                // a row that ended meanwhile needs no address
                let _ = rows::set_address(runtime(), row, address);
            }
        }
    }

    /// A proxy was made now, on this thread. `is_asked`: type and layout have been asked for
    /// already.
    pub fn born(&mut self, key: usize, handle: u64, site: u32, is_asked: bool) -> Born {
        if !self.is_followed || levels::hottest() == Level::Off as u8 {
            return Born::Row(0);
        }
        if self.type_id == 0 || self.layout == Layout::Unknown && !is_asked {
            return if is_asked { Born::Row(0) } else { Born::Ask };
        }
        let row = self.add(handle, Some(site));
        self.keep(key, row);
        Born::Row(row)
    }

    /// Whether type and layout are found out.
    pub fn is_ready(&self) -> bool {
        self.type_id != 0 && self.layout != Layout::Unknown
    }

    /// A row for a proxy that was there before. 0: it is known, or found no room.
    pub fn adopt(&mut self, key: usize, handle: u64) -> u64 {
        if !self.is_followed
            || levels::hottest() == Level::Off as u8
            || self.type_id == 0
            || self.rows.contains_key(&key)
        {
            return 0;
        }
        match self.layout.has_object(handle, self.is_seen) {
            // the layout of a trait is not proved, but known by the generation
            Some(false) if self.is_seen || !matches!(self.layout, Layout::Inner { .. }) => {
                return self.add_freed(key, handle)
            }
            found => self.is_seen |= found == Some(true),
        }
        let row = self.add(handle, None);
        self.keep(key, row);
        row
    }

    /// Whether a proxy is known, or leaving.
    pub fn knows(&self, key: usize) -> bool {
        self.rows.contains_key(&key)
    }

    /// A proxy's finaliser runs: its reference is about to be released. `handle` 0: it has none.
    pub fn gone(&mut self, key: usize, handle: u64) {
        let row = self.rows.insert(key, LEAVING).unwrap_or(0);
        if self.freed.remove(&key).is_some() {
            // the same reference again: nothing says which object lies there now
            self.end(row, ReferenceState::Released, EVENT_COUNT_UNKNOWN);
        } else if row != 0 && row != LEAVING {
            self.end(
                row,
                self.layout.state_after_release(handle),
                self.layout.strong_after_release(handle),
            );
        }
    }

    /// A proxy's finaliser began to run before the class was followed: it is no live proxy, and its
    /// end will not be reported.
    pub fn leaving(&mut self, key: usize) {
        self.rows.entry(key).or_insert(LEAVING);
    }

    /// The finaliser of a proxy has run.
    pub fn left(&mut self, key: usize) {
        if self.rows.get(&key) == Some(&LEAVING) {
            self.rows.remove(&key);
        }
    }

    /// The finaliser of a proxy has run, and the host still has it: a row with that state. 0: it is
    /// another proxy by now, or found no room.
    pub fn freed(&mut self, key: usize, handle: u64) -> u64 {
        let is_open =
            self.is_followed && self.type_id != 0 && levels::hottest() != Level::Off as u8;
        if !is_open || self.rows.get(&key) != Some(&LEAVING) {
            return 0;
        }
        self.add_freed(key, handle)
    }

    /// A proxy ended without its finaliser: ends its row, if the proxy still has that row.
    pub fn lost(&mut self, key: usize, row: u64) {
        if self.rows.get(&key) == Some(&row) {
            self.rows.remove(&key);
            self.freed.remove(&key);
            self.end(row, ReferenceState::Released, EVENT_COUNT_UNKNOWN);
        }
    }

    /// The state of the resource behind a proxy; `None` without a row.
    pub fn resource(&self, key: usize) -> ResourceState {
        let found = rows::resource_of(runtime(), self.row(key));
        found
            .and_then(|(_, state)| ResourceState::from_number(state))
            .unwrap_or(ResourceState::None)
    }

    /// The state of the resource behind a proxy, for all rows of its object; `key` 0: of all
    /// proxies. A resource that is closed stays so until it is open again. Returns the proxy's row,
    /// 0: none.
    pub fn set_resource(&mut self, key: usize, state: ResourceState) -> u64 {
        if key == 0 {
            self.resources.clear();
            self.rows.values().for_each(|&row| share(row, state));
            return 0;
        }
        let row = self.row(key);
        let Some((address, before)) = rows::resource_of(runtime(), row) else { return 0 };
        let is_final = before == ResourceState::Freed as u8
            || before == ResourceState::Closed as u8 && state != ResourceState::Open;
        if is_final || before == state as u8 {
            return row;
        }
        // a row that ended meanwhile needs none
        let _ = rows::set_resource(runtime(), row, state);
        if address != 0 {
            let shares = |&&other: &&u64| {
                rows::resource_of(runtime(), other).is_some_and(|(its, _)| its == address)
            };
            let of_object: Vec<u64> = self.rows.values().filter(shares).copied().collect();
            of_object.iter().filter(|&&other| other != row).for_each(|&other| share(other, state));
            self.resources.insert(address, Known { state, rows: of_object.len() });
        }
        row
    }

    /// The row of a proxy, 0: it has none.
    pub fn row(&self, key: usize) -> u64 {
        self.rows.get(&key).copied().filter(|&row| row != LEAVING).unwrap_or(0)
    }

    /// The proxy of a row, 0: there is none.
    pub fn key(&self, row: u64) -> usize {
        if row == 0 || row == LEAVING {
            return 0;
        }
        self.rows.iter().find(|(_, &known)| known == row).map_or(0, |(&key, _)| key)
    }

    /// Stops following the class: all rows disappear from the table without a trace.
    pub fn clear(&mut self) {
        self.is_followed = false;
        self.rows.clear();
        self.freed.clear();
        self.unplaced.clear();
        self.resources.clear();
        if self.type_id != 0 {
            // a type of ours exists
            let _ = rows::clear(runtime(), self.type_id);
        }
    }

    fn add_freed(&mut self, key: usize, handle: u64) -> u64 {
        // a row without room is counted
        let row = rows::add_freed(runtime(), self.type_id, handle).unwrap_or(0);
        self.keep(key, row);
        self.freed.insert(key, row);
        row
    }

    fn add(&mut self, handle: u64, site: Option<u32>) -> u64 {
        let is_born_now = site.is_some();
        // a proxy that was there before may have been released by hand
        let address = if is_born_now {
            self.layout.address(handle)
        } else {
            self.layout.address_read(handle)
        };
        let row = NewRow {
            type_id: self.type_id,
            address,
            data: handle,
            owner: 0,
            is_foreign: false,
            is_born_now,
        };
        let before = local(|local| local.site.replace(site.unwrap_or(0)));
        let strong = if is_born_now { self.layout.strong(handle) } else { EVENT_COUNT_UNKNOWN };
        // a row without room is counted
        let made = rows::add_counted(runtime(), &row, strong).unwrap_or(0);
        local(|local| local.site.set(before));
        if made != 0 && address == 0 && self.layout == Layout::Unknown {
            self.unplaced.push((made, handle));
        }
        self.place_resource(made, address, is_born_now);
        made
    }

    /// The state of a new row's resource: that of its object, where it was told; not known of an
    /// object that was there before.
    fn place_resource(&mut self, row: u64, address: u64, is_born_now: bool) {
        if let Some(known) = self.resources.get_mut(&address) {
            known.rows += 1;
            share(row, known.state);
        } else if !is_born_now && types::closes(runtime(), self.type_id) {
            share(row, ResourceState::Unknown);
        }
    }

    /// A row ends: of an object without rows nothing is known any more, as its address may be
    /// another's then.
    fn forget_resource(&mut self, row: u64) {
        if self.resources.is_empty() {
            return;
        }
        let Some((address, _)) = rows::resource_of(runtime(), row) else { return };
        if let Some(known) = self.resources.get_mut(&address) {
            known.rows -= 1;
            if known.rows == 0 {
                self.resources.remove(&address);
            }
        }
    }

    /// Remembers a row; a proxy at the place of a known one means that that one went without a
    /// word.
    fn keep(&mut self, key: usize, row: u64) {
        self.freed.remove(&key);
        if let Some(known) = self.rows.insert(key, row) {
            if known != 0 && known != LEAVING {
                self.end(known, ReferenceState::Released, EVENT_COUNT_UNKNOWN);
            }
        }
    }

    fn end(&mut self, row: u64, state: ReferenceState, left: u32) {
        if !self.unplaced.is_empty() {
            self.unplaced.retain(|&(waiting, _)| waiting != row);
        }
        self.forget_resource(row);
        // a row that a detach ended has nothing to end
        let _ = rows::end_counted(runtime(), row, state, left);
    }
}

/// The state of a resource that was counted with another row.
fn share(row: u64, state: ResourceState) {
    // a row that ended has no resource any more, and a freed one keeps its state
    if rows::resource_of(runtime(), row)
        .is_some_and(|(_, before)| before != ResourceState::Freed as u8)
    {
        let _ = rows::share_resource(runtime(), row, state);
    }
}
