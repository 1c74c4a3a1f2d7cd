"""Files that a command writes are their owner's alone."""

import os
import stat
from pathlib import Path

import pytest

from tuppence.cli.app import COULD_NOT, DONE


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_report_is_written_for_its_owner_alone(tuppence, folder):
    (folder / "report.txt").write_text("an older and longer report" * 1_000)
    (folder / "report.txt").chmod(0o644)

    assert tuppence("report", "--output", "report.txt").status == DONE
    assert tuppence("report", "--output", "new.txt").status == DONE

    assert mode(folder / "report.txt") == mode(folder / "new.txt") == 0o600
    assert (folder / "report.txt").read_bytes() == (folder / "new.txt").read_bytes()


@pytest.mark.parametrize("how", [os.symlink, os.link])
def test_a_report_is_not_written_through_another_name_of_a_file(tuppence, folder, how):
    (folder / "letter").write_text("dear")
    how(folder / "letter", folder / "report.txt")

    result = tuppence("report", "--output", "report.txt")

    assert result.status == COULD_NOT
    assert "report.txt" in result.stderr
    assert "Name a file in a folder of your own." in result.stderr
    assert (folder / "letter").read_text() == "dear"


def test_a_report_goes_to_a_device_as_it_is(tuppence):
    assert tuppence("report", "--output", os.devnull).status == DONE
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_status_says_that_the_folder_of_journals_cannot_be_used(tuppence, folder):
    (folder / "journals").mkdir()
    (folder / "journals").chmod(0o777)

    result = tuppence("status")

    assert result.status == COULD_NOT
    assert "journals can be written by other users" in result.stdout
    assert "queue\t0 messages" in result.stdout
