"""Prints what was measured side by side, after pytest-benchmark's own table."""

from .peers import lines


def pytest_terminal_summary(terminalreporter):
    if lines:
        terminalreporter.section("side by side: medians, and the medians of the rounds' ratios")
        for line in lines:
            terminalreporter.write_line(line)
