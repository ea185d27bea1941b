//! Patterns in configurations.

use std::borrow::Cow;

use regex::{NoExpand, Regex};
use serde::Deserialize;

/// A regular expression in a plugin's configuration, of the crate `regex`; one that is none is
/// refused when the plugin starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    anywhere: Regex,
    whole: Regex,
}

impl Pattern {
    /// Compiles it.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        let anywhere = Regex::new(pattern)?;
        let whole = Regex::new(&format!("\\A(?:{pattern})\\z"))?;
        Ok(Pattern { anywhere, whole })
    }

    /// Whether it matches all of the text.
    pub fn matches_all(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// Whether it matches anywhere in the text.
    pub fn matches(&self, text: &str) -> bool {
        self.anywhere.is_match(text)
    }

    /// The text with something else, literally, in place of each match.
    pub fn replace_all<'t>(&self, text: &'t str, with: &str) -> Cow<'t, str> {
        self.anywhere.replace_all(text, NoExpand(with))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        Pattern::new(&pattern)
            .map_err(|error| format!("'{pattern}' is no regular expression: {error}"))
    }
}
