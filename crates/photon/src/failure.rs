//! How a command ends that does not succeed: what is said, and with which exit code.

use photon_node::api::Problem;
use std::fmt;
use std::process::ExitCode;

/// What is not simply an error: each has its own exit code or its own form.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The node refused, or what was asked for failed.
    Refused(Box<Problem>),
    /// The same for programs: as the API said it.
    Json {
        /// The problem.
        text: String,
        /// The exit code.
        code: u8,
    },
    /// The command line makes no sense.
    Usage(String),
    /// No node answers there.
    Unreachable {
        /// Where.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// It is under way and goes on by itself.
    Pending(String),
    /// By Ctrl-C or a signal.
    Interrupted,
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Json { code, .. } => *code,
            Self::Usage(_) => 2,
            Self::Unreachable { .. } => 3,
            Self::Pending(_) => 4,
            Self::Interrupted => 130,
        }
    }

    /// What the node would refuse, with its code.
    pub(crate) fn refused(code: &str, detail: &str) -> anyhow::Error {
        anyhow::anyhow!("{detail} ({code})")
    }

    /// A mistake on the command line.
    pub(crate) fn usage(text: impl Into<String>) -> anyhow::Error {
        Self::Usage(text.into()).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) => {
                write!(out, "{} ({})", problem.detail, problem.code)?;
                if let Some(hop) = &problem.hop {
                    write!(out, "\n  node    {hop}")?;
                }
                if let Some(reason) = &problem.reason {
                    write!(out, "\n  reason  {reason}")?;
                }
                if let Some(payment) = &problem.payment {
                    write!(out, "\n  payment {payment}")?;
                }
                photon_node::api::advice(&problem.code)
                    .map_or(Ok(()), |advice| write!(out, "\n  {advice}"))
            }
            Self::Json { text, .. } | Self::Usage(text) | Self::Pending(text) => {
                out.write_str(text)
            }
            Self::Unreachable { url, reason } => write!(
                out,
                "no node answers at {url}: {reason}\n  \
                 Start one with `photon node`, or say where it is with --api or --data-dir."
            ),
            Self::Interrupted => out.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Failure {}

/// Says what happened and picks the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let failure = error.downcast_ref::<Failure>();
    if broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    match failure {
        Some(Failure::Json { text, .. }) => eprintln!("{text}"),
        Some(Failure::Pending(text)) => eprintln!("pending: {text}"),
        Some(Failure::Interrupted) => {}
        Some(Failure::Refused(_) | Failure::Usage(_) | Failure::Unreachable { .. }) | None => {
            eprintln!("{} {error:#}", console::style("error:").for_stderr().red().bold());
        }
    }
    ExitCode::from(failure.map_or(1, Failure::code))
}

/// Whoever read our output has seen enough.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
