"""A fork as C programs do it, uWSGI for one: none of Python's hooks runs, in the parent or in the child."""

import ctypes
import sys
import time

_NEVER_S = 1000.0
_SETTLED_S = 0.02


def fork():
    """Fork this process; return 0 in the child and the child's id in the parent.

    It forks while no other thread asks for the interpreter. A child that inherits such a request hands the
    interpreter over, to a thread that it does not have, and waits for ever: only a hook of Python's would
    have taken the request back.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_NEVER_S)  # nobody asks from now on
    time.sleep(_SETTLED_S)  # and whoever has asked is served
    try:
        return ctypes.PyDLL(None).fork()
    finally:
        sys.setswitchinterval(interval)
