"""The shade of births that lived on, as figures."""

from __future__ import annotations

import numpy as np

from inspector.model.churn_lines import Line
from inspector.ui.panes.timeline.birth_shade import surviving


def test_no_step_has_more_survivors_than_births() -> None:
    births = Line(
        np.array([0.0, 1.0, 1.0, 2.0, 2.0, 3.0]), np.array([2.0, 2.0, 1.0, 1.0, np.nan, np.nan])
    )
    assert surviving(births, np.array([0.2, 1.1, 1.2, 1.3]))[:4].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert np.isnan(surviving(births, np.array([2.5]))[4:]).all()
    assert surviving(Line(np.empty(0), np.empty(0)), np.array([1.0])).tolist() == []
