import io
import pdb
import sys

from steps import count, three_moments


def stopped():
    number = 41
    pdb.Pdb(
        stdin=io.StringIO("n\np number\nw\nc\n"), stdout=sys.stdout, nosigint=True, readrc=False
    ).set_trace()
    number += 1
    return number, count(1000)


three_moments(stopped)
