//! Where the module's memory comes from.
//!
//! Blocks are powers of two. One that is given back is kept for the next of its size, and none is ever split or joined:
//! a flow asks for the same few sizes again and again, so that a page that has had its busiest moment asks the browser for
//! no more. A block is overwritten when it comes back, whoever had it. A general allocator costs some 4 KB more.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// The page of WebAssembly, in bytes.
const PAGE: usize = 64 * 1024;
/// The smallest block holds a link to the next one that is free, and is aligned for whatever a block of its size may hold.
const SMALLEST: usize = 16;

/// The one allocator of the module.
pub(crate) struct Memory;

/// What is free.
struct Free {
    /// The last block of each size that was given back; it begins with a link to the one before.
    blocks: [*mut u8; 32],
    /// The room that was never given out.
    start: usize,
    end: usize,
}

struct Shared(UnsafeCell<Free>);

// SAFETY: a module without threads is never entered twice at once.
unsafe impl Sync for Shared {}

static FREE: Shared = Shared(UnsafeCell::new(Free { blocks: [null_mut(); 32], start: 0, end: 0 }));

/// Which power of two holds this.
fn order(layout: Layout) -> usize {
    layout.size().max(layout.align()).max(SMALLEST).next_power_of_two().trailing_zeros() as usize
}

impl Free {
    /// New room, at a multiple of its size as far as anybody can ask for it.
    fn grow(&mut self, size: usize) -> *mut u8 {
        let align = size.min(PAGE);
        let mut start = self.start.next_multiple_of(align);
        if start.checked_add(size).is_none_or(|end| end > self.end) {
            let pages = (size + align).div_ceil(PAGE);
            let grown = wasm32::memory_grow(0, pages);
            if grown == usize::MAX {
                return null_mut();
            }
            if grown * PAGE != self.end {
                start = grown * PAGE;
            }
            self.end = (grown + pages) * PAGE;
        }
        self.start = start + size;
        start as *mut u8
    }
}

// SAFETY: a block is handed out once until it comes back, and is as large and as aligned as was asked for.
#[expect(clippy::cast_ptr_alignment, reason = "each block is a multiple of 16 from the beginning")]
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let order = order(layout);
        // SAFETY: see `Shared`; nothing here calls back.
        let free = unsafe { &mut *FREE.0.get() };
        let Some(last) = free.blocks.get_mut(order).filter(|last| !last.is_null()) else {
            return free.grow(1 << order);
        };
        let block = *last;
        // SAFETY: a free block begins with a link, which `dealloc` has written.
        *last = unsafe { block.cast::<*mut u8>().read() };
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is as large as it was asked to be. What a token was moved out of must not keep it.
        unsafe { block.write_bytes(0, layout.size()) };
        // SAFETY: see `Shared`; nothing here calls back.
        let free = unsafe { &mut *FREE.0.get() };
        if let Some(last) = free.blocks.get_mut(order(layout)) {
            // SAFETY: the block is nobody's now, and has room for a link at its beginning.
            unsafe { block.cast::<*mut u8>().write(*last) };
            *last = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size fits.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if order(new) == order(layout) {
            return block;
        }
        // SAFETY: both blocks are as large as the smaller of the two, and are not the same.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
