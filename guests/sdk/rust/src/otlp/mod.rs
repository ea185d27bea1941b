//! OTLP's messages as Rust types, for what views cannot do. Fields that OTLP does not have are lost
//! when a message is decoded.
#![allow(missing_docs, unreachable_pub, clippy::all)]

mod requests;

pub use requests::{Request, key_value};

/// The requests, which batches are.
pub mod collector {
    pub mod logs {
        pub mod v1 {
            include!("collector_logs_v1.rs");
        }
    }
    pub mod metrics {
        pub mod v1 {
            include!("collector_metrics_v1.rs");
        }
    }
    pub mod profiles {
        pub mod v1development {
            include!("collector_profiles_v1development.rs");
        }
    }
    pub mod trace {
        pub mod v1 {
            include!("collector_trace_v1.rs");
        }
    }
}
pub mod common {
    pub mod v1 {
        include!("common_v1.rs");
    }
}
pub mod logs {
    pub mod v1 {
        include!("logs_v1.rs");
    }
}
pub mod metrics {
    pub mod v1 {
        include!("metrics_v1.rs");
    }
}
pub mod profiles {
    pub mod v1development {
        include!("profiles_v1development.rs");
    }
}
pub mod resource {
    pub mod v1 {
        include!("resource_v1.rs");
    }
}
pub mod trace {
    pub mod v1 {
        include!("trace_v1.rs");
    }
}
