"""What `tuppence doctor` is told of each part on Google Cloud: a file for each, loaded when it asks."""
