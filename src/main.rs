//! Hands the arguments to `cli`, returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    esteira::cli::main(std::env::args_os())
}
