import pytest


def pytest_terminal_summary(terminalreporter):
    """Print the line that a test has left for the end with `record_property("summary", …)`."""
    reports = [one for kind in terminalreporter.stats.values() for one in kind]
    lines = [
        value
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == "summary" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("what the tests counted")
    for line in lines:
        terminalreporter.write_line(line)
