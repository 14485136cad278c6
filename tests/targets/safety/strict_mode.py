"""In the development mode, with all warnings as errors and a hook for all acts of the
interpreter."""

import gc
import sys

from steps import count, three_moments

FORBIDDEN = ("subprocess.Popen", "os.fork", "os.system", "urllib.Request")
refused = []


def hook(event, arguments):
    if event in FORBIDDEN:
        refused.append(event)
        raise RuntimeError(event)


sys.addaudithook(hook)
three_moments(lambda: (count(), gc.collect() >= 0, refused))
