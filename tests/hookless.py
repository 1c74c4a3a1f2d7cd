"""A fork as C programs do it, uWSGI for one: none of Python's hooks runs, in the parent or in the child."""

import ctypes


def fork():
    """Fork this process; return 0 in the child and the child's id in the parent."""
    return ctypes.PyDLL(None).fork()
