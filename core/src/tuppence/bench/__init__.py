"""`tuppence bench`: what recording adds to the time in which an application answers.

`measured` is a process with a small ASGI application in it, `backend` one that stands in for a queue and
fails as queues fail, `plugin` and `queue` the way there, and `compare` runs them all and does the sums.
"""
