"""A program over bdkpython for any Python from 3.8 on that knows nothing of the inspector,
stepped by lines on stdin as ``stepping`` does.

``outside_steps.py FOLDER``: the package lies in FOLDER. Nothing of the project is imported.
"""

import copy
import ctypes
import functools
import json
import os
import sys
import threading

sys.path.insert(0, sys.argv[1])

import bdkpython

KEPT = []
"""What the program holds."""
THREADS = []
QUIET = threading.Event()
SAVING, LET_GO = threading.Event(), threading.Event()
DONE = [0]
"""Work that threads did."""


class Derived(bdkpython.Mnemonic):
    """The program's own class."""


class Wide(bdkpython.Mnemonic):
    """Its instances have more attributes than values kept in them have room for."""

    def __init__(self, count):
        super().__init__(count)
        for number in range(60):
            setattr(self, "x%d" % number, number)


class Persist(bdkpython.Persistence):
    """A Python object that Rust holds."""

    def initialize(self):
        return bdkpython.ChangeSet()

    def persist(self, changeset):
        pass


def words():
    return bdkpython.WordCount.WORDS12


def make(count):
    KEPT.extend(bdkpython.Mnemonic(words()) for _ in range(int(count)))


def derive(count):
    KEPT.extend(Derived(words()) for _ in range(int(count)))


def widen(count):
    KEPT.extend(Wide(words()) for _ in range(int(count)))


def look_into(_):
    """Ask for the attributes of all as a dict, which makes some versions keep them elsewhere."""
    return sum(len(vars(each)) for each in KEPT)


def hold(count):
    """Objects of Rust that hold Python objects."""
    KEPT.extend(bdkpython.Persister.custom(Persist()) for _ in range(int(count)))


def share(_):
    KEPT.append(type(KEPT[0])._uniffi_make_instance(KEPT[0]._uniffi_clone_handle()))


def leak(count):
    for _ in range(int(count)):
        KEPT[0]._uniffi_clone_handle()


def duplicate(_):
    KEPT.append(copy.copy(KEPT[0]))


def disarm(_):
    """Keep the duplicate from releasing a reference that it does not own."""
    KEPT[-1]._handle = None


def wrap(way):
    """Set a function over a class's finaliser, which it names (``openly``) or hides."""
    below = bdkpython.Mnemonic.__del__

    def __del__(proxy):  # noqa: N807 - it stands in the place of one
        below(proxy)

    if way == "openly":
        __del__ = functools.wraps(below)(__del__)
    bdkpython.Mnemonic.__del__ = __del__


def pass_by(count):
    """Make and drop many: remains of them stay in memory."""
    for _ in range(int(count)):
        bdkpython.Mnemonic(words())


def drop(count):
    del KEPT[-int(count) :]


def handles(_):
    return [each._handle for each in KEPT]


def start(work, threads):
    QUIET.clear()

    def run():
        while not QUIET.is_set():
            work()
            DONE[0] += 1

    for number in range(int(threads)):
        THREADS.append(threading.Thread(target=run, name="worker-%d" % number))
        THREADS[-1].start()


def churn(threads):
    """Threads that make and drop objects all the time."""
    start(lambda: bdkpython.Amount.from_sat(5).to_sat(), threads)


def calls(threads):
    """Threads that call methods of the first object all the time."""
    start(lambda: str(KEPT[0]), threads)


def await_call(_):
    """A call of native code that waits for a Python call, which never ends; the line of its
    wait."""
    import asyncio

    import nostr_sdk

    entered = threading.Event()

    async def get_public_key_async(signer):
        loop = asyncio.get_running_loop()
        loop.call_soon(entered.set)  # runs when this waits
        await loop.create_future()

    signer = type(
        "Signer", (nostr_sdk.AsyncNostrSigner,), {"get_public_key_async": get_public_key_async}
    )()
    KEPT.append(nostr_sdk.EventBuilder(nostr_sdk.Kind(1), "x"))

    async def call():
        await KEPT[-1].finalize_async(signer)

    threading.Thread(target=asyncio.run, args=(call(),), name="loop", daemon=True).start()
    assert entered.wait(60)
    return get_public_key_async.__code__.co_firstlineno + 3


def wallet(_):
    """A wallet with something to save, and a store in which saving does not end until
    ``let_go``."""
    words_ = bdkpython.Mnemonic.from_string("abandon " * 11 + "about")
    key = bdkpython.DescriptorSecretKey(bdkpython.NetworkKind.TEST, words_, None)
    kinds = (bdkpython.KeychainKind.EXTERNAL, bdkpython.KeychainKind.INTERNAL)
    descriptors = [
        bdkpython.Descriptor.new_bip84(key, kind, bdkpython.NetworkKind.TEST) for kind in kinds
    ]
    store = bdkpython.Persister.custom(Slow())
    KEPT.extend([store, bdkpython.Wallet(*descriptors, bdkpython.Network.REGTEST, store)])
    KEPT[-1].reveal_next_address(kinds[0])


class Slow(Persist):
    """Saves when it is released."""

    def persist(self, changeset):
        if THREADS:  # it is also called while the wallet is made
            SAVING.set()
            LET_GO.wait()


def save_on(wallet, store):
    wallet.persist(store)


def save(name):
    """A thread of that name that saves the wallet; the line on which it does so."""
    THREADS.append(threading.Thread(target=save_on, args=(KEPT[-1], KEPT[-2]), name=name))
    THREADS[-1].start()
    SAVING.wait()
    return save_on.__code__.co_firstlineno + 1


def let_go(_):
    LET_GO.set()
    quiet(_)


def release_and_wait(_):
    """A thread drops the last object: its finaliser has released the reference, and ends at
    ``let_go``."""
    library, name = bdkpython.bdk._UniffiLib, "uniffi_bdkffi_fn_free_mnemonic"
    free, released = getattr(library, name), threading.Event()

    def release(*words):
        free(*words)
        released.set()
        LET_GO.wait()

    setattr(library, name, release)
    THREADS.append(threading.Thread(target=KEPT.pop))
    THREADS[-1].start()
    released.wait()
    setattr(library, name, free)


def grow(_):
    """A thread that makes objects which are never dropped."""
    start(lambda: QUIET.wait(0.02) or make("1"), 1)


def quiet(_):
    QUIET.set()
    while THREADS:
        THREADS.pop().join()
    return DONE[0]


def done(_):
    return DONE[0]


def hold_the_lock(_):
    """Never release the interpreter's lock again."""
    print("hold_the_lock", flush=True)
    ctypes.PyDLL(None).pause()


STEPS = (
    make,
    derive,
    widen,
    look_into,
    hold,
    share,
    leak,
    duplicate,
    disarm,
    wrap,
    pass_by,
    drop,
    handles,
    churn,
    calls,
    await_call,
    wallet,
    save,
    let_go,
    release_and_wait,
    grow,
    quiet,
    done,
    hold_the_lock,
)


def main():
    steps = {step.__name__: step for step in STEPS}
    print("ready %s" % json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        name, _, argument = line.strip().partition(" ")
        answer = steps[name](argument)
        print(name if answer is None else "%s %s" % (name, json.dumps(answer)), flush=True)


main()
