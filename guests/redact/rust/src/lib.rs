//! Hash attributes that name people, and mask what looks like personal data in any text.

use indexmap::IndexMap;
use otelwasm_sdk::{Batch, Failure, Pattern, Processor, Value, Verdict};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Redact {
    /// Equal values keep equal hashes, so that one user's requests can still be told apart.
    hash: Vec<String>,
    /// Without a secret of your own, hashes of e-mail addresses and the like can be guessed.
    salt: String,
    /// What to write in place of a text, and the pattern that finds it: {email: '[\w.+-]+@\S+'}.
    mask: IndexMap<String, Pattern>,
}

impl Processor for Redact {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        batch.hash_attributes(&self.hash, &self.salt)?;
        if !self.mask.is_empty() {
            batch.map_attributes(|_, value| self.masked(value))?;
            for mut record in batch.log_records()? {
                if let Some(masked) = self.masked(&record.body()) {
                    record.set_body(masked);
                }
            }
        }
        Ok(Verdict::Send)
    }
}

impl Redact {
    /// What to write in place of a value, if anything in it is to be masked.
    fn masked(&self, value: &Value) -> Option<Value<'static>> {
        let mut masked = value.clone().into_owned();
        self.mask(&mut masked).then_some(masked)
    }

    fn mask(&self, value: &mut Value) -> bool {
        match value {
            Value::Str(text) => {
                let mut is_masked = false;
                for (name, pattern) in &self.mask {
                    if pattern.matches(text) {
                        *text = pattern
                            .replace_all(text, &format!("<{name}>"))
                            .into_owned()
                            .into();
                        is_masked = true;
                    }
                }
                is_masked
            }
            Value::List(members) => members.iter_mut().fold(false, |is, m| self.mask(m) | is),
            Value::Map(members) => members
                .iter_mut()
                .fold(false, |is, (_, m)| self.mask(m) | is),
            _ => false,
        }
    }
}

otelwasm_sdk::processor!(Redact);
