from __future__ import annotations

from inspector.model.losses import losses_of, notes_of, refused_of
from inspector.model.snapshot import Lost
from inspector.session.dtypes import dtype_of


def test_every_counter_of_the_layout_has_words_of_its_own() -> None:
    names = dtype_of("AiLost").names or ()
    lost = Lost(dict.fromkeys((*names, "damaged_rows"), 1))
    told = (*losses_of(lost), *refused_of(lost), *notes_of(lost))
    assert len(told) == len(names) + 1
    assert all(each.meaning for each in told)
    assert lost.total() + lost.refused() == len(names)


def test_what_is_zero_is_not_told() -> None:
    lost = Lost({"untracked_handles": 0, "misuse_zero": 0, "sampler_skips": 0})
    assert (losses_of(lost), refused_of(lost), notes_of(lost)) == ((), (), ())
