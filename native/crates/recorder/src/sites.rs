//! Sites: interned call stacks. Each text, frame and stack is written to the segment once and named
//! by its index ever after.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use segment::atomic;
use segment::layout::SITE_FRAMES;
use segment::sync::Lock;
use segment::{Part, Segment};

/// Longest text that is kept; longer texts are cut in front, because the start of a path says
/// least.
const TEXT_LIMIT: usize = 1024;

/// A frame as the host language reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Function.
    pub function: &'a str,
    /// File.
    pub file: &'a str,
    /// Line, 0: unknown.
    pub line: u32,
}

/// The sites, frames and strings interned so far.
pub struct Sites {
    inner: Lock<Inner>,
}

struct Inner {
    texts: HashMap<Box<str>, u32>,
    frames: HashMap<(u32, u32, u32), u32>,
    /// Native frames by return address.
    natives: HashMap<u64, u32>,
    sites: HashMap<(Vec<u32>, bool), u32>,
    /// Bytes of the arena in use; offset 0 means none.
    arena: u32,
}

impl Default for Sites {
    fn default() -> Self {
        Self {
            inner: Lock::new(Inner {
                texts: HashMap::new(),
                frames: HashMap::new(),
                natives: HashMap::new(),
                sites: HashMap::new(),
                arena: 4,
            }),
        }
    }
}

impl Sites {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.inner.hold();
    }

    /// Unlocks it.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.let_go() };
    }

    /// The index of a stack, innermost frame first; 0 when it is empty or there is no room. Frames
    /// beyond the limit are cut off.
    pub fn intern(&self, segment: &Segment, frames: &[Frame<'_>], is_cut: bool) -> u32 {
        let kept = &frames[..frames.len().min(SITE_FRAMES)];
        if kept.is_empty() {
            return 0;
        }
        let is_cut = is_cut || kept.len() < frames.len();
        let mut inner = self.inner.lock();
        let indexes: Option<Vec<u32>> =
            kept.iter().map(|frame| inner.frame(segment, frame)).collect();
        let Some(indexes) = indexes else {
            return missed(segment, |lost| atomic!(AtomicU64, lost, strings));
        };
        inner
            .site(segment, indexes, is_cut)
            .unwrap_or_else(|| missed(segment, |lost| atomic!(AtomicU64, lost, sites)))
    }
}

impl Sites {
    /// The index of a stack of native frames, innermost first, that continues with the frames of
    /// site `outer` (0: it ends there).
    pub fn intern_native(
        &self,
        segment: &Segment,
        addresses: &[u64],
        outer: u32,
        is_cut: bool,
    ) -> u32 {
        let mut inner = self.inner.lock();
        let natives: Option<Vec<u32>> =
            addresses.iter().map(|&address| inner.native(segment, address)).collect();
        let Some(mut indexes) = natives else {
            return missed(segment, |lost| atomic!(AtomicU64, lost, strings));
        };
        let is_outer_cut = inner.append(segment, outer, &mut indexes);
        inner
            .site(segment, indexes, is_cut || is_outer_cut)
            .unwrap_or_else(|| missed(segment, |lost| atomic!(AtomicU64, lost, sites)))
    }
}

fn missed(
    segment: &Segment,
    counter: impl FnOnce(*mut segment::layout::Lost) -> &'static AtomicU64,
) -> u32 {
    counter(segment.lost()).fetch_add(1, Ordering::Relaxed);
    0
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The last `TEXT_LIMIT` bytes of a text, from a whole character on.
fn end_of(text: &str) -> &str {
    let mut from = text.len().saturating_sub(TEXT_LIMIT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

impl Inner {
    fn text(&mut self, segment: &Segment, text: &str) -> Option<u32> {
        let text = end_of(text);
        if let Some(&offset) = self.texts.get(text) {
            return Some(offset);
        }
        let (offset, length) = (self.arena, text.len() as u32);
        let bytes = (4 + length).next_multiple_of(4);
        if !segment.reserve(Part::Strings, offset, bytes) {
            return None;
        }
        segment.write_string(offset, &length.to_le_bytes());
        segment.write_string(offset + 4, text.as_bytes());
        self.arena += bytes;
        self.texts.insert(text.into(), offset);
        Some(offset)
    }

    fn frame(&mut self, segment: &Segment, frame: &Frame<'_>) -> Option<u32> {
        let key =
            (self.text(segment, frame.function)?, self.text(segment, frame.file)?, frame.line);
        let next = self.next_frame();
        let Entry::Vacant(vacant) = self.frames.entry(key) else {
            return self.frames.get(&key).copied();
        };
        if !segment.reserve(Part::Frames, next, 1) {
            return None;
        }
        let slot = segment.frame(next);
        atomic!(AtomicU32, slot, function).store(key.0, Ordering::Relaxed);
        atomic!(AtomicU32, slot, file).store(key.1, Ordering::Relaxed);
        atomic!(AtomicU32, slot, line).store(key.2, Ordering::Relaxed);
        atomic!(AtomicU64, slot, address).store(0, Ordering::Relaxed);
        // Release: a frame that is ready is whole
        atomic!(AtomicU32, slot, ready).store(1, Ordering::Release);
        vacant.insert(next);
        Some(next)
    }

    fn next_frame(&self) -> u32 {
        (self.frames.len() + self.natives.len()) as u32 + 1
    }

    fn native(&mut self, segment: &Segment, address: u64) -> Option<u32> {
        if let Some(&known) = self.natives.get(&address) {
            return Some(known);
        }
        let next = self.next_frame();
        if !segment.reserve(Part::Frames, next, 1) {
            return None;
        }
        let slot = segment.frame(next);
        atomic!(AtomicU64, slot, address).store(address, Ordering::Relaxed);
        // Release: a frame that is ready is whole
        atomic!(AtomicU32, slot, ready).store(1, Ordering::Release);
        self.natives.insert(address, next);
        Some(next)
    }

    /// Adds the frames of a site as far as there is room; whether some were left out.
    fn append(&self, segment: &Segment, site: u32, indexes: &mut Vec<u32>) -> bool {
        if site == 0 {
            return false;
        }
        let slot = segment.site(site);
        let count = atomic!(AtomicU32, slot, frame_count).load(Ordering::Acquire) as usize;
        let kept = count.min(SITE_FRAMES - indexes.len());
        indexes.extend(
            (0..kept).map(|place| atomic!(AtomicU32, slot, frames[place]).load(Ordering::Relaxed)),
        );
        kept < count || atomic!(AtomicU32, slot, cut).load(Ordering::Relaxed) != 0
    }

    fn site(&mut self, segment: &Segment, frames: Vec<u32>, is_cut: bool) -> Option<u32> {
        let next = self.sites.len() as u32 + 1;
        let hash = hash_of(&frames);
        let Entry::Vacant(vacant) = self.sites.entry((frames.clone(), is_cut)) else {
            return self.sites.get(&(frames, is_cut)).copied();
        };
        if !segment.reserve(Part::Sites, next, 1) {
            return None;
        }
        let slot = segment.site(next);
        atomic!(AtomicU64, slot, hash).store(hash, Ordering::Relaxed);
        atomic!(AtomicU32, slot, cut).store(u32::from(is_cut), Ordering::Relaxed);
        for (place, &frame) in frames.iter().enumerate() {
            atomic!(AtomicU32, slot, frames[place]).store(frame, Ordering::Relaxed);
        }
        // Release: a site that has frames is whole
        atomic!(AtomicU32, slot, frame_count).store(frames.len() as u32, Ordering::Release);
        vacant.insert(next);
        Some(next)
    }
}
