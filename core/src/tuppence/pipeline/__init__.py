"""From the queue to the store, and from events to numbers."""
