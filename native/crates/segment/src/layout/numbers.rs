//! Numbers of the segment as states.

use crate::layout::ResourceState;

const STATES: [ResourceState; 12] = [
    ResourceState::None,
    ResourceState::Open,
    ResourceState::CloseRequested,
    ResourceState::Draining,
    ResourceState::WaitingOwner,
    ResourceState::Closing,
    ResourceState::Closed,
    ResourceState::CloseFailed,
    ResourceState::NeverClosed,
    ResourceState::Poisoned,
    ResourceState::Unknown,
    ResourceState::Freed,
];

impl ResourceState {
    /// The state with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        STATES.get(usize::from(number)).copied()
    }
}
