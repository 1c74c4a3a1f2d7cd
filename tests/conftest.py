import os

import pytest

for _name in ("CI", "BUILD_NUMBER"):
    # pytest cuts nothing short where it finds them, which for the runs that tests start is slow and unlike
    # what the documentation shows
    os.environ.pop(_name, None)


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
