//! Spans of traces.

use super::row;

/// A row of [`Table::Spans`](crate::schema::Table::Spans).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits.
    pub parent_span_id: Option<String>,
    /// `service.name`.
    pub service: String,
    /// Name of the span.
    pub operation: String,
    /// `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
    pub kind: String,
    /// When it started.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// `unset`, `ok` or `error`.
    pub status: String,
    /// Status message.
    pub message: Option<String>,
    /// JSON array of `{"key","type","value"}`.
    pub attributes: String,
    /// JSON array of `{"key","type","value"}`.
    pub resource: String,
    /// JSON object.
    pub scope: Option<String>,
    /// JSON array.
    pub events: String,
    /// JSON array.
    pub links: String,
    /// W3C trace flags.
    pub flags: u32,
    /// JSON array of what the backend remarked.
    pub warnings: Option<String>,
    /// Which backend.
    pub source: String,
}

row!(Span, Spans {
    trace_id: String, span_id: String, parent_span_id: Option<String>, service: String,
    operation: String, kind: String, start: i64, end: i64, status: String, message: Option<String>,
    attributes: String, resource: String, scope: Option<String>, events: String, links: String,
    flags: u32, warnings: Option<String>, source: String,
});
