//! Where the lines of a stretch end: counted at once, looked for when somebody asks. Whoever only
//! passes bytes on never does.

use std::sync::OnceLock;

/// The ends of lines that lie side by side, or the ends of any lines, put together one by one.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    count: usize,
    last: u32,
    /// All of them, once known.
    places: OnceLock<Vec<u32>>,
}

impl Ends {
    /// Takes note of so many lines more, each behind the one before, the last of which ends there.
    pub fn count(&mut self, lines: usize, last: u32) {
        self.count += lines;
        self.last = last;
        self.places = OnceLock::new();
    }

    /// Adds the end of one line.
    pub fn push(&mut self, end: u32) {
        if self.count == 0 {
            self.places = OnceLock::from(Vec::new());
        }
        if let Some(places) = self.places.get_mut() {
            places.push(end);
        }
        self.count += 1;
        self.last = end;
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the last of them.
    pub fn last(&self) -> Option<u32> {
        (self.count > 0).then_some(self.last)
    }

    /// Returns all of them. `start` is where the first of counted lines begins in `buffer`.
    pub fn places(&self, buffer: &[u8], start: usize) -> &[u32] {
        self.places.get_or_init(|| {
            let lines = buffer.get(start..self.last as usize).unwrap_or_default();
            let ends = memchr::memchr_iter(b'\n', lines);
            ends.map(|lf| u32::try_from(start + lf + 1).unwrap_or(u32::MAX)).collect()
        })
    }
}

impl FromIterator<u32> for Ends {
    fn from_iter<I: IntoIterator<Item = u32>>(ends: I) -> Self {
        let places: Vec<u32> = ends.into_iter().collect();
        let (count, last) = (places.len(), places.last().copied().unwrap_or_default());
        Self { count, last, places: OnceLock::from(places) }
    }
}

#[cfg(test)]
mod tests {
    use super::Ends;

    #[test]
    fn what_is_counted_is_found_when_asked_for() {
        let text = b"..a\nbb\n\nccc\ntorn";
        let mut ends = Ends::default();
        ends.count(1, 4);
        ends.count(3, 12);
        assert_eq!((ends.len(), ends.last()), (4, Some(12)));
        assert_eq!(ends.places(text, 2), [4, 7, 8, 12]);
        // What comes later is found as well.
        let mut one = Ends::default();
        assert_eq!((one.last(), one.places(text, 0).len()), (None, 0));
        one.push(4);
        one.push(9);
        assert_eq!(one.places(b"", 0), [4, 9]);
        assert_eq!([3, 5].into_iter().collect::<Ends>().last(), Some(5));
    }
}
