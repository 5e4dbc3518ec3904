//! The `nightcap` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    nightcap::cli::main(std::env::args_os())
}
