from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from inspector.ui.kit.theme import Theme
from inspector.ui.panes.handles.pane import HandlesPane
from inspector.ui.session.bridge import BackgroundRunner


@pytest.fixture
def pane(qtbot: QtBot, theme: Theme, runner: BackgroundRunner) -> HandlesPane:
    made = HandlesPane(theme, runner)
    qtbot.addWidget(made)
    made.resize(900, 400)
    made.show()
    return made
