from __future__ import annotations

import numpy as np

from inspector.model.names import Names
from inspector.model.stacks import Frame
from inspector.session.dtypes import dtype_of

FRAME = dtype_of("AiFrameSlot")
SITE = dtype_of("AiSiteSlot")
STRINGS = bytes(8) + b"\x03\0\0\0add" + b"\x06\0\0\0app.py"
ADD, APP = 8, 15


def frames(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.array([(0, 0, 0, 0, 0), *((*row, 0) for row in rows)], FRAME)


def sites(*stacks: list[int]) -> np.ndarray:
    records = np.zeros(len(stacks) + 1, SITE)
    for index, stack in enumerate(stacks, 1):
        records[index]["frame_count"] = len(stack)
        records[index]["frames"][: len(stack)] = stack
    return records


def test_names_are_decoded_as_they_appear():
    names = Names()
    names.add_strings(STRINGS)
    names.add_frames(frames((ADD, APP, 4, 1)))
    names.add_sites(sites([1]))
    names.add_frames(frames((ADD, APP, 5, 1))[1:])
    names.add_sites(sites([2, 1])[1:])
    assert [names.sites[index].short() for index in (1, 2)] == ["app.py:4 add", "app.py:5 add"]
    assert (names.frames_read, names.sites_read) == (3, 3)


def test_a_frame_that_is_not_ready_is_waited_for():
    names = Names()
    names.add_strings(STRINGS)
    names.add_frames(frames((ADD, APP, 4, 0), (ADD, APP, 5, 1)))
    assert names.frames_read == 1
    names.add_sites(sites([1]))
    assert names.sites_read == 1
    assert dict(names.sites) == {}


def test_a_frame_whose_strings_were_not_read_yet_is_waited_for():
    names = Names()
    names.add_strings(STRINGS[:12])
    names.add_frames(frames((ADD, APP, 4, 1)))
    assert names.frames_read == 1
    names.add_strings(STRINGS[12:])
    names.add_frames(frames((ADD, APP, 4, 1))[1:])
    assert names.frames_read == 2


def test_what_was_handed_out_does_not_change_later():
    names = Names()
    names.add_strings(STRINGS)
    names.add_frames(frames((ADD, APP, 4, 1)))
    names.add_sites(sites([1]))
    before = names.sites
    names.add_sites(sites([1, 1])[1:])
    assert list(before) == [1]
    assert list(names.sites) == [1, 2]


def test_a_native_frame_without_a_name_shows_its_address():
    names = Names()
    names.add_strings(STRINGS)
    names.add_frames(np.array([(0, 0, 0, 0, 0), (0, 0, 0, 1, 0x7F00)], FRAME))
    names.add_sites(sites([1]))
    assert names.sites[1].frames[0].function == "0x7f00"


def test_native_code_that_was_inlined_is_a_frame_for_each_function():
    places = (
        Frame("", "/lib/x.so", 0, "/lib/x.so", "a reason"),
        Frame("outer", "/src/x.c", 9, "/lib/x.so"),
    )
    names = Names(lambda address: places if address == 0x7F00 else ())
    names.add_strings(STRINGS)
    names.add_frames(np.array([(0, 0, 0, 0, 0), (0, 0, 0, 1, 0x7F00), (ADD, APP, 4, 1, 0)], FRAME))
    names.add_sites(sites([1, 2]))
    assert names.sites[1].frames == (
        Frame("0x7f00", "/lib/x.so", 0, "/lib/x.so", "a reason"),
        places[1],
        Frame("add", "app.py", 4),
    )
    assert names.sites[1].lines()[0] == "x.so 0x7f00 (a reason)"


def test_a_damaged_length_makes_no_endless_name():
    names = Names()
    names.add_strings(bytes(8) + b"\xff\xff\xff\xff" + b"x" * 100_000)
    names.add_frames(frames((ADD, 0, 1, 1)))
    names.add_sites(sites([1]))
    assert len(names.sites[1].frames[0].function) == 4096


def test_bytes_that_are_no_text_become_replacement_characters():
    names = Names()
    names.add_strings(bytes(8) + b"\x02\0\0\0\xff\xfe")
    names.add_frames(frames((ADD, 0, 1, 1)))
    names.add_sites(sites([1]))
    assert names.sites[1].frames[0].function == "\ufffd\ufffd"
