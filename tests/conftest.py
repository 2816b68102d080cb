"""What the tests share."""

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Before NumPy is imported: the arrays are small, and benchmarks compare on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.primitive import registry
from autodiff.tensor import implementations

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture
def rng():
    """Random numbers, the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture
def fresh_registry():
    """Lets a test declare ops: what it declared is gone afterwards."""
    before = dict(registry), dict(implementations), dict(vars(Tensor))
    yield registry
    registry.clear()
    registry.update(before[0])
    implementations.clear()
    implementations.update(before[1])
    for name, attribute in dict(vars(Tensor)).items():
        if name not in before[2]:
            delattr(Tensor, name)
        elif attribute is not before[2][name]:
            setattr(Tensor, name, before[2][name])


@pytest.fixture
def no_collector():
    """Runs a test with the garbage collector off, so that only reference counts free memory."""
    gc.freeze()  # what is there already need not be looked at
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def pytest_collection_modifyitems(items):
    """The notebooks come last: they run beside the other tests, and take as long as all of these."""
    items.sort(key=lambda item: item.path.name == "test_notebooks.py")


@pytest.fixture(scope="session", autouse=True)
def executed(request, tmp_path_factory):
    """Hands out by name where an executed notebook lies, alone in its folder.

    Those that are tested run one after the other from the start, beside the other tests.
    """
    runs = [item for item in request.session.items if item.name.startswith("test_a_notebook_runs")]
    if not runs:
        yield None
        return
    folder = tmp_path_factory.mktemp("notebooks")
    names = [run.callspec.params["name"] for run in runs]
    places = {name: folder / name / f"{name}.ipynb" for name in names}
    for place in places.values():
        place.parent.mkdir()
        shutil.copy(NOTEBOOKS / place.name, place)
    options = ["--inplace", "--allow-errors", "--timeout=240", "--kernel_name=python3"]
    program = [sys.executable, "-c", "from nbclient.cli import main; main()", *options, *places.values()]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(program, stdout=log, stderr=log)

    def result(name):
        assert process.wait() == 0, (folder / "log").read_text()
        return places[name]

    yield result
    process.terminate()
    process.wait()
