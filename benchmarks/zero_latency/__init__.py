"""What recording adds to the time of an answer: `tuppence bench`, as users run it, on AWS's queue."""
