//! The judge: reads a line byte by byte, alone decides whether it is one JSON text, and says
//! what is wrong first, reading from the left, and where.

use crate::json::{Fault, MAX_DEPTH};

/// Something that the grammar does not allow, or that is nested too deep.
struct Flaw {
    code: &'static str,
    message: &'static str,
    /// The byte where it shows, from 1.
    column: usize,
}

type Read = Result<(), Flaw>;

/// Judges a line.
pub(super) fn judge(line: &[u8]) -> Result<(), Fault> {
    let flaw = Judge { line, at: 0, depth: 0, objects: 0 }.text().err();
    let encoding = std::str::from_utf8(line).err().map(|error| error.valid_up_to());
    match (flaw, encoding) {
        (None, None) => Ok(()),
        // What comes first is told; at the same byte, that it is no text at all.
        (flaw, Some(at)) if flaw.as_ref().is_none_or(|flaw| at < flaw.column) => {
            Err(Fault::utf8(at))
        }
        (Some(flaw), _) => Err(Fault {
            code: flaw.code,
            message: flaw.message.to_owned(),
            column: flaw.column as u64,
        }),
        (None, Some(at)) => Err(Fault::utf8(at)),
    }
}

struct Judge<'a> {
    line: &'a [u8],
    at: usize,
    depth: usize,
    /// Which of the open levels are objects, the innermost in the lowest bit.
    objects: u128,
}

impl Judge<'_> {
    fn text(mut self) -> Read {
        loop {
            // A value that has ended may end what it is in, and so on.
            let mut ended = !self.opens_value()?;
            while ended {
                self.skip_blank();
                if self.depth == 0 {
                    return match self.peek() {
                        None => Ok(()),
                        Some(_) => Err(self.here("trailing characters")),
                    };
                }
                ended = self.behind_value()?;
            }
        }
    }

    /// Reads what stands behind a value that is in something; true if that has ended.
    fn behind_value(&mut self) -> Result<bool, Flaw> {
        let object = self.objects & 1 == 1;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                if object {
                    self.key()?;
                }
                return Ok(false);
            }
            Some(b'}') if object => self.close(),
            Some(b']') if !object => self.close(),
            None => return Err(self.end_of(object)),
            Some(_) if object => return Err(self.here("expected `,` or `}`")),
            Some(_) => return Err(self.here("expected `,` or `]`")),
        }
        Ok(true)
    }

    /// Reads a value, of an array or object just what opens it; true if a value inside follows.
    fn opens_value(&mut self) -> Result<bool, Flaw> {
        self.skip_blank();
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{' | b'[') => return self.open(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            Some(_) => return Err(self.here("expected value")),
            None => return Err(self.end("EOF while parsing a value")),
        }
        Ok(false)
    }

    fn open(&mut self) -> Result<bool, Flaw> {
        let object = self.peek() == Some(b'{');
        if self.depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        self.at += 1;
        self.skip_blank();
        match self.peek() {
            Some(b'}') if object => self.close(),
            Some(b']') if !object => self.close(),
            None => return Err(self.end_of(object)),
            Some(_) => {
                if object {
                    self.key()?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
        self.at += 1;
    }

    /// Reads the name of a member and the colon behind it.
    fn key(&mut self) -> Read {
        self.skip_blank();
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(_) => return Err(self.here("key must be a string")),
            None => return Err(self.end_of(true)),
        }
        self.skip_blank();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(self.here("expected `:`")),
            None => return Err(self.end_of(true)),
        }
        Ok(())
    }

    fn string(&mut self) -> Read {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => {
                    let message =
                        "control character (\\u0000-\\u001F) found while parsing a string";
                    return Err(Self::flaw(message, self.at + 1));
                }
                Some(_) => self.at += 1,
                None => return Err(self.end("EOF while parsing a string")),
            }
        }
    }

    fn escape(&mut self) -> Read {
        let Some(kind) = self.line.get(self.at + 1) else {
            return Err(self.end("EOF while parsing a string"));
        };
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => match self.line.get(self.at + 2..self.at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => self.at += 6,
                Some(_) => return Err(Self::flaw("invalid escape", self.at + 6)),
                None => return Err(self.end("EOF while parsing a string")),
            },
            _ => return Err(Self::flaw("invalid escape", self.at + 2)),
        }
        Ok(())
    }

    fn number(&mut self) -> Read {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if matches!(self.peek(), Some(b'0'..=b'9')) {
                    return Err(self.here(NUMBER));
                }
            }
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.here(NUMBER)),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Read {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.here(NUMBER));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &[u8]) -> Read {
        for letter in word {
            match self.peek() {
                Some(byte) if byte == *letter => self.at += 1,
                Some(_) => return Err(self.here("expected ident")),
                None => return Err(self.end("EOF while parsing a value")),
            }
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The byte at hand is wrong; if it opens a level too many, that is what is told.
    #[cold]
    fn here(&self, message: &'static str) -> Flaw {
        match self.peek() {
            None => self.end(message),
            Some(b'[' | b'{') if self.depth == MAX_DEPTH => self.too_deep(),
            Some(_) => Self::flaw(message, self.at + 1),
        }
    }

    #[cold]
    fn too_deep(&self) -> Flaw {
        const { assert!(MAX_DEPTH == 128, "as the message has it") };
        let message = "nested deeper than 128 levels";
        Flaw { code: "json.too_deep", message, column: self.at + 1 }
    }

    /// The line ends too early.
    #[cold]
    fn end(&self, message: &'static str) -> Flaw {
        Self::flaw(message, self.line.len().max(1))
    }

    #[cold]
    fn end_of(&self, object: bool) -> Flaw {
        self.end(if object { "EOF while parsing an object" } else { "EOF while parsing a list" })
    }

    fn flaw(message: &'static str, column: usize) -> Flaw {
        Flaw { code: "json.syntax", message, column }
    }
}

const NUMBER: &str = "invalid number";
