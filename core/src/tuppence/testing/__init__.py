"""Contract tests that any driver can be held to."""
