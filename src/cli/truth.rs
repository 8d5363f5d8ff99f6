//! What can be said of a snapshot afterwards.

use clap::{Args, Subcommand};

/// `truth`.
#[derive(Debug, Subcommand)]
pub enum Truth {
    /// Label a recording of a system that is not ours: what was wrong, and since when
    #[command(after_help = "\
Examples:
  aiopslab truth add incident --faulty driver --level Application --fault-type 'Code Defect' --started 2026-11-24T10:07:00Z
  aiopslab truth add incident --faulty redis,driver --faulty redis      two right answers: both names, or redis alone
  aiopslab truth add quiet-monday --no-fault
  aiopslab eval incident --agent baseline:doctor")]
    Add(AddTruth),
}

/// `truth add`.
#[derive(Debug, Args)]
pub struct AddTruth {
    /// The snapshot's folder
    pub snapshot: String,
    /// What is at fault: the names of one right answer, joined by commas (repeatable: other right answers)
    #[arg(long, value_name = "NAME[,NAME]")]
    pub faulty: Vec<String>,
    /// Level of the system that the fault is on (repeatable: other right answers)
    #[arg(long = "level", value_name = "LEVEL")]
    pub levels: Vec<String>,
    /// Type of the fault (repeatable: other right answers)
    #[arg(long = "fault-type", value_name = "TYPE")]
    pub fault_types: Vec<String>,
    /// Nothing is wrong: the snapshot is a control
    #[arg(long)]
    pub no_fault: bool,
    /// When the fault began (RFC 3339); the clocks before-fault and play need it
    #[arg(long, value_name = "TIME")]
    pub started: Option<String>,
    /// When the fault was over (RFC 3339); problems are then asked at that moment [default: it lasted to the end]
    #[arg(long, value_name = "TIME", requires = "started")]
    pub ended: Option<String>,
    /// Start of the problem ids [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// One line: what was wrong
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub summary: String,
    /// Take names of --faulty that nothing in the snapshot has
    #[arg(long)]
    pub unseen: bool,
    /// Replace an earlier label
    #[arg(long)]
    pub replace: bool,
}
