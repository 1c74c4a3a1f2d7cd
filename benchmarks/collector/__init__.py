"""What the clients send to: a process of its own that takes every event, and fails in the ways backends fail.

It keeps requests as they came and reads them only when the run is over, so that it is nobody's bottleneck.
"""
