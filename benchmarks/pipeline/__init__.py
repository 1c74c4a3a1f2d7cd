"""What the pipeline takes and keeps: `python -m benchmarks.pipeline`."""
