"""From numbers to Monday's mail."""
