"""What TopCalls Tools cost beside the bare libraries under them: `python -m benchmarks`."""
