"""How long an import takes, and the whole command."""

import os
import subprocess
import sys
from statistics import median
from time import perf_counter

PROGRAM = """
from time import perf_counter
import numpy
start = perf_counter()
import autodiff
print(perf_counter() - start)
"""


def test_an_import_takes_under_50_ms_beyond_numpys_own(tmp_path):
    # As after an installation: compiled before, which the first run sees to whatever the environment says.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    seconds = []
    for _ in range(12):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment
        )
        seconds.append(float(done.stdout))
    del seconds[0]
    print(f"\nimport autodiff: {1000 * median(seconds):.0f} ms beyond NumPy's own, median of {len(seconds)}")
    assert median(seconds) < 0.050


def test_the_command_takes_under_6_seconds(tmp_path):
    start = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "autodiff", "--out", str(tmp_path)], stdout=subprocess.DEVNULL, check=True
    )
    seconds = perf_counter() - start
    print(f"\npython -m autodiff: {seconds:.1f} s")
    assert seconds < 6
