"""The list of what takes Tensors says all there is, from the declarations themselves."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
from autodiff import primitive
from autodiff.listing import markdown
from autodiff.ops.constants import GROUPS
from autodiff.tensor import implementations, numpy_name

pytestmark = pytest.mark.usefixtures("fresh_registry")
FUNCTIONS = Path(__file__).parent.parent / "FUNCTIONS.md"


def rows():
    return {row["op"]: row for row in ad.supported()}


def test_a_row_says_how_a_function_is_called_where_it_lives_and_what_to_know_of_it():
    assert rows()["exp"] == {
        "op": "exp",
        "numpy": ["np.exp"],
        "room": "elementwise",
        "orders": "all",
        "summary": "e to the power x.",
        "note": "",
    }
    assert rows()["sqrt"]["note"] == "its slope at 0 is infinite."
    assert rows()["add"]["numpy"] == ["np.add", "np.add.reduce", "np.add.accumulate", "np.add.outer"]
    assert rows()["erf"]["numpy"] == ["scipy.special.erf"]
    assert {
        "relu",
        "gelu",
        "softmax",
        "cross_entropy",
        "nll_loss",
        "special.softmax",
        "conv2d",
    } <= rows().keys()


def test_every_function_that_takes_a_tensor_has_a_row_and_none_that_refuses():
    named = {name for row in rows().values() for name in row["numpy"]}
    for function, op in implementations.items():
        refuses = not getattr(op, "differentiable", True) and not hasattr(op, "orders")
        assert (numpy_name(function) in named) == (not refuses), function


def test_orders_are_zero_for_steps_none_for_places_and_all_for_the_rest():
    found = {name: row["orders"] for row in rows().values() for name in row["numpy"]}
    for orders, functions in GROUPS:
        assert {found[numpy_name(function)] for function in functions} == {orders}
    assert {found[name] for name in ("np.exp", "np.where", "np.linalg.inv", "np.add.outer")} == {"all"}
    assert found["np.less.outer"] == "none"


def test_every_row_has_a_name_of_its_own_a_room_and_a_summary():
    names = [row["op"] for row in ad.supported()]
    assert names == sorted(set(names))
    for row in ad.supported():
        if row["room"].startswith("tests."):  # an op that another test has declared
            continue
        assert row["summary"].endswith((".", ":")), row
        assert row["room"], row
        if not row["numpy"] and row["op"] != "getitem":
            assert "special." in row["op"] or hasattr(ad, row["op"]), row


def test_ones_own_op_is_listed_too():
    @primitive()
    def _mine(x, /):
        """Twice x; never thrice."""
        return x * 2, lambda g, y, x: 2 * g

    row = {
        "op": "mine",
        "numpy": [],
        "room": __name__,
        "orders": "all",
        "summary": "Twice x.",
        "note": "never thrice.",
    }
    assert row in ad.supported()


def test_every_public_function_of_tensors_has_a_row():
    """What among the public names returns a Tensor for a Tensor is listed."""
    t = ad.Tensor([[0.5, 0.25], [0.125, 0.75]])
    for name in ad.__all__:
        try:
            found = getattr(ad, name)(t)
        except (TypeError, ValueError):
            continue
        if isinstance(found, ad.Tensor) and name not in ("Tensor", "positive"):
            assert name in rows(), name


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="NumPy has some of the functions in the list since 2.2")
def test_the_list_in_the_project_is_the_one_that_is_generated():
    line = markdown.__doc__.strip().splitlines()[-1].strip()
    program = line.partition('"')[2].rpartition('"')[0]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == FUNCTIONS.read_text(encoding="utf-8"), (
        f"FUNCTIONS.md is stale; write it anew by {line}"
    )


def test_every_ufunc_of_numpy_for_real_numbers_takes_tensors_or_is_known_not_to():
    """What is left out is for integers, bits, dates and text, or has a derivative at no order that is of use."""
    left_out = {
        *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_count", "invert", "left_shift", "right_shift"),
        *("gcd", "lcm", "isnat", "nextafter"),
    }
    for name in dir(np):
        ufunc = getattr(np, name)
        if isinstance(ufunc, np.ufunc) and ufunc not in implementations:
            assert ufunc.__name__ in left_out, name
