"""The embedded provider: SQLite, this process, SMTP or files. It needs no account."""
