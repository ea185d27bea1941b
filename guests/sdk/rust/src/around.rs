//! What is around an item: read there, changed by the batch's own iterations.

use crate::read;
use crate::schema::MESSAGES;
use crate::value::Value;

/// What is read around an item, and not changed there.
macro_rules! reference {
    ($(#[$doc:meta])* $name:ident($message:literal) { $($field:ident = $number:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'b>(pub(crate) &'b [u8]);

        impl<'b> $name<'b> {
            $(
                #[doc = concat!("Its ", stringify!($field), ".")]
                pub fn $field(&self) -> &'b str {
                    read::text(self.0, $number)
                }
            )*

            /// The value of an attribute, if it is there.
            pub fn attribute(&self, key: &str) -> Option<Value<'b>> {
                read::attribute(self.0, $message, key)
            }

            /// All attributes, in order.
            pub fn attributes(&self) -> impl Iterator<Item = (&'b str, Value<'b>)> + use<'b> {
                read::attributes_of(self.0, $message)
            }
        }
    };
}

reference! {
    /// Where telemetry comes from: a service, a host.
    Resource(2) {}
}
reference! {
    /// Which library made the telemetry.
    Scope(9) { name = 1; version = 2; }
}
reference! {
    /// What data points measure.
    Metric(17) { name = 1; description = 2; unit = 3; }
}
const _: () = assert!(MESSAGES[2].attributes == 1 && MESSAGES[9].attributes == 3);
const _: () = assert!(MESSAGES[17].attributes == 12);
