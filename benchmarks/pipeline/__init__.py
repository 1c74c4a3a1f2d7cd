"""What the pipeline takes and keeps: `make bench BENCH=pipeline`."""
