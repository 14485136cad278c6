"""Makes the pictures of the README and the guide: the window on the demo, in both themes.

Run by ``./dev screenshots``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from inspector.commands.support.offscreen import OffscreenWindow, use_offscreen
from inspector.model.pending import pending_closes

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "screenshots"
GROWN = 2_000


def picture(theme: str, folder: Path) -> Path:
    """The window on the demo once it has grown, the oldest pending close selected."""
    path = folder / f"window-{theme}.png"
    with OffscreenWindow(theme=theme) as offscreen:
        offscreen.start_demo()
        offscreen.wait(
            lambda: offscreen.snapshot is not None and offscreen.snapshot.live_count() > GROWN,
            "a grown table",
        )
        snapshot = offscreen.wait_settled()
        offscreen.window.workbench.handles.choose([int(pending_closes(snapshot).ids[0])])
        offscreen.run_for(600)
        offscreen.save(path)
    return path


def main() -> None:
    """Make all pictures, into the folder that was named or the repository's."""
    use_offscreen()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        print(picture(theme, folder))


if __name__ == "__main__":
    main()
