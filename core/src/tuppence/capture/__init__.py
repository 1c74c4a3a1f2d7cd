"""From the application's call to the queue."""
