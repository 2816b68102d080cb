"""fit: the loop, its history, early stopping, checkpoints and what it refuses; predict and accuracy."""

import io
import json
import math
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from autodiff import Tensor, cross_entropy, detect_anomaly, no_grad
from autodiff.anomalies import AnomalyError
from autodiff.data import load_iris, minibatches
from autodiff.nn import MLP, Dropout, Linear, Module, Sequential
from autodiff.optim import SGD, Adam, AdamW, clip_grad_norm, cosine_decay, warmup
from autodiff.parameters import named_parameters
from autodiff.storage import load, save
from autodiff.training import accuracy, fit, predict

OPTIMIZERS = {
    "momentum": lambda p: SGD(p, 0.05, momentum=0.9, weight_decay=1e-3),
    "Adam, by a schedule": lambda p: Adam(p, warmup(cosine_decay(0.02, steps=40), steps=5)),
    "AdamW": lambda p: AdamW(p, 0.01),
}
new_optimizer = OPTIMIZERS["Adam, by a schedule"]


def flowers():
    """A training and a validation set of Iris flowers: 50 and 25."""
    features, labels, _ = load_iris()
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    return (scaled[::3], labels[::3]), (scaled[1::6], labels[1::6])


def network(seed=0):
    """A small network with dropout."""
    return MLP([4, 8, 3], np.random.default_rng(seed), dropout=0.2)


def squared(outputs, targets):
    """The mean squared error."""
    return ((outputs - targets) ** 2).mean()


def values(model):
    """The parameters as lists, which are equal if all bits are."""
    return {name: p.data.tolist() for name, p in named_parameters(model.parameters()).items()}


class Weight(Module):
    """w * x, for one number w."""

    def __init__(self, w):
        self.w = Tensor(w)

    def __call__(self, x, rng=None):
        return x * self.w


def fails_at(call, error=RuntimeError):
    """A cross-entropy whose call of this number raises instead."""
    calls = count(1)

    def loss(outputs, targets):
        if next(calls) == call:
            raise error("killed")
        return cross_entropy(outputs, targets)

    return loss


# -- the loop --------------------------------------------------------------------------------------------


def test_fit_is_the_loop_that_one_writes_by_hand():
    (inputs, targets), _ = flowers()
    by_hand, by_fit = network(), network()
    optimizer, rng, losses = new_optimizer(by_hand.parameters()), np.random.default_rng(1), []
    for _ in range(3):
        total = 0.0
        for x, y in minibatches(inputs, targets, batch_size=16, rng=rng):
            loss = cross_entropy(by_hand(x, rng=rng), y)
            optimizer.zero_grad()
            loss.backward()
            clip_grad_norm(by_hand.parameters(), 0.5)
            optimizer.step()
            total += len(x) * loss.item()
        losses.append(total / 50)
    history = fit(
        by_fit,
        cross_entropy,
        new_optimizer(by_fit.parameters()),
        (inputs, targets),
        epochs=3,
        batch_size=16,
        rng=np.random.default_rng(1),
        max_norm=0.5,
    )
    assert values(by_fit) == values(by_hand)
    assert history == {"loss": losses}


def test_one_seed_gives_the_same_bits_and_another_seed_others():
    train, validation = flowers()

    def trained(seed):
        rng = np.random.default_rng(seed)
        model = MLP([4, 8, 3], rng, dropout=0.2)
        optimizer = new_optimizer(model.parameters())
        history = fit(model, cross_entropy, optimizer, train, validation, epochs=3, rng=rng)
        return values(model), history

    assert trained(7) == trained(7)
    assert trained(7) != trained(8)


def test_the_loss_of_an_epoch_is_the_mean_over_rows_not_over_batches():
    # The outputs stay 0. Of the squares six are 1 and one is 64, 70 / 7 = 10 in the mean; the mean of the
    # means of batches of 3, 3 and 1 would be 8 or 22, by where the 64 falls.
    model = Weight(0.0)
    targets = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0])
    for seed in range(5):
        history = fit(
            model,
            squared,
            SGD(model.parameters(), lr=0),
            (np.ones(7), targets),
            epochs=1,
            batch_size=3,
            rng=np.random.default_rng(seed),
        )
        np.testing.assert_allclose(history["loss"], [10.0], rtol=1e-15)


def test_every_row_is_met_once_an_epoch_in_an_order_of_its_own():
    met = []

    class Watching(Weight):
        def __call__(self, x, rng=None):
            met.extend(x.tolist())
            return super().__call__(x)

    model = Watching(1.0)
    data = np.arange(10.0), np.zeros(10)
    rng = np.random.default_rng(0)
    fit(model, squared, SGD(model.parameters(), 1e-3), data, epochs=2, batch_size=4, rng=rng)
    first, second = met[:10], met[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert first != list(range(10))


def test_a_batch_may_be_larger_than_the_data():
    model = Weight(2.0)
    optimizer = SGD(model.parameters(), 0.25)
    history = fit(
        model,
        squared,
        optimizer,
        ([1.0, 1.0], [0.0, 0.0]),
        epochs=2,
        batch_size=99,
        rng=np.random.default_rng(0),
    )
    # w = 2, 1, 1/2: the slope of w**2 is 2 w, and half of it is taken off each time.
    assert history == {"loss": [4.0, 1.0]}
    assert model.w.data == 0.5


def test_no_epochs_change_nothing():
    model = network()
    before = values(model)
    train, validation = flowers()
    history = fit(
        model,
        cross_entropy,
        new_optimizer(model.parameters()),
        train,
        validation,
        epochs=0,
        rng=np.random.default_rng(0),
        metrics={"accuracy": accuracy},
        patience=2,
    )
    assert history == {"loss": [], "validation_loss": [], "accuracy": []}
    assert values(model) == before


def test_parameters_that_the_optimizer_does_not_hold_stay_as_they_are():
    train, _ = flowers()
    model = network()
    before = values(model)
    fit(model, cross_entropy, SGD(model[-1].parameters(), 0.1), train, epochs=1, rng=np.random.default_rng(0))
    after = values(model)
    assert {name for name in after if after[name] != before[name]} == {"3.weight", "3.bias"}


def test_gradients_are_clipped_to_max_norm():
    # The slope is 2 * 30, clipped to 3; the step is a quarter of it.
    model = Weight(30.0)
    fit(
        model,
        squared,
        SGD(model.parameters(), 0.25),
        (np.ones(1), np.zeros(1)),
        epochs=1,
        rng=np.random.default_rng(0),
        max_norm=3.0,
    )
    assert model.w.data == 29.25


def test_training_is_the_same_where_anomalies_and_warnings_would_raise():
    train, validation = flowers()
    results = []
    for block in (nullcontext(), detect_anomaly(), np.errstate(all="raise")):
        model = network()
        with block:
            fit(
                model,
                cross_entropy,
                new_optimizer(model.parameters()),
                train,
                validation,
                epochs=1,
                rng=np.random.default_rng(0),
            )
        results.append(values(model))
    assert results[0] == results[1] == results[2]


# -- validation ------------------------------------------------------------------------------------------


def test_validation_is_measured_after_each_epoch_on_all_rows_without_dropout():
    train, validation = flowers()
    model = network()
    optimizer = new_optimizer(model.parameters())
    seen = []

    def worst_row(outputs, targets):
        seen.append((type(outputs), outputs.shape, targets.shape))
        return np.max(cross_entropy(outputs, targets, reduction="none"))

    measure = {"worst": worst_row, "accuracy": accuracy}
    rng = np.random.default_rng(0)
    history = fit(
        model, cross_entropy, optimizer, train, validation, epochs=2, batch_size=4, rng=rng, metrics=measure
    )
    assert [*history] == ["loss", "validation_loss", "worst", "accuracy"]
    assert [len(numbers) for numbers in history.values()] == [2, 2, 2, 2]
    assert {type(number) for numbers in history.values() for number in numbers} == {float}
    assert seen == [(np.ndarray, (25, 3), (25,))] * 2
    with no_grad():
        outputs = model(validation[0])
    assert history["validation_loss"][-1] == cross_entropy(outputs, validation[1])
    assert history["worst"][-1] == max(
        cross_entropy(outputs[i : i + 1], validation[1][i : i + 1]) for i in range(25)
    )
    assert history["accuracy"][-1] == np.mean(outputs.argmax(axis=1) == validation[1])


def test_a_loss_may_use_the_parameters_themselves_and_validation_records_no_graph_of_it():
    model, kinds = Weight(3.0), []

    def with_penalty(outputs, targets):
        value = squared(outputs, targets) + 0.5 * model.w**2
        kinds.append(isinstance(value, Tensor))
        return value

    optimizer = SGD(model.parameters(), 0.5)
    data = np.zeros(2), np.zeros(2)
    history = fit(model, with_penalty, optimizer, data, data, epochs=1, rng=np.random.default_rng(0))
    assert history == {"loss": [4.5], "validation_loss": [1.125]}  # of w = 3, and of w = 1.5
    assert kinds == [True, False]


def test_validation_draws_nothing_from_the_generator():
    train, validation = flowers()
    results = []
    for held_out in (None, validation):
        model = network()
        optimizer = new_optimizer(model.parameters())
        fit(model, cross_entropy, optimizer, train, held_out, epochs=2, rng=np.random.default_rng(0))
        results.append(values(model))
    assert results[0] == results[1]


# w climbs by 1 in each epoch, and the validation loss is 0 at w = 3: losses 2, 1, 0, 1, 2, ...
CLIMB = (np.ones(4), np.zeros(4))
LOOK = (np.ones(2), np.ones(2))


def climbing(outputs, targets):
    """-w where targets are 0, abs(w - 3) where they are 1."""
    return np.abs(outputs - 3).mean() if targets.all() else -outputs.mean()


def climb(model, loss=climbing, **options):
    """A training of Weight with a known course: w is 1, 2, 3, ... after the epochs."""
    optimizer = SGD(model.parameters(), 1.0)
    return fit(model, loss, optimizer, CLIMB, LOOK, batch_size=4, rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize("beginning", [0.0, [0.0]])
def test_patience_ends_the_training_and_puts_the_best_parameters_back(beginning):
    model = Weight(beginning)
    history = climb(model, epochs=50, patience=2)
    assert history["validation_loss"] == [2.0, 1.0, 0.0, 1.0, 2.0]
    assert history["loss"] == [0.0, -1.0, -2.0, -3.0, -4.0]
    assert model.w.data == 3.0


def test_the_best_parameters_are_put_back_where_patience_lasts_too():
    model = Weight(0.0)
    history = climb(model, epochs=4, patience=10)
    assert len(history["loss"]) == 4
    assert model.w.data == 3.0


def test_without_patience_the_last_parameters_stay():
    model = Weight(0.0)
    assert len(climb(model, epochs=5)["loss"]) == 5
    assert model.w.data == 5.0


def test_an_equal_validation_loss_is_not_a_better_one():
    model = Weight(0.0)
    history = climb(model, lambda o, t: (o * 0 + 7.0).mean() if t.all() else -o.mean(), epochs=50, patience=3)
    assert history["validation_loss"] == [7.0] * 4
    assert model.w.data == 1.0


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_nan_validation_loss_is_worse_than_any_number():
    # w is 1, 2, 3, 4.
    model = Weight(0.0)
    history = climb(
        model, lambda o, t: np.sqrt(o - 2.0).mean() if t.all() else -o.mean(), epochs=50, patience=2
    )
    np.testing.assert_array_equal(history["validation_loss"], [math.nan, 0.0, 1.0, math.sqrt(2)])
    assert model.w.data == 2.0


# -- checkpoints -----------------------------------------------------------------------------------------


def whole_training(optimizer, path=None, *, seed=0, epochs=6, loss=cross_entropy, **options):
    """A training with all that has a state, and what came of it, down to the bit."""
    train, validation = flowers()
    model = network(seed)
    optimizer, rng = optimizer(model.parameters()), np.random.default_rng(seed)
    history = fit(
        model,
        loss,
        optimizer,
        train,
        validation,
        epochs=epochs,
        batch_size=16,
        rng=rng,
        metrics={"accuracy": accuracy},
        patience=3,
        checkpoint=path,
        **options,
    )
    state = {name: np.asarray(value).tolist() for name, value in named_parameters(optimizer.state()).items()}
    return values(model), state, history, rng.bit_generator.state


# Four batches and one validation make five calls of the loss in an epoch.
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_training_resumes_to_the_bit_as_if_never_interrupted(tmp_path, optimizer, suffix):
    path = tmp_path / f"run{suffix}"
    whole = whole_training(optimizer)
    with pytest.raises(RuntimeError, match="killed"):
        whole_training(optimizer, path, loss=fails_at(13))  # in the third epoch's third batch
    assert len(json.loads(load(path)["progress"])["history"]["loss"]) == 2
    # Another beginning, so that everything must come from the file.
    assert whole_training(optimizer, path, seed=99, resume=path) == whole


def test_a_checkpoint_may_be_resumed_after_every_epoch(tmp_path):
    whole = whole_training(new_optimizer)
    for epochs in range(1, 7):
        path = tmp_path / f"{epochs}.npz"
        whole_training(new_optimizer, path, epochs=epochs)
        assert whole_training(new_optimizer, seed=99, resume=path) == whole


def test_early_stopping_counts_across_an_interruption(tmp_path):
    path = tmp_path / "run.npz"
    climb(Weight(0.0), epochs=4, patience=2, checkpoint=path)
    model = Weight(-7.0)
    history = climb(model, epochs=50, patience=2, resume=path)
    assert history["validation_loss"] == [2.0, 1.0, 0.0, 1.0, 2.0]
    assert model.w.data == 3.0


def test_a_training_that_has_stopped_early_stays_stopped(tmp_path):
    path = tmp_path / "run.npz"
    first = climb(Weight(0.0), epochs=50, patience=2, checkpoint=path)
    model = Weight(-7.0)
    assert climb(model, epochs=50, patience=2, resume=path) == first
    assert model.w.data == 3.0


def test_a_finished_training_resumes_to_what_it_was(tmp_path):
    path = tmp_path / "run.npz"
    first = climb(Weight(0.0), epochs=2, checkpoint=path)
    model = Weight(-7.0)
    assert climb(model, epochs=2, resume=path) == first
    assert model.w.data == 2.0


def test_a_checkpoint_holds_parameters_that_load_reads(tmp_path):
    path = tmp_path / "run.npz"
    climb(Weight(0.0), epochs=5, patience=4, checkpoint=path)
    state = load(path)
    assert state["parameters"]["w"] == 5.0
    assert state["best"]["w"] == 3.0
    assert state["optimizer"]["steps"] == 5
    assert json.loads(state["progress"])["history"]["loss"] == [0.0, -1.0, -2.0, -3.0, -4.0]


@pytest.mark.parametrize(
    "bit_generator",
    [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64],
)
def test_every_bit_generator_resumes(tmp_path, bit_generator):
    path = tmp_path / "run.npz"

    def draw(seed, epochs, **options):
        model = Sequential(Dropout(0.5), Linear(4, 3, np.random.default_rng(0)))
        rng = np.random.Generator(bit_generator(seed))
        rng.integers(5, dtype=np.int32)  # leaves half of 64 bits for the next call
        train, _ = flowers()
        fit(model, cross_entropy, SGD(model.parameters(), 0.1), train, epochs=epochs, rng=rng, **options)
        return values(model), rng.random(3).tolist()

    draw(1, 1, checkpoint=path)
    assert draw(2, 2, resume=path) == draw(1, 2)


PROGRAM = """
import os, signal, sys
from itertools import count
from tests.test_training import fails_at, new_optimizer, whole_training

def kill(*args):
    os.kill(os.getpid(), signal.SIGKILL)

where, path = sys.argv[1:]
if where == "fsync":  # after the rehearsal's and two epochs' comes that of the third epoch
    calls, fsync = count(1), os.fsync
    os.fsync = lambda file: kill() if next(calls) == 4 else fsync(file)
whole_training(new_optimizer, path, loss=fails_at(13 if where == "loss" else None, kill))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("where", ["loss", "fsync"])
def test_a_killed_process_leaves_the_last_whole_checkpoint(tmp_path, where):
    path = tmp_path / "run.npz"
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, where, path],
        cwd=os.path.dirname(os.path.dirname(__file__)),
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(json.loads(load(path)["progress"])["history"]["loss"]) == 2
    assert whole_training(new_optimizer, path, seed=99, resume=path) == whole_training(new_optimizer)


def test_an_interrupt_leaves_a_model_that_can_be_used_and_a_whole_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    train, _ = flowers()
    model = network()
    optimizer = new_optimizer(model.parameters())
    rng = np.random.default_rng(0)
    with pytest.raises(KeyboardInterrupt):
        fit(model, fails_at(7, KeyboardInterrupt), optimizer, train, epochs=9, rng=rng, checkpoint=path)
    assert np.isfinite(predict(model, train[0])).all()
    # The same objects go on; the steps of the interrupted epoch are undone.
    again = fit(model, cross_entropy, optimizer, train, epochs=4, rng=rng, checkpoint=path, resume=path)
    other = network()
    optimizer = new_optimizer(other.parameters())
    whole = fit(other, cross_entropy, optimizer, train, epochs=4, rng=np.random.default_rng(0))
    assert (values(model), again) == (values(other), whole)


def test_a_checkpoint_that_cannot_be_written_fails_before_the_training(tmp_path):
    model = network()
    before = values(model)
    attempt = partial(
        fit,
        model,
        cross_entropy,
        new_optimizer(model.parameters()),
        flowers()[0],
        epochs=1,
        rng=np.random.default_rng(0),
    )
    with pytest.raises(ValueError, match=r"should end in \.npz or \.safetensors"):
        attempt(checkpoint=tmp_path / "run.pickle")
    with pytest.raises(ValueError, match=r"^save: 'run' should end in"):
        attempt(checkpoint=tmp_path / "run")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        attempt(checkpoint=tmp_path / "nowhere" / "run.npz")
    (tmp_path / "run.npz").mkdir()
    with pytest.raises(FileExistsError, match="is no file, but a folder"):
        attempt(checkpoint=tmp_path / "run.npz")
    assert values(model) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def test_a_training_that_fails_in_its_first_epoch_leaves_an_older_checkpoint_alone(tmp_path):
    path = tmp_path / "run.npz"
    climb(Weight(0.0), epochs=2, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        climb(Weight(0.0), lambda outputs, targets: 1 / 0, epochs=2, checkpoint=path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def resumed(model=Weight, optimizer=lambda p: SGD(p, 1.0), bits=np.random.PCG64, dtype=float, **options):
    """A resumption of a `climb` by something that may not fit, and what it left unchanged."""
    model = model(np.zeros((), dtype))
    optimizer, rng = optimizer(model.parameters()), np.random.Generator(bits(3))
    settings = {"validation": LOOK, "epochs": 9, **options}

    def state():
        return values(model), named_parameters(optimizer.state()), str(rng.bit_generator.state)

    before = state()
    with pytest.raises(ValueError, match="fit: cannot resume from") as caught:
        fit(model, climbing, optimizer, CLIMB, rng=rng, **settings)
    assert state() == before
    return str(caught.value)


class Other(Weight):
    """A Weight with a parameter more."""

    def __init__(self, w):
        self.w, self.b = Tensor(w), Tensor([0.0])


class Shaped(Weight):
    """A Weight of another shape."""

    def __init__(self, w):
        self.w = Tensor([0.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": Other}, "parameter 'b' is in the model alone"),
        (
            {"model": Shaped},
            r"parameter 'w' is float64 of shape \(\) in the file, and float64 of shape \(1,\)",
        ),
        ({"dtype": np.float32}, r"float64 of shape \(\) in the file, and float32 of shape \(\) in the model"),
        ({"optimizer": Adam}, "its optimizer is SGD, and here it is Adam"),
        ({"optimizer": lambda p: SGD(p, 1.0, momentum=0.9)}, r"the state lacks \['velocity\.w'\]"),
        ({"bits": np.random.Philox}, "its rng is PCG64, and here it is Philox"),
        ({"epochs": 1}, "2 epochs are done already, more than epochs=1"),
        ({"validation": None}, r"its history has \['loss', 'validation_loss'\], and here .* \['loss'\]"),
        (
            {"metrics": {"mean": lambda o, t: o.mean()}},
            r"here it would have \['loss', 'validation_loss', 'mean'\]",
        ),
        ({"patience": 3}, "it was written without patience"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_nothing_changes(tmp_path, options, message):
    path = tmp_path / "run.npz"
    climb(Weight(0.0), epochs=2, checkpoint=path)
    assert re.search(message, resumed(resume=path, **options))


def test_a_file_of_parameters_alone_is_no_checkpoint(tmp_path):
    path = save(tmp_path / "model.npz", Weight(0.0).parameters())
    assert "it holds no progress, so it is no checkpoint of fit" in resumed(resume=path)
    path = save(tmp_path / "model.npz", {"progress": np.ones(3)})  # no text
    assert "it holds no progress" in resumed(resume=path)


@pytest.mark.parametrize("part", ["parameters", "history", "rng"])
def test_a_checkpoint_without_one_of_its_parts_is_refused_by_name(tmp_path, part):
    path = tmp_path / "run.npz"
    climb(Weight(0.0), epochs=2, checkpoint=path)
    state = load(path)
    progress = json.loads(state["progress"])
    (state if part in state else progress).pop(part)
    save(path, {**state, "progress": json.dumps(progress)})
    assert f"it lacks '{part}'" in resumed(resume=path)


def test_a_checkpoint_that_is_missing_or_cut_short_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(FileNotFoundError, match=r"run\.npz"):
        climb(Weight(0.0), epochs=2, resume=path)
    climb(Weight(0.0), epochs=2, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"run\.npz"):
        climb(Weight(0.0), epochs=2, resume=path)


# -- the bar ---------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_on_a_terminal_a_bar_counts_the_epochs_and_shows_the_history(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    climb(Weight(0.0), epochs=3)
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert "training" in last
    assert "3/3" in last
    assert "loss=-2" in last
    assert "validation_loss=0" in last


def test_the_bar_of_a_resumed_training_starts_where_it_was(monkeypatch, tmp_path):
    climb(Weight(0.0), epochs=2, checkpoint=tmp_path / "run.npz")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    climb(Weight(0.0), epochs=3, resume=tmp_path / "run.npz")
    assert "2/3" in terminal.getvalue().partition("\r")[2].partition("\r")[0]


def test_in_a_notebook_the_bar_is_one_line_of_the_cell(monkeypatch, capfd):
    lines = []
    handle = SimpleNamespace(update=lambda shown, raw: lines.append(shown["text/plain"]))
    display = SimpleNamespace(display=lambda shown, raw, display_id: handle)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    climb(Weight(0.0), epochs=3)
    assert lines[-1].startswith("training: 100%")
    assert "3/3" in lines[-1]
    assert "loss=-2" in lines[-1]
    assert all(line and line == line.strip() for line in lines)
    assert capfd.readouterr() == ("", "")
    lines.clear()
    climb(Weight(0.0), epochs=3, progress=False)
    del shell.kernel  # IPython in a terminal
    climb(Weight(0.0), epochs=3)
    assert lines == []


def test_nothing_is_printed_where_nobody_looks(monkeypatch, capfd):
    climb(Weight(0.0), epochs=3)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    climb(Weight(0.0), epochs=3, progress=False)
    assert terminal.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", None)  # as under pythonw
    climb(Weight(0.0), epochs=3)
    assert capfd.readouterr() == ("", "")


# -- numbers that are not finite -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda w: np.log(1 - w), "the loss is nan; ad.find_nan says"),
        (lambda w: -np.log(2 - w), "the loss is inf; ad.find_nan says"),
        (lambda w: np.sqrt(2 - w), "1 of the 1 elements of the gradient of 'w' are .*; ad.find_nan"),
    ],
    ids=["NaN", "infinity", "gradient"],
)
def test_what_is_not_finite_stops_the_training_before_the_step(function, message):
    # w is 0, 1, 2 at the beginning of the first three epochs.
    def loss(outputs, targets):
        return (function(outputs) if outputs.data[0] == 2 else -outputs).mean()

    model = Weight(0.0)
    optimizer = SGD(model.parameters(), 1.0)
    with pytest.raises(FloatingPointError, match=f"^fit: epoch 3, batch 1: .*{message}"):
        fit(model, loss, optimizer, (np.ones(4), np.zeros(4)), epochs=9, rng=np.random.default_rng(0))
    assert model.w.data == 2.0
    assert optimizer.steps == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_inside_detect_anomaly_the_error_keeps_its_report_and_says_where_in_the_training():
    model = Weight(0.0)
    with detect_anomaly(), pytest.raises(AnomalyError, match="fit: epoch 1, batch 2") as caught:
        fit(
            model,
            lambda o, t: np.log(0.5 - o).mean(),
            SGD(model.parameters(), 9.0),
            (np.ones(4), np.zeros(4)),
            epochs=1,
            batch_size=2,
            rng=np.random.default_rng(0),
        )
    assert caught.value.report.first.op == "log"


def test_any_other_error_gets_a_note_of_where_in_the_training_it_was():
    model = Weight(0.0)
    with pytest.raises(ValueError, match="cannot reshape") as caught:
        fit(
            model,
            lambda o, t: o.reshape(3).mean(),
            SGD(model.parameters()),
            (np.ones(5), np.zeros(5)),
            epochs=1,
            batch_size=3,
            rng=np.random.default_rng(0),
        )
    assert caught.value.__notes__[-1] == "in epoch 1, batch 2 of fit, with inputs of shape (2,)"


@pytest.mark.parametrize("where", ["loss", "metric"])
def test_an_error_in_validation_gets_a_note_of_the_epoch_and_of_what_is_different_there(where):
    def on_tensors_alone(outputs, targets):
        return outputs.exp().mean()

    functions = {"loss": on_tensors_alone} if where == "loss" else {"metrics": {"m": on_tensors_alone}}
    with pytest.raises(AttributeError, match="no attribute 'exp'") as caught:
        climb(Weight(0.0), epochs=3, **functions)
    assert caught.value.__notes__ == [
        "in the validation after epoch 1 of fit, where ops return arrays: np.exp(y), not y.exp()"
    ]


# -- what is refused -------------------------------------------------------------------------------------

ROWS = np.ones(4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"train": (ROWS, ROWS[:3])}, ValueError, "train has 4 inputs and 3 targets"),
        ({"train": (ROWS[:0], ROWS[:0])}, ValueError, "train is empty"),
        ({"train": ROWS}, TypeError, r"train is \(inputs, targets\), two arrays, not ndarray"),
        (
            {"train": (ROWS, ROWS, ROWS)},
            TypeError,
            r"train is \(inputs, targets\), two arrays, not tuple of 3",
        ),
        ({"train": (ROWS, 1.0)}, ValueError, r"train has rows, and not shapes \(4,\) and \(\)"),
        ({"validation": (ROWS, ROWS[:3])}, ValueError, "validation has 4 inputs and 3 targets"),
        ({"validation": (ROWS[:0], ROWS[:0])}, ValueError, "validation is empty"),
        ({"epochs": -1}, ValueError, "epochs is -1; it must be a whole number, 0 or more"),
        ({"epochs": 2.5}, ValueError, "epochs is 2.5; it must be a whole number"),
        ({"epochs": None}, ValueError, "epochs is None; it must be a whole number"),
        ({"batch_size": None}, ValueError, "batch_size is None; it must be a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size is 0; it must be a whole number, 1 or more"),
        ({"patience": 0, "validation": (ROWS, ROWS)}, ValueError, "patience is 0; it must be .* 1 or more"),
        ({"patience": 3}, ValueError, r"patience needs a validation set: validation=\(inputs, targets\)"),
        ({"metrics": {"m": accuracy}}, ValueError, "metrics needs a validation set"),
        (
            {"metrics": [accuracy]},
            TypeError,
            r"metrics is \[<function .*; give a dict, as \{'accuracy': accuracy\}",
        ),
        ({"metrics": {"loss": accuracy}, "validation": (ROWS, ROWS)}, ValueError, "'loss' is taken"),
        (
            {"metrics": {"m": lambda o, t: o}, "validation": (ROWS, ROWS)},
            TypeError,
            "'m' should be one number",
        ),
        (
            {"metrics": {"m": lambda o, t: None}, "validation": (ROWS, ROWS)},
            TypeError,
            "'m' should be one number",
        ),
        ({"rng": 0}, TypeError, r"rng is 0; give a Generator, as np\.random\.default_rng\(0\)"),
        ({"rng": None}, TypeError, "rng is None; give a Generator"),
        ({"loss": lambda o, t: o - t}, ValueError, r"loss returned shape \(4,\); reduce it .* \.mean\(\)"),
        ({"loss": lambda o, t: 3.0}, TypeError, "loss returned float, no Tensor"),
        ({"loss": lambda o, t: squared(o.data, t)}, TypeError, "loss returned float64, no Tensor"),
        (
            {"loss": lambda o, t: Tensor(1.0)},
            ValueError,
            "the loss depends on none of the optimizer's parameters",
        ),
        (
            {"optimizer": SGD([Tensor(0.0)])},
            ValueError,
            "the optimizer's parameter '0' is none of the model's",
        ),
        ({"optimizer": SGD}, TypeError, r"the optimizer is <class .*; make one, as optim\.Adam\(model"),
        ({"model": lambda x, rng=None: x}, TypeError, r"the model, a function, has no parameters\(\)"),
    ],
)
def test_what_does_not_fit_is_refused(options, error, message):
    model = Weight(1.0)
    arguments = {
        "model": model,
        "loss": squared,
        "optimizer": SGD(model.parameters()),
        "train": (ROWS, ROWS),
        "epochs": 1,
        "rng": np.random.default_rng(0),
    }
    with pytest.raises(error, match=f"fit: {message}"):
        fit(**{**arguments, **options})


def test_max_norm_is_above_0():
    with pytest.raises(ValueError, match="max_norm is 0; it must be above 0"):
        climb(model := Weight(1.0), epochs=1, max_norm=0)
    assert model.w.data == 1.0


def test_fit_inside_no_grad_says_why_it_cannot_train():
    with no_grad(), pytest.raises(TypeError, match=r"no Tensor, .* outside of no_grad"):
        climb(Weight(1.0), epochs=1)


# -- predict and accuracy --------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 7, 50, 1000])
def test_predict_returns_an_array_of_all_rows_without_dropout(batch_size):
    (inputs, _), _ = flowers()
    model = network()
    outputs = predict(model, inputs, batch_size)
    assert type(outputs) is np.ndarray
    np.testing.assert_allclose(outputs, model(inputs).data, atol=1e-15)


def test_predict_of_no_rows_has_no_rows():
    assert predict(network(), np.zeros((0, 4))).shape == (0, 3)


def test_predict_takes_rows_of_any_shape_and_lists():
    assert predict(np.negative, [[1, 2], [3, 4], [5, 6]], batch_size=2).tolist() == [
        [-1, -2],
        [-3, -4],
        [-5, -6],
    ]


def test_what_predict_returns_is_the_callers_own():
    inputs = np.ones((3, 2))
    predict(lambda x: x, inputs)[:] = 0
    assert inputs.all()


def test_predict_refuses_a_number_and_a_batch_of_none():
    with pytest.raises(ValueError, match="predict: inputs has no rows"):
        predict(network(), 3.0)
    with pytest.raises(ValueError, match="batch_size is 0"):
        predict(network(), np.zeros((2, 4)), batch_size=0)


def test_accuracy_is_the_share_of_rows_that_are_right():
    logits = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.5, 0.0], [0.0, 0.0, 9.0]])
    assert accuracy(logits, np.array([0, 1, 2, 2])) == 0.75
    assert accuracy(Tensor(logits), [0, 1, 2, 2]) == 0.75
    assert accuracy(logits.reshape(2, 2, 3), np.array([[0, 1], [2, 2]])) == 0.75
    assert type(accuracy(logits, [0, 1, 2, 2])) is float


def test_a_row_with_a_nan_is_wrong():
    # argmax says the NaN's own place.
    assert accuracy(np.array([[math.nan, 1.0], [0.0, 1.0]]), [0, 1]) == 0.5


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (np.zeros((4, 3)), np.zeros((4, 1), int), r"shape \(4, 3\) do not fit targets of shape \(4, 1\)"),
        (np.zeros((4, 3)), np.zeros(3, int), "do not fit"),
        (np.zeros((4, 1)), np.zeros(4, int), r"two or more"),
        (np.zeros(()), np.zeros((), int), "do not fit"),
        (np.zeros((4, 3)), np.zeros(4), "targets are the numbers of classes, integers, not float64"),
        (np.zeros((0, 3)), np.zeros(0, int), "there are no rows"),
    ],
)
def test_accuracy_refuses_what_has_no_classes(logits, targets, message):
    with pytest.raises(ValueError, match=f"accuracy: .*{message}"):
        accuracy(logits, targets)
