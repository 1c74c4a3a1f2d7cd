"""What is lost, doubled or held up when something fails: each client through each fault, in its own process.

`scenarios` are the faults, `worker` is the process they happen to, `play` runs one and counts what arrived.
"""
