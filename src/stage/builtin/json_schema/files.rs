//! The files a schema consists of: the first of them, and those its `$ref`s lead to.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jsonschema::{Draft, Retrieve, Uri};
use serde_json::Value;

use crate::stage::builtin::json_schema::breach::Breach;
use crate::stage::builtin::json_schema::tape::Tape;

/// A file of a schema.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What it holds.
    pub(super) value: Value,
}

/// Why a file, or what stands in it, is not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It would have to be fetched.
    Network,
    /// It is no address of a file.
    NoFile,
    /// It leads out of the folder.
    Outside(PathBuf),
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It is no JSON text.
    Text {
        /// The file.
        path: PathBuf,
        /// Where it shows: line and column, from 1.
        at: (usize, usize),
        /// What is wrong.
        message: String,
    },
    /// It is no schema.
    Breach(PathBuf, Breach),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it says is told by who knows how paths are shown.
        f.write_str("refused")
    }
}

impl Error for Refusal {}

/// The files that may be read.
#[derive(Debug)]
pub(super) struct Files {
    /// The folder, without symbolic links, out of which no `$ref` may lead.
    root: PathBuf,
    /// Where the first file says it lies on the web, and the folder where it lies here.
    home: Option<(String, PathBuf)>,
    draft: Draft,
    read: Mutex<Vec<Document>>,
}

impl Files {
    /// Begins with the file that was named.
    pub(super) fn new(first: &Document, root: &Path, draft: Draft) -> Result<Self, Refusal> {
        let root = root.canonicalize().map_err(|e| Refusal::Unreadable(root.to_owned(), e))?;
        let id = first.value.get(draft.id_keyword()).and_then(Value::as_str);
        let id = id.filter(|id| id.starts_with("http:") || id.starts_with("https:"));
        let folder = id.and_then(|id| id.get(..=id.split(['#', '?']).next()?.rfind('/')?));
        let here = first.path.parent().unwrap_or(Path::new("/"));
        let home = folder.map(|folder| (folder.to_owned(), here.to_owned()));
        Ok(Self { root, home, draft, read: Mutex::default() })
    }

    /// Returns the files read so far.
    pub(super) fn read(&self) -> Vec<Document> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn find(&self, uri: &str) -> Result<PathBuf, Refusal> {
        if let Some((web, here)) = &self.home
            && let Some(rest) = uri.strip_prefix(web)
        {
            return Ok(here.join(decoded(rest)));
        }
        if let Some(path) = uri.strip_prefix("file://") {
            return if path.starts_with('/') { Ok(decoded(path)) } else { Err(Refusal::NoFile) };
        }
        let web = uri.starts_with("http:") || uri.starts_with("https:");
        Err(if web { Refusal::Network } else { Refusal::NoFile })
    }

    fn open(&self, uri: &str) -> Result<Value, Refusal> {
        let asked = self.find(uri)?;
        let path = match asked.canonicalize() {
            Ok(path) => path,
            Err(error) => return Err(Refusal::Unreadable(asked, error)),
        };
        if !path.starts_with(&self.root) {
            return Err(Refusal::Outside(asked));
        }
        let document = Document { value: load(&path)?, path };
        if let Some(breach) = Breach::of(self.draft.detect(&document.value), &document.value) {
            return Err(Refusal::Breach(document.path, breach));
        }
        let value = document.value.clone();
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(document);
        Ok(value)
    }
}

/// What the validator asks: it wants to own it, and the files are asked afterwards, too.
#[derive(Debug)]
pub(super) struct Asked(pub(super) std::sync::Arc<Files>);

impl Retrieve for Asked {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        self.0.open(uri.as_str()).map_err(Into::into)
    }
}

/// Reads a file that holds a schema.
pub(super) fn load(path: &Path) -> Result<Value, Refusal> {
    let unreadable = |error| Refusal::Unreadable(path.to_owned(), error);
    let mut text = Vec::new();
    // Whatever is no plain file might never end.
    let kind = fs::metadata(path).map_err(unreadable)?;
    if !kind.is_file() {
        return Err(unreadable(io::Error::other("it is no file")));
    }
    let mut file = fs::File::open(path).map_err(unreadable)?;
    file.read_to_end(&mut text).map_err(unreadable)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let wrong = |at, message| Refusal::Text { path: path.to_owned(), at, message };
    if let Err(error) = std::str::from_utf8(text) {
        return Err(wrong(place(text, error.valid_up_to()), "invalid UTF-8".to_owned()));
    }
    let value = serde_json::from_slice(text).map_err(|error| {
        let message = error.to_string();
        let plain = message.rsplit_once(" at line ").map_or(&*message, |(plain, _)| plain);
        wrong((error.line(), error.column().max(1)), plain.to_owned())
    })?;
    // Of two members of the same name only one would count.
    let mut tape = Tape::default();
    let doc = tape.read(text).map_err(|fault| wrong(place(text, fault.at), fault.why.into()))?;
    match doc.doubled() {
        None => Ok(value),
        Some((name, at)) => {
            Err(wrong(place(text, at), format!("`{name}` stands twice in an object")))
        }
    }
}

/// Tells line and column of a byte.
fn place(text: &[u8], at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let begin = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    (memchr::memchr_iter(b'\n', before).count() + 1, at - begin + 1)
}

/// Returns the address of a file.
pub(super) fn address(path: &Path) -> String {
    let mut uri = String::from("file://");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(uri, "%{byte:02X}").unwrap_or(());
        }
    }
    uri
}

/// Returns the path that a part of an address means.
fn decoded(address: &str) -> PathBuf {
    let address = address.split(['#', '?']).next().unwrap_or(address).as_bytes();
    let (mut path, mut at) = (Vec::with_capacity(address.len()), 0);
    while let Some(&byte) = address.get(at) {
        let hex = |at| char::from(*address.get(at)?).to_digit(16);
        let code = || u8::try_from(hex(at + 1)? << 4 | hex(at + 2)?).ok();
        let escaped = (byte == b'%').then(code).flatten();
        path.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    OsString::from_vec(path).into()
}
