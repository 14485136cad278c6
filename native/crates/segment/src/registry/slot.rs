//! One row: eight atomic words as `layout::HandleSlot` declares them.

use crate::layout::{
    word, ReferenceState, ResourceState, BUSY, COUNT_UNKNOWN, OUTER_UNKNOWN, STRONG_UNKNOWN,
};
use crate::primitive::{fence, wait_a_turn, AtomicU64, Ordering};

const BUSY_BIT: u64 = BUSY as u64;
const STATES: u64 = 0xFFFF;

/// The counts when nothing was ever sampled.
pub const COUNTS_UNKNOWN: u64 =
    STRONG_UNKNOWN as u64 | (COUNT_UNKNOWN as u64) << 32 | (COUNT_UNKNOWN as u64) << 48;
/// Upper half of the sites' word when nothing was ever sampled.
const NO_OUTER: u64 = (OUTER_UNKNOWN as u64) << 32;

/// Time, thread and site of an event; all 0: not recorded. Two words, because the processor waits
/// when it reads smaller written fields back as one word.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    at_ticks: u64,
    /// The site in the upper half, the thread in the lower.
    place: u64,
}

impl Moment {
    /// Nothing is recorded.
    pub const UNRECORDED: Self = Self { at_ticks: 0, place: 0 };

    /// At these ticks, in this thread, with this stack (0: none).
    #[inline]
    pub fn new(at_ticks: u64, thread: u16, site: u32) -> Self {
        Self { at_ticks, place: u64::from(thread) | u64::from(site) << 32 }
    }

    #[inline(always)]
    fn thread(self) -> u64 {
        self.place & 0xFFFF
    }

    /// Index of the site: 16 bits suffice for every site.
    #[inline(always)]
    fn site(self) -> u64 {
        self.place >> 32 & 0xFFFF
    }
}

/// The facts about a handle at its birth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Birth {
    /// Index of its type.
    pub type_id: u16,
    /// `ResourceState`.
    pub resource_state: u8,
    /// Whether it stands for an object of the host language.
    pub is_foreign: bool,
    /// The allocation, 0: none.
    pub address: u64,
    /// The handle's value: a data pointer, a key.
    pub data: u64,
    /// Thread that alone may close, 0: any.
    pub owner: u16,
    /// When and where.
    pub moment: Moment,
}

/// The thread, time and site of a change, for the row's own memory.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// When and where.
    pub moment: Moment,
    /// Whether that thread requested the close or the release.
    pub is_request: bool,
}

/// A row.
#[derive(Clone, Copy)]
pub struct Slot<'a> {
    words: &'a [AtomicU64; word::COUNT],
}

/// Word 0 taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word0(pub u64);

impl Word0 {
    /// The number of the reference's state, without `BUSY`.
    #[inline]
    pub fn reference(self) -> u8 {
        (self.0 & !BUSY_BIT) as u8
    }

    /// Whether a writer is at work.
    #[inline]
    pub fn is_busy(self) -> bool {
        self.0 & BUSY_BIT != 0
    }

    /// The number of the resource's state.
    #[inline]
    pub fn resource(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Index of the type.
    #[inline]
    pub fn type_id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Generation.
    #[inline]
    pub fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether a close was asked for and has not ended.
    #[inline]
    pub fn is_close_pending(self) -> bool {
        (ResourceState::CloseRequested as u8..=ResourceState::Closing as u8)
            .contains(&self.resource())
    }

    /// Whether there is nothing about it that a call which ends has to see to: live, and not
    /// closing or closed.
    #[inline]
    pub fn is_quiet(self) -> bool {
        const OPEN: u64 = ResourceState::Open as u64;
        self.0 & STATES & !BUSY_BIT & !(OPEN << 8) == ReferenceState::Live as u64
    }

    /// Whether it is the word of that handle, whose type is `type_id`, and quiet. The plain case of
    /// a look at it; another answer than yes has to be looked at in detail.
    #[inline]
    pub fn is_plain(self, handle: u64, type_id: u16) -> bool {
        const OPEN: u64 = ResourceState::Open as u64;
        let wanted = handle & !0xFFFF_FFFF | u64::from(type_id) << 16 | ReferenceState::Live as u64;
        self.0 & !BUSY_BIT & !(OPEN << 8) == wanted
    }

    /// Whether the handle may be used at all.
    #[inline]
    pub fn is_live(self) -> bool {
        self.reference() == ReferenceState::Live as u8
    }

    /// This word in other states, not busy.
    pub fn with(self, reference: u8, resource: u8) -> Self {
        Self(self.0 & !STATES | u64::from(reference) | u64::from(resource) << 8)
    }
}

impl<'a> Slot<'a> {
    pub(super) fn new(words: &'a [AtomicU64; word::COUNT]) -> Self {
        Self { words }
    }

    /// Word 0. SeqCst: paired with the store of a pin before it (`threads::Pin`) and with `begin`
    /// on the other side.
    #[inline]
    pub fn word0(&self) -> Word0 {
        Word0(self.words[word::STATE].load(Ordering::SeqCst))
    }

    /// Heap address of the object.
    pub fn address(&self) -> u64 {
        self.words[word::ADDRESS].load(Ordering::Relaxed)
    }

    /// The handle's value: a data pointer, a key. Relaxed: the caller validated word 0, whose load
    /// acquired it.
    #[inline]
    pub fn data(&self) -> u64 {
        self.words[word::DATA].load(Ordering::Relaxed)
    }

    /// The sampled counts, one word: strong, weak, in flight.
    pub fn counts(&self) -> &'a AtomicU64 {
        &self.words[word::COUNTS]
    }

    /// When it was born, ticks.
    pub fn created_at(&self) -> u64 {
        self.words[word::CREATED_AT].load(Ordering::Relaxed)
    }

    /// Time of the last change of a state, ticks.
    pub fn changed_at(&self) -> u64 {
        self.words[word::CHANGED_AT].load(Ordering::Relaxed)
    }

    /// Thread of birth.
    pub fn created_thread(&self) -> u16 {
        self.words[word::THREADS].load(Ordering::Relaxed) as u16
    }

    /// Thread of the last change.
    pub fn last_thread(&self) -> u16 {
        (self.words[word::THREADS].load(Ordering::Relaxed) >> 16) as u16
    }

    /// Thread that alone may close.
    pub fn owner(&self) -> u16 {
        (self.words[word::THREADS].load(Ordering::Relaxed) >> 32) as u16
    }

    /// Thread that asked for the close, or released.
    pub fn requester(&self) -> u16 {
        (self.words[word::THREADS].load(Ordering::Relaxed) >> 48) as u16
    }

    /// Makes the row live: the next generation, which is returned. The caller alone has the index.
    ///
    /// Word 0 is set to `BUSY` first, so that a reader that copies the row now sees that it is not
    /// whole. Release on both stores: the first must not sink below the words (the fence prevents
    /// it), the last publishes them.
    #[inline(always)]
    pub(super) fn publish(&self, birth: &Birth) -> u32 {
        let generation = Word0(self.words[word::STATE].load(Ordering::Relaxed)).generation() + 1;
        let live = u64::from(generation) << 32
            | u64::from(birth.type_id) << 16
            | u64::from(birth.resource_state) << 8
            | ReferenceState::Live as u64;
        self.words[word::STATE].store(live & !0xFF | BUSY_BIT, Ordering::Relaxed);
        fence(Ordering::Release);
        let (at_ticks, thread, site) =
            (birth.moment.at_ticks, birth.moment.thread(), birth.moment.site());
        self.words[word::ADDRESS].store(birth.address, Ordering::Relaxed);
        self.words[word::COUNTS].store(COUNTS_UNKNOWN, Ordering::Relaxed);
        self.words[word::CREATED_AT].store(at_ticks, Ordering::Relaxed);
        self.words[word::CHANGED_AT].store(at_ticks, Ordering::Relaxed);
        self.words[word::THREADS]
            .store(thread | thread << 16 | u64::from(birth.owner) << 32, Ordering::Relaxed);
        self.words[word::SITES].store(site | site << 16 | NO_OUTER, Ordering::Relaxed);
        self.words[word::DATA].store(birth.data, Ordering::Relaxed);
        self.words[word::STATE].store(live, Ordering::Release);
        generation
    }

    /// Sets `BUSY` and returns word 0 as it was; None when the row is of another generation by now.
    /// Waits for another writer.
    pub fn begin(&self, generation: u32) -> Option<Word0> {
        let mut turn = 0;
        loop {
            let word = self.word0();
            if word.generation() != generation {
                return None;
            }
            if word.is_busy() {
                wait_a_turn(turn);
                turn += 1;
                continue;
            }
            // SeqCst: the first half of "change word 0, then look for pins"; see `threads::Pin`
            if self.words[word::STATE]
                .compare_exchange(word.0, word.0 | BUSY_BIT, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
            {
                return Some(word);
            }
        }
    }

    /// As `begin`, but only from the state `from`, showing `to` at once: a call that starts now is
    /// refused. None when the row is in another state. So only the thread that ended a row changes
    /// it afterwards.
    #[inline]
    pub fn begin_change(
        &self,
        generation: u32,
        from: ReferenceState,
        to: ReferenceState,
    ) -> Option<Word0> {
        let mut turn = 0;
        loop {
            let word = self.word0();
            if word.generation() != generation || word.reference() != from as u8 {
                return None;
            }
            if word.is_busy() {
                wait_a_turn(turn);
                turn += 1;
                continue;
            }
            let next = word.with(to as u8, word.resource());
            // SeqCst: the first half of "change word 0, then look who uses the row"; see
            // `threads::Pin`
            if self.words[word::STATE]
                .compare_exchange(word.0, next.0 | BUSY_BIT, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
            {
                return Some(next);
            }
        }
    }

    /// Stores the last word of a row that this thread ended with no call in flight: no other thread
    /// writes it any more. Release: the notes written before are seen with it.
    #[inline]
    pub fn end_for_good(&self, word: Word0) {
        self.words[word::STATE].store(word.0 & !BUSY_BIT, Ordering::Release);
    }

    /// Shows another state while still `BUSY`, so that calls which start now are refused. SeqCst as
    /// in `begin`.
    pub fn announce(&self, word: Word0) {
        self.words[word::STATE].store(word.0 | BUSY_BIT, Ordering::SeqCst);
    }

    /// Writes the record of a change; between `begin` and `end`.
    #[inline]
    pub fn note(&self, change: &Change) {
        let threads = self.words[word::THREADS].load(Ordering::Relaxed);
        let (at_ticks, thread, site) =
            (change.moment.at_ticks, change.moment.thread(), change.moment.site());
        let requester = if change.is_request { thread } else { threads >> 48 };
        self.words[word::CHANGED_AT].store(at_ticks, Ordering::Relaxed);
        self.words[word::THREADS].store(
            threads & 0x0000_FFFF_0000_FFFF | thread << 16 | requester << 48,
            Ordering::Relaxed,
        );
        let sites = self.words[word::SITES].load(Ordering::Relaxed);
        // a value that the sampler stores meanwhile is lost until its next pass
        self.words[word::SITES].store(sites & !0xFFFF_0000 | site << 16, Ordering::Relaxed);
    }

    /// Sets the address, found out after the birth; between `begin` and `end`.
    pub fn set_address(&self, address: u64) {
        self.words[word::ADDRESS].store(address, Ordering::Relaxed);
    }

    /// Ends the change that `begin` began. SeqCst: a call's last look at word 0 after it has
    /// unpinned pairs with this store.
    pub fn end(&self, word: Word0) {
        self.words[word::STATE].store(word.0 & !BUSY_BIT, Ordering::SeqCst);
    }

    /// Puts the row into a state of its own in a forked child, where no other thread runs.
    pub fn settle(&self, word: Word0) {
        self.words[word::STATE].store(word.0 & !BUSY_BIT, Ordering::Relaxed);
    }
}
