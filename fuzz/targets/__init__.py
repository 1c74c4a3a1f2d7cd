"""One file for each reader: `check` raises on a finding, `seeds` and `WORDS` are what fuzzing starts from."""
