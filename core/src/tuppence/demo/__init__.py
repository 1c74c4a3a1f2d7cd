"""A made-up shop's week, for a first look at the report without an application."""
