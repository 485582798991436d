"""Each test keeps its evidence in a folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_FOLDER = tmp_path
    return tmp_path / "evidence"
