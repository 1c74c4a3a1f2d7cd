"""Queue and store of tuppence on Redis."""
