"""What capturing costs: each client in a process of its own, in its documented default mode.

`worker` is that process; `measure` runs it against a collector and counts what arrived; `figures` says what
is kept of a run.
"""
