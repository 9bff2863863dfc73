//! Files in gzip and zstd, with the programs of these names at the other end.

mod faults;
mod inputs;
mod outputs;

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::harness::needs;

/// The ends of names, and the program that packs such a file.
const BOTH: [(&str, &str); 2] = [("gz", "gzip"), ("zst", "zstd")];

/// Gives `bytes` to a program and returns what it made of them, if it was content.
fn filtered(program: &str, arguments: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(needs(program, program))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    // It may stop reading; its exit code tells.
    let feeder = std::thread::spawn(move || stdin.write_all(&bytes).ok());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output.status.success().then_some(output.stdout)
}

/// Packs by the real program.
fn pack(program: &str, bytes: &[u8]) -> Vec<u8> {
    filtered(program, &["-c"], bytes).unwrap()
}

/// Unpacks by the real program.
#[track_caller]
fn unpack(program: &str, bytes: &[u8]) -> Vec<u8> {
    filtered(program, &["-dc"], bytes).unwrap_or_else(|| panic!("{program} is not content"))
}
