"""The banner's text about a target that is not simply live. GUI thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.wording import moment
from inspector.ui.kit.banner import Banner

OTHER = "Choose another process"
STACKS = "Show where its threads are"
FALLBACK = (
    "Read from outside, nothing is loaded into the process. Closes, events and "
    "short-lived objects are not seen"
)


def show_state(
    banner: Banner,
    snapshot: Snapshot,
    choose_other: Callable[[], None],
    show_stacks: Callable[[], None],
    *,
    is_replay: bool = False,
) -> None:
    """Say how the target is; nothing when it is live and an agent tells of it."""
    target = snapshot.target
    why = f": {target.reason}" if target.reason else ""
    if target.from_outside and target.state in (TargetState.LIVE, TargetState.HUNG):
        state = f"The target is hung{why}. " if target.state == TargetState.HUNG else ""
        banner.say(
            f"{state}{FALLBACK}"
            + "".join(f". {note[:1].upper()}{note[1:]}" for note in snapshot.notes),
            tone="waiting",
        )
    elif target.state == TargetState.HUNG:
        button = STACKS if snapshot.stacks else ""
        text = (
            f"The target is hung{why}. The panes are still read live; the target cannot "
            "collect or close now"
        )
        banner.say(text, tone="waiting", button=button, action=show_stacks)
    elif target.state == TargetState.POST_MORTEM:
        text = f"The target is gone{why}. This is the last state it left behind"
        banner.say(text, tone="alarm", button=OTHER, action=choose_other)
    elif target.state == TargetState.ENDED:
        banner.say(
            f"The target has ended{why}. This is its last state", button=OTHER, action=choose_other
        )
    elif target.state == TargetState.RECORDED:
        kind = "Recording" if is_replay else "Screenshot"
        when = moment(snapshot.taken_at, now=time.time())
        banner.say(
            f"{kind} of {target.name}, {when}. Read only{why}",
            button=OTHER,
            action=choose_other,
        )
    else:
        banner.hide()
