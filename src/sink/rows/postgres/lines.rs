//! Rows as the text that `COPY` takes: pure.

use bytes::Bytes;

use crate::sink::rows::cells::{Cell, Cells};
use crate::words::dead_letter::Complaint;

/// The rows of some records.
pub(super) struct Rows {
    text: Bytes,
    /// Where each begins and, last, where all end.
    starts: Vec<usize>,
    /// Which record each is of.
    places: Vec<usize>,
    /// Records that are no rows of this table.
    pub(super) unfit: Vec<(usize, Vec<Complaint>)>,
}

impl Rows {
    /// Writes the rows; `numbered` ones end with their number.
    pub(super) fn new(cells: &Cells, records: &[&[u8]], numbered: bool) -> Self {
        let mut text = Vec::with_capacity(records.iter().map(|record| record.len()).sum());
        let (mut starts, mut places, mut unfit) = (vec![0], Vec::new(), Vec::new());
        for (place, record) in records.iter().enumerate() {
            let row = match cells.of(record) {
                Ok(row) => row,
                Err(errors) => {
                    unfit.push((place, errors));
                    continue;
                }
            };
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    text.push(b'\t');
                }
                write(cell, &mut text);
            }
            if numbered {
                text.extend_from_slice(format!("\t{place}").as_bytes());
            }
            text.push(b'\n');
            starts.push(text.len());
            places.push(place);
        }
        Self { text: text.into(), starts, places, unfit }
    }

    /// Tells how many rows there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells which record a row is of.
    pub(super) fn place(&self, row: usize) -> usize {
        self.places.get(row).copied().unwrap_or_default()
    }

    /// Returns the text of the rows `from..to`.
    pub(super) fn lines(&self, (from, to): (usize, usize)) -> Bytes {
        let at = |row: usize| self.starts.get(row).copied().unwrap_or(self.text.len());
        self.text.slice(at(from)..at(to))
    }
}

fn write(cell: &Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"\\N"),
        Cell::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Cell::Real(_, written) | Cell::Number(written) => out.extend_from_slice(written.as_bytes()),
        Cell::Truth(truth) => out.push(if *truth { b't' } else { b'f' }),
        Cell::Text(text) => escape(text.as_bytes(), out),
        Cell::Bytes(bytes) => {
            out.extend_from_slice(b"\\\\x");
            out.extend_from_slice(crate::words::dead_letter::hex(bytes).as_bytes());
        }
    }
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'\\' | b'\n' | b'\r' | b'\t')) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, behind)) = special.split_first() else { break };
        out.extend_from_slice(match byte {
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            _ => b"\\\\",
        });
        rest = behind;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_copy_takes_for_its_own_is_escaped() {
        let mut out = Vec::new();
        escape("a\tb\nc\\N\r\u{b}é".as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\\tb\\nc\\\\N\\r\u{b}é");
    }
}
