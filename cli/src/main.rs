//! The `logagent` binary: every part of the pipeline, the pipeline in one process, and the tools around it.
//!
//! One file of `commands` for each subcommand. Exit codes: 0 done, 1 failed, 2 not understood.

mod args;
mod commands;
mod fail;
mod kafka;
mod output;
mod part;
mod time;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

use args::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.logging.init().and_then(|()| cli.command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
