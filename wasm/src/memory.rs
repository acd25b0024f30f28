//! Where the module's memory comes from.
//!
//! All that a flow asks for lies in a region of its own. Nothing in it is given back alone, which spares the module most of
//! the code that drops values; when the flow is let go, its region is overwritten as a whole and becomes another flow's. It
//! grows by some kilobytes with each turn, of which a flow has few.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::Cell;
use core::ptr::{null_mut, with_exposed_provenance_mut};

/// The page of WebAssembly, in bytes: memory grows by it, and a region by no less.
const PAGE: usize = 64 * 1024;

/// The one allocator of the module.
pub(crate) struct Memory {
    /// The region that memory comes from now.
    entered: Cell<*mut Region>,
    /// The spans that are nobody's, the last one that became so. They are zero but for where they begin.
    free: Cell<*mut Span>,
}

/// A flow's memory. It lies at the beginning of its first span.
pub(crate) struct Region {
    last: *mut Span,
    /// The room of the last span that was not given out yet.
    start: usize,
    end: usize,
}

/// Pages in a row. They begin with this.
#[derive(Clone, Copy)]
struct Span {
    before: *mut Self,
    size: usize,
}

// SAFETY: a module without threads is never entered twice at once.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) const fn new() -> Self {
        Self { entered: Cell::new(null_mut()), free: Cell::new(null_mut()) }
    }

    /// Begins a region and enters it; null where there is no more memory.
    pub(crate) fn open(&self) -> *mut Region {
        let mut region = Region { last: null_mut(), start: 0, end: 0 };
        let place = self.widened(&mut region, Layout::new::<Region>());
        let Some(start) = place else { return null_mut() };
        let place: *mut Region = with_exposed_provenance_mut(start);
        // SAFETY: the room is the region's, large enough and aligned.
        unsafe { place.write(region) };
        self.entered.set(place);
        place
    }

    /// Lets memory come from this region.
    ///
    /// # Safety
    ///
    /// It was opened and not closed.
    pub(crate) unsafe fn enter(&self, region: *mut Region) {
        self.entered.set(region);
    }

    /// Overwrites a region and gives it back. Nothing is entered then.
    ///
    /// # Safety
    ///
    /// It was opened and not closed, and nothing that lies in it is used any more.
    pub(crate) unsafe fn close(&self, region: *mut Region) {
        self.entered.set(null_mut());
        // SAFETY: the caller promises that the region is there.
        let mut last = unsafe { (*region).last };
        while !last.is_null() {
            // SAFETY: each span was made by `span`, is as large as it says, and is nobody's from here on.
            unsafe {
                let Span { before, size } = last.read();
                last.cast::<u8>().write_bytes(0, size);
                last.write(Span { before: self.free.get(), size });
                self.free.set(last);
                last = before;
            }
        }
    }

    /// Room in a region, which gets another span where it has none left.
    fn widened(&self, region: &mut Region, layout: Layout) -> Option<usize> {
        let mut start = region.start.next_multiple_of(layout.align());
        if start.checked_add(layout.size()).is_none_or(|end| end > region.end) {
            let needed = layout.size().checked_add(size_of::<Span>() + layout.align())?;
            let span = self.span(needed.div_ceil(PAGE));
            if span.is_null() {
                return None;
            }
            // SAFETY: `span` has written its beginning.
            unsafe { (*span).before = region.last };
            region.last = span;
            // SAFETY: as above.
            region.end = span.addr() + unsafe { (*span).size };
            start = (span.addr() + size_of::<Span>()).next_multiple_of(layout.align());
        }
        region.start = start + layout.size();
        Some(start)
    }

    /// So many pages at least: the first free ones that are enough, else new ones; null where there are none.
    fn span(&self, pages: usize) -> *mut Span {
        let size = pages * PAGE;
        let mut after: *mut Span = null_mut();
        let mut span = self.free.get();
        while !span.is_null() {
            // SAFETY: what is free begins with its links, which `close` has written.
            let Span { before, size: found } = unsafe { span.read() };
            if found >= size {
                if after.is_null() {
                    self.free.set(before);
                } else {
                    // SAFETY: as above.
                    unsafe { (*after).before = before };
                }
                return span;
            }
            (after, span) = (span, before);
        }
        let grown = wasm32::memory_grow(0, pages);
        if grown == usize::MAX {
            return null_mut();
        }
        let span: *mut Span = with_exposed_provenance_mut(grown * PAGE);
        // SAFETY: these pages are new.
        unsafe { span.write(Span { before: null_mut(), size }) };
        span
    }
}

/// Overwrites the stack as far as nobody is on it. It is the lowest part of the memory, and grows downwards.
#[inline(never)]
pub(crate) fn overwrite_stack() {
    let here = 0_u8;
    // The optimiser is told that the first kilobyte is nobody's.
    let lowest = 1024;
    // SAFETY: nothing lies between the lowest part and the end of this call's own frame.
    unsafe { with_exposed_provenance_mut::<u8>(lowest).write_bytes(0, (&raw const here).addr() - lowest) };
}

// SAFETY: a block is given out once, and is as large and as aligned as was asked for.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let region = self.entered.get();
        if region.is_null() {
            return null_mut();
        }
        // SAFETY: what is entered is open, and nothing here calls back.
        self.widened(unsafe { &mut *region }, layout).map_or(null_mut(), with_exposed_provenance_mut)
    }

    #[inline(always)]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size <= layout.size() {
            return block;
        }
        // SAFETY: what has memory is open, and nothing here calls back.
        let region = unsafe { &mut *self.entered.get() };
        // The last block grows where it is.
        if block.addr() + layout.size() == region.start && size <= region.end - block.addr() {
            region.start = block.addr() + size;
            return block;
        }
        // SAFETY: the caller promises that the new size fits; both blocks are as large as the old one, and not the same.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size());
            }
            moved
        }
    }
}
