//! Aligned, recycled byte buffers: what every read and write of the belt goes through.
//!
//! The kernel's copy to or from an address a few bytes past a page start can be several times
//! dearer than to an aligned one, and a fresh large block costs a page fault for each 4 KiB.
//! So blocks start at a page, and go back to their pool when the last batch lets go of them.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Where a buffer's first byte lies: a multiple of this.
pub const ALIGN: usize = 4096;

/// How many idle blocks a pool keeps; more are freed.
const KEEP: usize = 16;

/// A pool of equally long blocks.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    len: usize,
    idle: Mutex<Vec<Block>>,
}

#[derive(Debug)]
struct Block {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Block {
    fn new(len: usize) -> Self {
        let memory = vec![0; len + ALIGN];
        let start = memory.as_ptr().align_offset(ALIGN);
        // `align_offset` may decline in theory; an unaligned buffer is slow, not wrong.
        let start = if start > ALIGN { 0 } else { start };
        Self { memory, start, len }
    }
}

impl Pool {
    /// Makes a pool whose blocks are `len` bytes long.
    pub fn new(len: usize) -> Self {
        Self(Arc::new(Shelf { len, idle: Mutex::new(Vec::new()) }))
    }

    /// Returns the usual length of a block.
    pub fn block_len(&self) -> usize {
        self.0.len
    }

    /// Takes a block of at least `len` bytes; its contents are whatever was there before.
    pub fn take(&self, len: usize) -> Buffer {
        if len > self.0.len {
            return Buffer { block: Some(Block::new(len)), home: Weak::new() };
        }
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let block = idle.pop();
        drop(idle);
        let block = block.unwrap_or_else(|| Block::new(self.0.len));
        Buffer { block: Some(block), home: Arc::downgrade(&self.0) }
    }
}

/// One block, exclusively owned; dropping it returns it to its pool.
#[derive(Debug)]
pub struct Buffer {
    block: Option<Block>,
    home: Weak<Shelf>,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.block {
            Some(b) => &b.memory[b.start..b.start + b.len],
            None => &[],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.block {
            Some(b) => &mut b.memory[b.start..b.start + b.len],
            None => &mut [],
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let (Some(block), Some(home)) = (self.block.take(), self.home.upgrade()) else {
            return;
        };
        let mut idle = home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEEP {
            idle.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALIGN, Pool};

    #[test]
    fn blocks_are_aligned_and_come_back() {
        let pool = Pool::new(1000);
        let mut a = pool.take(10);
        assert_eq!((a.len(), a.as_ptr() as usize % ALIGN), (1000, 0));
        a[7] = 42;
        let first = a.as_ptr();
        drop(a);
        let again = pool.take(1000);
        assert_eq!((again.as_ptr(), again[7]), (first, 42), "the same block is used again");
        let long = pool.take(5000);
        assert_eq!((long.len(), long.as_ptr() as usize % ALIGN), (5000, 0));
    }
}
