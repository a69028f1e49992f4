//! `logagent completion SHELL`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::fail::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  logagent completion bash > /etc/bash_completion.d/logagent
  logagent completion zsh > \"${fpath[1]}/_logagent\"
  logagent completion fish > ~/.config/fish/completions/logagent.fish";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The shell that completes.
    shell: Shell,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "logagent", &mut script);
        output::print(script)
    }
}
