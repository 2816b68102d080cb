"""The backward pass as data: sums, Jacobians, masks and hooks of every step."""

import gc
import weakref

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor


def network(dtype=np.float64, form="composed"):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(5, 4)).astype(dtype)
    W, b = Tensor(rng.normal(size=(4, 6)).astype(dtype), "W"), Tensor(np.zeros(6, dtype), "b")
    V = Tensor(rng.normal(size=(6, 3)).astype(dtype), "V")
    with ad.scope("layer1"):
        h = np.tanh(X @ W + b)
    return ad.cross_entropy(h @ V, np.array([0, 1, 2, 0, 1]), form=form)


def vectors():
    a, b = Tensor([[1.0], [2.0]], "a"), Tensor([0.5, -1.0, 2.0], "b")
    c = a * b + a / (b + 3)
    return np.sum(c**2 * np.array([1.0, 2.0, 3.0]))


def softmax_of_sums():
    x = Tensor([[0.3, -1.0, 2.0], [1.0, 1.0, -2.0]], "x")
    y = ad.softmax(x.T, axis=0, form="naive")
    return np.sum(np.log(y[1:]) * np.max(x, axis=1)) + np.mean(np.einsum("ij,kj->ik", x, x))


def selected():
    x = Tensor([-1.0, 0.0, 2.0], "x")
    with np.errstate(all="ignore"):
        return np.sum(np.where(x.data > 0, np.log(np.maximum(x, 0.0) * 3), 0.0))


def square():
    x = Tensor(3.0, "x")
    return x * x


GRAPHS = [network, vectors, softmax_of_sums, selected, square]
graphs = pytest.mark.parametrize("graph", GRAPHS)


def edges_of(seen):
    return [(step, edge) for step in seen.steps for edge in step.edges]


# -- sums ------------------------------------------------------------------------------------------


@graphs
def test_contributions_sum_to_the_gradient(graph):
    seen = ad.trace(graph())
    for node in seen.nodes:
        parts = [edge.contribution for _, edge in edges_of(seen) if edge.parent == node.id]
        if parts:
            np.testing.assert_array_equal(sum(parts[1:], parts[0]), node.gradient)


@graphs
def test_running_sums_lead_from_the_first_contribution_to_the_complete_gradient(graph):
    seen = ad.trace(graph())
    running = {}
    for _, edge in edges_of(seen):
        got, before = running.get(edge.parent, (0, None))
        assert edge.got == got + 1 <= edge.needed
        if before is None:
            assert edge.before is None
            np.testing.assert_array_equal(edge.after, edge.contribution)
        else:
            np.testing.assert_array_equal(edge.before, before)
            np.testing.assert_array_equal(edge.after, before + edge.contribution)
        running[edge.parent] = edge.got, edge.after
    for step in seen.steps[1:]:
        got, total = running[step.node]
        np.testing.assert_array_equal(total, step.arriving)
        assert got == {edge.needed for _, edge in edges_of(seen) if edge.parent == step.node}.pop()


@graphs
def test_a_node_passes_on_only_when_all_its_contributions_are_in(graph):
    seen = ad.trace(graph())
    turn = {step.node: step.order for step in seen.steps}
    assert [step.order for step in seen.steps] == list(range(1, len(seen.steps) + 1))
    for step, edge in edges_of(seen):
        assert step.order < turn[edge.parent]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_gradients_are_those_of_backward_to_the_last_bit(dtype):
    loss = network(dtype, "fused")
    seen = ad.trace(loss)
    loss.backward()
    leaves = {leaf.name: leaf for leaf in leaves_of(loss)}
    assert set(leaves) == {"W", "b", "V"}
    for name, leaf in leaves.items():
        assert seen[name].gradient.dtype == leaf.grad.dtype == dtype
        np.testing.assert_array_equal(seen[name].gradient, leaf.grad)


def leaves_of(root):
    found, stack = set(), [root]
    while stack:
        node = stack.pop()
        stack += node.parents
        if not node.parents:
            found.add(node)
    return found


def test_a_square_has_two_edges_and_the_second_completes_it():
    (step, last) = ad.trace(square()).steps
    assert [(e.id, e.parent, float(e.contribution), float(e.after)) for e in step.edges] == [
        ("e2-0", "n1", 3.0, 3.0),
        ("e2-1", "n1", 3.0, 6.0),
    ]
    assert [(e.got, e.needed) for e in step.edges] == [(1, 2), (2, 2)]
    assert (last.node, float(last.arriving), last.edges) == ("n1", 6.0, ())


def test_a_seed_is_what_arrives_first():
    seen = ad.trace(Tensor([1.0, 2.0], "x") * 3.0, seed=[10.0, 20.0])
    assert seen.steps[0].arriving.tolist() == [10.0, 20.0]
    assert seen["x"].gradient.tolist() == [30.0, 60.0]


def test_what_a_rule_returned_is_kept_before_it_is_summed_over_repeated_axes():
    a, b = Tensor(np.ones((2, 3))), Tensor([1.0, 2.0, 3.0], "b")
    seen = ad.trace(np.sum(a * b))
    edge = next(edge for _, edge in edges_of(seen) if edge.parent == "n2")
    assert edge.returned.tolist() == [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    assert edge.contribution.tolist() == [2.0, 2.0, 2.0]


# -- Jacobians -------------------------------------------------------------------------------------


@graphs
def test_what_arrives_times_the_jacobian_is_the_contribution(graph):
    seen = ad.trace(graph())
    for step, edge in edges_of(seen):
        jacobian = seen.jacobian(step.node, edge.place)
        assert jacobian.shape == seen[step.node].shape + seen[edge.parent].shape
        arriving, rows = step.arriving.ravel(), jacobian.reshape(step.arriving.size, -1)
        if step.unselected is not None:  # nothing passes there, whatever the slope
            rows = rows[~step.unselected.ravel()]
            arriving = arriving[~step.unselected.ravel()]
        product = (arriving @ rows).reshape(edge.contribution.shape)
        np.testing.assert_allclose(product, edge.contribution, rtol=1e-12, atol=1e-14)


def test_a_jacobian_is_asked_for_by_place_or_by_the_declarations_name():
    seen = ad.trace((Tensor(6.0, "a") / Tensor(2.0, "b")).named("ratio"))
    assert float(seen.jacobian("ratio", 0)) == float(seen.jacobian("n3", "a")) == 0.5
    assert float(seen.jacobian("ratio", "b")) == -1.5


def test_a_jacobian_of_what_gets_no_gradient_is_refused():
    seen = ad.trace(Tensor(6.0, "a") / 2.0)
    with pytest.raises(ValueError, match="is a constant: no gradient passes"):
        seen.jacobian("n2", 1)
    with pytest.raises(ValueError, match=r"has no input 2; its inputs are: a, b"):
        seen.jacobian("n2", 2)
    with pytest.raises(ValueError, match="its inputs are: none"):
        seen.jacobian("a", 0)
    with pytest.raises(KeyError, match="'c'"):
        seen.jacobian("c", 0)


def test_a_jacobian_is_that_of_the_values_traced():
    x = Tensor([1.0, 2.0], "x")
    seen = ad.trace(np.sum(x * x))
    x.data *= 100.0
    assert seen.jacobian("n2", 0).tolist() == [[1.0, 0.0], [0.0, 2.0]]


# -- hooks, selections, kept gradients -------------------------------------------------------------


def test_a_hooks_replacement_is_what_arrives_and_the_sum_is_kept_beside_it():
    x = Tensor(3.0, "x")
    y = (x * x).named("y")
    y.register_hook(lambda g: g * 10)
    seen = ad.trace(y * 2.0)
    step = next(step for step in seen.steps if step.node == "n2")
    assert (float(step.summed), float(step.arriving)) == (2.0, 20.0)
    assert float(seen["x"].gradient) == 120.0


def test_a_hook_at_a_leaf_is_in_its_gradient():
    x = Tensor(3.0, "x")
    x.register_hook(lambda g: -g)
    assert float(ad.trace(x * x)["x"].gradient) == -6.0


def test_what_a_selection_left_out_is_marked_and_passes_nothing():
    x = Tensor([0.0, 2.0], "x")
    with np.errstate(divide="ignore"):
        loss = np.sum(np.where(x.data > 0, np.log(x), 0.0))
    seen = ad.trace(loss)
    step = next(step for step in seen.steps if seen[step.node].op == "log")
    assert step.unselected.tolist() == [True, False]
    assert step.edges[0].contribution.tolist() == [0.0, 0.5]
    assert seen.jacobian(step.node, 0)[0, 0] == np.inf


def test_tracing_touches_no_grad_and_keeps_no_interior_one():
    x = Tensor([1.0, 2.0])
    y = (x * x).retain_grad()
    loss = y.sum()
    ad.trace(loss)
    assert x.grad is None
    assert y.grad is None
    loss.backward()
    ad.trace(loss)
    assert x.grad.tolist() == [2.0, 4.0]
    assert y.grad.tolist() == [1.0, 1.0]


# -- as data ---------------------------------------------------------------------------------------


@graphs
def test_two_traces_of_one_computation_are_equal(graph):
    loss = graph()
    assert ad.trace(loss) == ad.trace(loss)
    assert ad.trace(loss) == ad.trace(graph())


def test_traces_of_different_numbers_are_not_equal():
    assert ad.trace(Tensor(3.0) * 2.0) != ad.trace(Tensor(3.5) * 2.0)
    assert ad.trace(Tensor(3.0) * 2.0) != ad.trace(Tensor(3.0, "x") * 2.0)
    assert ad.trace(Tensor(3.0) * 2.0) != "a trace"


def test_a_nan_equals_itself_in_a_trace():
    x = Tensor([np.nan, 1.0])
    assert ad.trace(np.sum(x * x)) == ad.trace(np.sum(x * x))


def test_values_are_read_only_copies():
    x = Tensor([1.0, 2.0], "x")
    seen = ad.trace(np.sum(x * 3.0))
    x.data -= 10.0
    assert seen["x"].data.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        seen.steps[0].edges[0].after[...] = 0.0


def test_a_trace_does_not_keep_the_graph_alive(no_collector):
    loss = network()
    dead = weakref.ref(loss)
    seen = ad.trace(loss)
    del loss
    assert dead() is None
    assert seen.jacobian(seen.root.id, 0).shape == seen[seen.root.parents[0]].shape
    gc.collect()


def test_a_root_without_a_seed_has_values_and_no_steps():
    seen = ad.trace(Tensor([1.0, 2.0]) * 3.0)
    assert seen.steps == ()
    assert "no scalar, so gradients need trace(..., seed=array)" in seen.note


def test_names_come_from_a_dict():
    x = Tensor(1.0)
    assert ad.trace(x * 2.0, names={"x": x})["x"].id == "n1"


def test_a_chain_of_5000_ops_is_traced_step_by_step():
    y = x = Tensor(0.5, "x")
    for _ in range(5000):
        y = np.sin(y)
    seen = ad.trace(y)
    assert len(seen.steps) == len(seen.nodes) == 5001
    y.backward()
    assert seen["x"].gradient == x.grad
    assert seen == ad.trace(y)


def test_a_trace_is_told_in_a_line_however_large_it_is():
    x = ad.Tensor(np.arange(1000.0))
    assert repr(ad.trace((x * x).sum())) == "<Trace of 3 nodes and 3 steps; they are in .nodes and .steps>"
    assert repr(ad.trace(ad.Tensor(1.0))) == "<Trace of 1 node and 1 step; they are in .nodes and .steps>"
