//! What a batch is made of.

/// Which OTLP request a payload is; the contract's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `ExportTraceServiceRequest`
    Traces,
    /// `ExportMetricsServiceRequest`
    Metrics,
    /// `ExportLogsServiceRequest`
    Logs,
    /// `ExportProfilesServiceRequest`; OTLP calls profiles still in development.
    Profiles,
}

impl Signal {
    /// Traces, metrics and logs: what views and operations are for.
    pub const STABLE: &'static [Signal] = &[Signal::Traces, Signal::Metrics, Signal::Logs];

    /// All, with profiles.
    pub const ALL: &'static [Signal] =
        &[Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Profiles];

    /// What it is called in configurations and metrics: `traces`.
    pub fn label(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
            Signal::Profiles => "profiles",
        }
    }
}
