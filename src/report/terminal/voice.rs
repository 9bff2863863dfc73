//! Writes lines to where people read, and falls silent when nobody does any more.

use std::io::{self, Write};

/// A stream of text that must not harm the run: a closed pipe, a full disk or a hung-up terminal
/// ends it without a word.
pub(super) struct Voice {
    to: Option<Box<dyn Write + Send>>,
    torn: bool,
}

impl Voice {
    pub(super) fn new(to: Box<dyn Write + Send>) -> Self {
        Self { to: Some(to), torn: false }
    }

    /// Writes `lines`, each with a line feed, in one go so that nobody's text comes between.
    pub(super) fn say<S: AsRef<str>>(&mut self, lines: &[S]) {
        let Some(to) = &mut self.to else { return };
        if lines.is_empty() {
            return;
        }
        let mut text = String::new();
        if self.torn {
            text.push('\n');
        }
        for line in lines {
            text.push_str(line.as_ref());
            text.push('\n');
        }
        match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
            Ok(()) => self.torn = false,
            // Whoever shares the pipe may have made it non-blocking: this text is lost, perhaps
            // in the middle of a line, the next one may not be.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.torn = true,
            Err(_) => self.to = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Voice;
    use crate::report::fixtures::{Broken, Shared};

    #[test]
    fn a_closed_pipe_is_written_to_once() {
        let broken = Broken::pipe();
        let tries = broken.tries();
        let mut voice = Voice::new(Box::new(broken));
        voice.say(&["a"]);
        voice.say(&["b"]);
        assert_eq!(tries.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn behind_lost_text_a_line_begins_anew() {
        let shared = Shared::default();
        shared.choke_after(3);
        let mut voice = Voice::new(Box::new(shared.clone()));
        voice.say(&["esteira: one"]);
        shared.choke_after(usize::MAX);
        voice.say(&["esteira: two", "esteira: three"]);
        assert_eq!(shared.text(), "est\nesteira: two\nesteira: three\n");
    }
}
