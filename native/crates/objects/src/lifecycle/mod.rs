//! The two lives of an object side by side: of each reference
//! (`live ─ release requested ─ released ─ dropped`) and of its resource
//! (`open ─ close requested ─ draining or waiting for its owner ─ closed`).
//!
//! Types that do not close need no lock here: a release is decided by word 0 of its row and the
//! pins. For closing types, one table holds all handles of an object and its close request, and
//! every change of their rows happens under its lock.

mod by_proxy;
mod close;
mod deadline;
mod foreign;
mod host_close;
mod lives;
mod method;
mod obstacle;
mod plan;
mod poison;
mod release;
mod result;
mod upward;
mod waiting;
mod watch;
mod words;

pub use by_proxy::{close_by_proxies, has_method};
pub use close::{
    cancel, close_by_proxy, close_with_defaults, drain_here, owner_ended, preview, request,
};
pub use deadline::{keep_inherited_deadlines, set_deadline};
pub use foreign::{callers, enter_foreign, enter_new, forget_foreign, leave_foreign};
pub use host_close::{close_by, closes, request_of, Close, Let};
pub use lives::lives;
pub use lives::Run;
pub use plan::{children, handover, Child};
pub use poison::{poison, show_poison};
pub use release::{end_row, live, release_row};
pub use result::close_result;
pub use upward::UPWARD;
pub use watch::{listen, CloseNews, Listener};
pub use words::{age, refusal, tombstone};
