//! What plugins exchange with the world outside besides batches.

use std::fmt::Display;

/// OTLP's partial success: the other side took the batch, less some items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Spans, data points, log records or profiles that were refused; 0 is a full success.
    pub rejected: u64,
    /// What the other side said about it.
    pub message: String,
}

/// What came in on the socket that the host listens on for a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The sender's address, as `host:port`.
    pub peer: String,
    /// The HTTP method; empty for tcp and udp.
    pub method: String,
    /// The HTTP request target (path and query); empty for tcp and udp.
    pub target: String,
    /// The HTTP headers, names in lower case; empty for tcp and udp.
    pub headers: Vec<(String, String)>,
    /// The HTTP body, the message of a tcp stream (without its framing), or the udp datagram.
    pub body: Vec<u8>,
}

impl Message {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

/// What a receiver's sender gets back, where the protocol has answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers.
    pub headers: Vec<(String, String)>,
    /// The HTTP body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply of that status, without a body.
    pub fn new(status: u16) -> Self {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A reply of that status, with a plain text.
    pub fn text(status: u16, text: impl Display) -> Self {
        Reply { body: text.to_string().into(), ..Reply::new(status) }
            .header("content-type", "text/plain")
    }

    /// The same, with a body.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Reply { body: body.into(), ..self }
    }

    /// The same, with one more header.
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Default for Reply {
    /// All is well: 200.
    fn default() -> Self {
        Reply::new(200)
    }
}

/// The first of the headers that has the name, in any case.
pub(crate) fn first<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let is_named = |header: &&(String, String)| header.0.eq_ignore_ascii_case(name);
    headers.iter().find(is_named).map(|(_, value)| value.as_str())
}
