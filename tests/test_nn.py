"""Modules hold parameters, layers compute what their formulas say, and what does not fit is said by name."""

import copy
import pickle
from abc import ABC, abstractmethod
from functools import partial

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.parameters import named_parameters, nested

FLOAT32 = {"dtype": np.float32}


class Tagger(nn.Module):
    """Modules in an attribute, a list and a dict, a weight tied to another, a Module in two places, and no-parameters."""

    def __init__(self, rng):
        self.embedding = nn.Embedding(5, 3, rng)
        self.blocks = [nn.Linear(3, 3, rng), nn.Linear(3, 3, rng, bias=False)]
        self.heads = {"tag": nn.Sequential(np.tanh, nn.Linear(3, 2, rng)), "dropout": nn.Dropout(0.5)}
        self.out = self.embedding.weight
        self.again = self.blocks[0]
        self.scale = ad.Tensor(2.0)
        self.positions = np.arange(3.0)
        self.words = ["a", "b"]
        self.activation = np.tanh
        self._own_affair = 3

    def __call__(self, x, rng=None):
        x = self.embedding(x) + self.positions
        for block in self.blocks:
            x = self.activation(block(x, rng=rng))
        x = self.again(self.heads["dropout"](x, rng=rng))
        return self.heads["tag"](x, rng=rng).sum() + self.scale * (x @ self.out.T).sum()


NAMES = [
    "embedding.weight",
    "blocks.0.weight",
    "blocks.0.bias",
    "blocks.1.weight",
    "heads.tag.1.weight",
    "heads.tag.1.bias",
    "scale",
]


@pytest.fixture
def tagger(rng):
    return Tagger(rng)


def values_of(module):
    """A Module's parameters as arrays of the test's own."""
    return {name: np.array(parameter.data) for name, parameter in module.named_parameters().items()}


def check_layer(layer, *inputs):
    """Raise unless a layer's gradients, by its parameters and its inputs, agree with numbers, to the second order."""
    arrays = {name: parameter.data for name, parameter in layer.named_parameters().items()}
    ad.check_grads(lambda p, *x: layer.with_parameters(p)(*x), nested(arrays), *inputs)


# -- parameters ------------------------------------------------------------------------------------------


def test_parameters_are_found_in_attributes_lists_and_dicts_once_in_the_order_of_assignment(tagger):
    assert list(tagger.named_parameters()) == NAMES


def test_parameters_come_nested_without_empty_dicts(rng):
    model = nn.Sequential(nn.Flatten(), nn.Sequential(np.tanh, nn.Dropout(0.1)), nn.Linear(4, 3, rng))
    assert model.parameters() == {"2": {"weight": model[2].weight, "bias": model[2].bias}}
    assert nn.Sequential(np.tanh, nn.Flatten()).parameters() == {}


def test_a_parameter_is_named_by_its_place_in_the_outermost_module(tagger):
    assert {name: parameter.name for name, parameter in tagger.named_parameters().items()} == {
        name: name for name in NAMES
    }
    assert nn.Linear(2, 3, np.random.default_rng(0)).weight.name == "weight"


def test_a_slice_leaves_the_names_as_they_were(rng):
    model = nn.MLP([2, 3, 4], rng)
    part = model[2:]
    assert type(part) is nn.Sequential
    assert part[0] is model[2]
    assert part[0].weight.name == "2.weight"


def test_an_array_in_place_of_a_tensor_is_frozen(rng):
    model = nn.MLP([2, 3, 1], rng)
    model[0].weight = model[0].weight.data
    assert list(model.named_parameters()) == ["0.bias", "2.weight", "2.bias"]
    model(np.ones((1, 2))).sum().backward()
    assert model[0].bias.grad is not None


def test_a_computed_tensor_is_refused_as_a_parameter_when_the_module_is_made():
    class Scaled(nn.Module):
        def __init__(self):
            self.inner = [0.1 * ad.Tensor([1.0])]

    with pytest.raises(TypeError, match=r"Scaled\.inner\.0 is computed \(op multiply\).*Tensor\(t\.data\)"):
        Scaled()


def test_a_computed_tensor_is_no_parameter_under_a_name_of_the_modules_own(rng):
    class Remembering(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2, rng)
            self._scale = ad.Tensor(1.0)

        def __call__(self, x, rng=None):
            self._last = self.layer(x)
            return self._scale * self._last

    model = Remembering()
    model(np.ones((1, 2)))
    assert list(model.named_parameters()) == ["layer.weight", "layer.bias", "_scale"]


def test_modules_that_point_at_each_other_have_their_parameters_once(rng):
    class Child(nn.Module):
        def __init__(self, parent):
            self.parent = parent
            self.layer = nn.Linear(1, 1, rng)

    class Parent(nn.Module):
        def __init__(self):
            self.child = Child(self)

    parent = Parent()
    assert list(parent.named_parameters()) == ["child.layer.weight", "child.layer.bias"]
    twin = parent.with_parameters(parent.parameters())
    assert twin.child.parent is twin


@pytest.mark.parametrize("key", [3, "", "a.b"])
def test_a_dict_of_modules_has_keys_that_can_be_names(rng, key):
    class Heads(nn.Module):
        def __init__(self):
            self.heads = {key: nn.Linear(1, 1, rng)}

    with pytest.raises(ValueError, match="dots join the keys"):
        Heads()


def test_a_module_without_a_call_says_how_to_define_one():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty: define __call__\(self, x, rng=None\)"):
        Empty()(1.0)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("train", r"; a call with a generator is one for training: model\(x, rng=rng\)"),
        ("eval", r"; a call without a generator is none for training: model\(x\)"),
        ("state_dict", r"; model\.parameters\(\) has the parameters, autodiff\.storage\.save"),
    ],
)
def test_what_other_libraries_models_have_is_said_to_be_elsewhere(rng, name, hint):
    with pytest.raises(AttributeError, match=f"^Linear has no attribute '{name}'{hint}"):
        getattr(nn.Linear(2, 3, rng), name)


def test_a_module_may_be_abstract(rng):
    class Encoder(nn.Module, ABC):
        @abstractmethod
        def encode(self, x): ...

    class Affine(Encoder):
        def __init__(self):
            self.affine = nn.Linear(2, 3, rng)

        def encode(self, x):
            return self.affine(x)

    with pytest.raises(TypeError, match="abstract class Encoder"):
        Encoder()
    assert [p.name for p in Affine().named_parameters().values()] == ["affine.weight", "affine.bias"]


def test_an_attribute_error_within_a_property_is_the_one_that_is_seen():
    class Half(nn.Module):
        @property
        def half(self):
            return self.whole / 2

    with pytest.raises(AttributeError, match="'Half' object has no attribute 'whole'"):
        print(Half().half)


def test_a_tensor_of_the_class_is_refused_where_it_would_be_no_parameter():
    with pytest.raises(TypeError, match=r"^Scale: factor belongs to the class, .* self\.factor = Tensor"):

        class Scale(nn.Module):
            factor = ad.Tensor(2.0)


def test_slots_are_refused_where_they_would_hide_parameters():
    with pytest.raises(TypeError, match=r"^Scale: parameters are looked for in __dict__"):

        class Scale(nn.Module):
            __slots__ = ("factor",)


# -- with other parameters ---------------------------------------------------------------------------------


def test_with_parameters_leaves_the_model_untouched(tagger):
    before, attributes = values_of(tagger), dict(vars(tagger))
    twin = tagger.with_parameters(nested({name: value + 1 for name, value in before.items()}))
    assert vars(tagger) == attributes
    for name, value in values_of(tagger).items():
        np.testing.assert_array_equal(value, before[name])
        np.testing.assert_array_equal(twin.named_parameters()[name], before[name] + 1)
    twin.scale = twin.blocks[0].bias = None
    twin.heads["tag"] = None
    assert list(tagger.named_parameters()) == NAMES


def test_with_the_models_own_values_as_arrays_it_computes_the_same_without_a_graph(tagger):
    twin = tagger.with_parameters(nested(values_of(tagger)))
    y = twin([0, 4, 4])
    assert not isinstance(y, ad.Tensor)
    assert y == tagger([0, 4, 4]).data


def test_a_twin_ties_what_the_model_ties_and_shares_what_has_no_parameters(tagger):
    twin = tagger.with_parameters(nested(values_of(tagger)))
    assert twin.out is twin.embedding.weight
    assert twin.again is twin.blocks[0]
    assert twin.again is not tagger.again
    assert twin.words is tagger.words
    assert twin.positions is tagger.positions


@pytest.mark.parametrize("of", [np.asarray, ad.Tensor, lambda value: 2 * ad.Tensor(value)])
def test_a_twin_has_parameters_of_the_same_names_whatever_it_was_handed(tagger, of):
    twin = tagger.with_parameters(nested({name: of(value) for name, value in values_of(tagger).items()}))
    assert list(twin.named_parameters()) == NAMES
    assert repr(twin) == repr(tagger)
    again = twin.with_parameters(twin.parameters())
    assert list(again.named_parameters()) == NAMES
    assert str(again([1, 2])) == str(twin([1, 2]))


def test_one_array_for_two_parameters_stays_two_parameters(rng):
    model = nn.Sequential(nn.LayerNorm(2), nn.LayerNorm(2))
    ones = np.ones(2)
    twin = model.with_parameters({str(i): {"weight": ones, "bias": ones} for i in range(2)})
    assert list(twin.named_parameters()) == list(model.named_parameters())


def test_parameters_may_come_in_lists_of_the_same_names(rng):
    model = nn.Sequential(nn.Linear(2, 1, rng, bias=False), nn.Linear(1, 1, rng, bias=False))
    twin = model.with_parameters([{"weight": np.ones((2, 1))}, {"weight": np.ones((1, 1))}])
    assert twin(np.array([[1.0, 2.0]])).tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0": {"weight": np.ones((2, 3))}}, r"'0\.bias' is missing; '2\.weight' is missing; '2\.bias' is"),
        ({"1": {"weight": np.ones(1)}}, r"'1\.weight' is not one of its parameters"),
        (
            {"0": {"weight": np.ones((3, 2)), "bias": np.ones(3)}},
            r"'0\.weight' has shape \(3, 2\), not \(2, 3\)",
        ),
        ({"0": {"weight": np.ones((2, 3)), "bias": 0.0}}, r"'0\.bias' has shape \(\), not \(3,\)"),
    ],
)
def test_names_and_shapes_that_do_not_fit_are_named(rng, change, message):
    model = nn.MLP([2, 3, 1], rng)
    parameters = model.parameters() | change if "bias" in str(change) or "1" in change else change
    with pytest.raises(ValueError, match=rf"these do not fit MLP: .*{message}"):
        model.with_parameters(parameters)


def test_many_complaints_are_cut_short(tagger):
    with pytest.raises(ValueError, match=r"is missing; and 5 more$"):
        tagger.with_parameters({"nonsense": 1.0})


def test_a_model_is_no_nest_of_parameters(rng):
    model = nn.Linear(2, 1, rng)
    with pytest.raises(TypeError, match=r"takes nested dicts, as parameters\(\) gives, not Linear"):
        model.with_parameters(model)


# -- functional training -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("of", "digits"), [("arrays", 0), ("Tensors", 1e-13)])
def test_the_functional_gradient_is_that_of_backward(rng, of, digits):
    model = nn.MLP([4, 5, 3], rng, activation=np.tanh)
    x, targets = rng.normal(size=(6, 4)), [0, 1, 2, 2, 1, 0]
    ad.cross_entropy(model(x), targets).backward()
    parameters = nested(values_of(model)) if of == "arrays" else model.parameters()
    gradients = ad.grad(lambda p: ad.cross_entropy(model.with_parameters(p)(x), targets))(parameters)
    for name, gradient in named_parameters(gradients).items():
        # By Tensors the gradients have a graph of their own, whose sums go in another order.
        found = gradient if of == "arrays" else gradient.data
        expected = model.named_parameters()[name].grad
        np.testing.assert_allclose(found, expected, rtol=digits, atol=digits, err_msg=name)


def test_a_penalty_on_a_twins_own_parameters_has_its_gradient(rng):
    model = nn.MLP([2, 3, 1], rng)

    def penalty(p):
        return sum((w * w).sum() for w in model.with_parameters(p).named_parameters().values())

    for parameters in (model.parameters(), nested(values_of(model))):
        gradients = named_parameters(ad.grad(penalty)(parameters))
        for name, parameter in model.named_parameters().items():
            assert gradients[name].tolist() == (2 * parameter.data).tolist()


def test_hessian_and_hvp_go_through_with_parameters(rng):
    model = nn.Linear(2, 1, rng)
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    arrays = {"weight": model.weight.data, "bias": model.bias.data}

    def loss(p):
        y = model.with_parameters(p)(x)
        return 0.5 * (y * y).sum()

    # Half the squared sum of x @ w + b has the Hessian x.T @ x by w, and the columns' sums by w and b.
    hessian = ad.hessian(loss)(arrays)
    assert hessian["weight"]["weight"].reshape(2, 2).tolist() == [[10.0, -1.0], [-1.0, 5.0]]
    assert hessian["weight"]["bias"].ravel().tolist() == [4.0, 1.0]
    assert hessian["bias"]["bias"].tolist() == [[2.0]]
    product = ad.hvp(loss, arrays, {"weight": np.array([[1.0], [0.0]]), "bias": np.array([1.0])})
    assert product["weight"].tolist() == [[14.0], [0.0]]
    assert product["bias"].tolist() == [6.0]


# -- copies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_computes_the_same_with_parameters_of_its_own(tagger, copied):
    tagger([1, 2]).backward()
    other = copied(tagger)
    assert other([0, 3]).data == tagger([0, 3]).data
    assert other.out is other.embedding.weight
    assert repr(other) == repr(tagger)
    for name, parameter in other.named_parameters().items():
        assert parameter is not tagger.named_parameters()[name]
        assert parameter.name == name
        np.testing.assert_array_equal(parameter.grad, tagger.named_parameters()[name].grad)
    other.scale.data = 0.0
    assert tagger.scale.item() == 2.0


def test_a_deep_copy_of_a_twin_keeps_its_parameters(tagger):
    twin = copy.deepcopy(tagger.with_parameters(nested(values_of(tagger))))
    assert list(twin.named_parameters()) == NAMES


# -- how a Module prints ---------------------------------------------------------------------------------------


def test_a_module_prints_its_children_their_shapes_and_numbers(tagger):
    assert repr(tagger).splitlines() == [
        "Tagger(out=embedding.weight, scale=(), positions=constant (3,), activation=tanh)  45 parameters, float64",
        "├─ embedding: Embedding(weight=(5, 3))  15 parameters",
        "├─ blocks.0: Linear(weight=(3, 3), bias=(3,))  12 parameters",
        "├─ blocks.1: Linear(weight=(3, 3))  9 parameters",
        "├─ heads.tag: Sequential  8 parameters",
        "│  ├─ 0: tanh",
        "│  └─ 1: Linear(weight=(3, 2), bias=(2,))  8 parameters",
        "├─ heads.dropout: Dropout(p=0.5)",
        "└─ again: Linear, the same as blocks.0",
    ]


@pytest.mark.parametrize("of", [ad.Tensor, np.asarray])
def test_parameters_in_a_list_are_printed_whatever_they_are(of):
    class Powers(nn.Module):
        def __init__(self):
            self.factors = [ad.Tensor(1.0), ad.Tensor([2.0, 3.0])]
            self.ignored = [1.0, "word", np.tanh, np.ones(3)]

    twin = Powers().with_parameters({"factors": [of(1.0), of([2.0, 3.0])]})
    assert repr(twin) == "Powers(factors.0=(), factors.1=(2,))  3 parameters, float64"


def test_options_functions_and_dtypes_are_printed(rng):
    model = nn.Sequential(
        nn.Conv2d(1, 8, (3, 2), rng, padding="same", **FLOAT32),
        nn.MaxPool2d(2),
        nn.AvgPool2d((2, 1), stride=1, padding=1),
        nn.Flatten(),
        partial(ad.softmax, axis=0),
        nn.LayerNorm(1000),
    )
    assert repr(model).splitlines() == [
        "Sequential  2,056 parameters, float32, float64",
        "├─ 0: Conv2d(weight=(8, 1, 3, 2), bias=(8,), stride=1, padding='same')  56 parameters",
        "├─ 1: MaxPool2d(kernel_size=2, padding=0, stride=2)",
        "├─ 2: AvgPool2d(kernel_size=(2, 1), padding=1, stride=1)",
        "├─ 3: Flatten",
        "├─ 4: softmax",
        "└─ 5: LayerNorm(weight=(1000,), bias=(1000,), eps=1e-05)  2,000 parameters",
    ]


# -- layers: values and gradients -------------------------------------------------------------------------------


def test_a_linear_layer_is_x_times_weight_plus_bias(rng):
    layer = nn.Linear(2, 3, rng)
    twin = layer.with_parameters(
        {"weight": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "bias": np.array([0.5, 0, 0])}
    )
    assert twin(np.array([[1.0, 10.0]])).tolist() == [[41.5, 52.0, 63.0]]
    assert twin([1, 10]).tolist() == [41.5, 52.0, 63.0]


@pytest.mark.parametrize("shape", [(2,), (5, 2), (3, 5, 2), (0, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layers_gradients_are_right_for_any_number_of_axes(rng, shape, bias):
    check_layer(nn.Linear(2, 3, rng, bias=bias), rng.normal(size=shape))


def test_an_embedding_takes_rows_and_repeated_ones_add_their_gradients(rng):
    layer = nn.Embedding(4, 2, rng)
    y = layer([[3, 0], [3, 3]])
    assert y.shape == (2, 2, 2)
    np.testing.assert_array_equal(y.data[0, 0], layer.weight.data[3])
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0], [3, 3]]
    ad.check_grads(lambda w: layer.with_parameters({"weight": w})([[3, 0], [3, 3]]), layer.weight.data)


@pytest.mark.parametrize(
    ("indices", "shape"),
    [(2, (3,)), ([], (0, 3)), (np.uint8([1, 2]), (2, 3)), (np.zeros((2, 0), int), (2, 0, 3))],
)
def test_an_embedding_takes_integers_of_any_shape_and_dtype(rng, indices, shape):
    assert nn.Embedding(4, 3, rng)(indices).shape == shape


@pytest.mark.parametrize("number", [4, -1, 100])
def test_an_embedding_refuses_a_number_out_of_range(rng, number):
    with pytest.raises(
        IndexError, match=rf"Embedding: {number} is not one of the 4 rows of 'weight'.*0 to 3"
    ):
        nn.Embedding(4, 3, rng)([[0, number]])


@pytest.mark.parametrize(
    ("indices", "what"), [([0.0, 1.0], "float64"), ([True, False], "bool"), (ad.Tensor([1.0]), "a Tensor")]
)
def test_an_embedding_refuses_what_is_no_integer(rng, indices, what):
    with pytest.raises(TypeError, match=f"Embedding: takes an array of integers, not {what}"):
        nn.Embedding(4, 3, rng)(indices)


def test_a_layer_norm_gives_each_row_mean_0_and_variance_1_before_weight_and_bias():
    # The row 1, 2, 3 has the mean 2 and the variance 2/3: (1 - 2) / sqrt(2/3) is -sqrt(3/2).
    layer = nn.LayerNorm(3, eps=1e-12)
    y = layer(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])).data
    root = 1.5**0.5
    np.testing.assert_allclose(y, [[-root, 0, root], [-root, 0, root]], rtol=1e-11, atol=1e-15)
    twin = layer.with_parameters({"weight": np.array([1.0, 2.0, 3.0]), "bias": np.array([0.0, 1.0, 2.0])})
    np.testing.assert_allclose(twin(np.array([1.0, 2.0, 3.0])), [-root, 1, 3 * root + 2], rtol=1e-11)


def test_a_layer_norms_eps_stands_under_the_root():
    # mean 0, variance 1, eps 3: each number is halved.
    assert nn.LayerNorm(2, eps=3.0)(np.array([-1.0, 1.0])).tolist() == [-0.5, 0.5]


def test_a_layer_norms_gradients_are_right_also_on_a_constant_row(rng):
    check_layer(nn.LayerNorm(4), rng.normal(size=(3, 4)))
    check_layer(nn.LayerNorm(4, eps=0.1), np.full((2, 4), 7.0))


IMAGE = np.arange(12.0).reshape(1, 1, 3, 4)


@pytest.mark.parametrize("size", [1e-3, 1.0, 300.0, 2e4])
def test_a_layer_norm_of_float16_is_that_of_the_same_numbers_in_float64(rng, size):
    narrow, wide = nn.LayerNorm(16, dtype=np.float16), nn.LayerNorm(16)
    x = ad.Tensor((size * rng.standard_normal((4, 16))).astype(np.float16))
    seed = rng.standard_normal((4, 16)).astype(np.float16)
    same = ad.Tensor(x.data.astype(np.float64))
    y = narrow(x)
    y.backward(seed)
    wide(same).backward(seed.astype(np.float64))
    assert y.dtype == x.grad.dtype == np.float16
    np.testing.assert_allclose(y.data, wide(same.data).data, rtol=2**-10, atol=2**-10)
    np.testing.assert_allclose(x.grad, same.grad, rtol=2**-9, atol=2**-9 * abs(same.grad).max())


def test_a_convolution_is_the_one_computed_by_hand(rng):
    # The image 0 1 2 3 / 4 5 6 7 / 8 9 10 11 with the kernel 1 2 / 3 4: 0 + 2 + 12 + 20 is 34, and so on; and 100.
    layer = nn.Conv2d(1, 2, 2, rng)
    kernels = np.array([[[[1.0, 2.0], [3.0, 4.0]]], [[[0.0, 0.0], [0.0, 1.0]]]])
    twin = layer.with_parameters({"weight": kernels, "bias": np.array([100.0, 0.0])})
    assert twin(IMAGE).tolist() == [
        [[[134.0, 144.0, 154.0], [174.0, 184.0, 194.0]], [[5.0, 6.0, 7.0], [9.0, 10.0, 11.0]]]
    ]


def test_a_convolution_steps_by_its_stride_and_pads_with_zeros(rng):
    layer = nn.Conv2d(1, 1, 2, rng, stride=(1, 2), padding=(1, 0), bias=False)
    twin = layer.with_parameters({"weight": np.array([[[[1.0, 2.0], [3.0, 4.0]]]])})
    assert twin(IMAGE)[0, 0].tolist() == [[4.0, 18.0], [34.0, 54.0], [74.0, 94.0], [26.0, 32.0]]


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"padding": "same"}, {"bias": False}])
def test_a_convolutions_gradients_are_right(rng, options):
    check_layer(nn.Conv2d(2, 3, (2, 3), rng, **options), rng.normal(size=(2, 2, 4, 5)))


def test_pools_are_those_computed_by_hand():
    assert nn.MaxPool2d((3, 2))(IMAGE)[0, 0].tolist() == [[9.0, 11.0]]
    assert nn.AvgPool2d((3, 2))(IMAGE)[0, 0].tolist() == [[4.5, 6.5]]
    assert nn.MaxPool2d(2, stride=1)(IMAGE)[0, 0].tolist() == [[5.0, 6.0, 7.0], [9.0, 10.0, 11.0]]
    assert nn.AvgPool2d(2, padding=1)(IMAGE)[0, 0].tolist() == [[0.0, 0.75, 0.75], [3.0, 7.5, 4.5]]


@pytest.mark.parametrize("layer", [nn.MaxPool2d(2), nn.AvgPool2d(2, stride=1, padding=1), nn.Flatten()])
def test_layers_without_parameters_have_the_right_gradients(rng, layer):
    ad.check_grads(layer, rng.normal(size=(2, 2, 4, 5)))


@pytest.mark.parametrize(
    ("shape", "flat"), [((5, 2, 3), (5, 6)), ((5,), (5, 1)), ((0, 2, 3), (0, 6)), ((2, 0), (2, 0))]
)
def test_flatten_keeps_the_batch(shape, flat):
    assert nn.Flatten()(np.zeros(shape)).shape == flat


def test_the_whole_of_a_network_has_the_right_gradients(rng):
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, rng, padding=1),
        np.tanh,
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LayerNorm(8),
        nn.MLP([8, 4, 3], rng, activation=ad.gelu, init=nn.glorot_uniform),
    )
    check_layer(model, rng.normal(size=(2, 1, 4, 4)))


# -- dropout ---------------------------------------------------------------------------------------------------


def test_without_a_generator_there_is_no_dropout():
    x = ad.Tensor(np.ones(5))
    assert nn.Dropout(0.9)(x) is x


def test_dropout_keeps_the_expectation(rng):
    # 90,000 draws of 0 or 1 / 0.7: the mean's standard deviation is sqrt(0.3 / 0.7 / 90,000), 0.0022.
    y = nn.Dropout(0.3)(np.ones((300, 300)), rng=rng)
    assert abs(y.mean() - 1) < 4 * 0.0022
    assert abs((y == 0).mean() - 0.3) < 4 * 0.0016
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7])


def test_what_dropout_sets_to_0_gets_no_gradient_and_what_it_scales_gets_a_scaled_one(rng):
    x = ad.Tensor(np.ones(50))
    y = nn.Dropout(0.5)(x, rng=rng)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)
    assert set(x.grad) == {0.0, 2.0}


def test_dropout_with_p_0_keeps_all_and_with_p_1_nothing(rng):
    x = np.arange(1.0, 9.0)
    np.testing.assert_array_equal(nn.Dropout(0)(x, rng=rng), x)
    np.testing.assert_array_equal(nn.Dropout(1)(x, rng=rng), np.zeros(8))


def test_a_models_call_hands_the_generator_to_every_dropout(rng):
    model = nn.MLP([3, 50, 50, 2], rng, dropout=0.5)
    x = rng.normal(size=(4, 3))
    trained = [model(x, rng=np.random.default_rng(seed)).data for seed in (1, 1, 2)]
    np.testing.assert_array_equal(trained[0], trained[1])
    assert not np.array_equal(trained[0], trained[2])
    np.testing.assert_array_equal(model(x).data, model(x).data)
    assert not np.array_equal(trained[0], model(x).data)


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan"), "0.5", None])
def test_a_probability_is_from_0_to_1(p):
    with pytest.raises(ValueError, match=r"Dropout: p is a probability, from 0 to 1, not"):
        nn.Dropout(p)


# -- Sequential and MLP ------------------------------------------------------------------------------------------


def test_a_sequential_is_the_composition_of_its_layers(rng):
    first, last = nn.Linear(2, 3, rng), nn.Linear(3, 1, rng)
    x = rng.normal(size=(4, 2))
    np.testing.assert_array_equal(nn.Sequential(first, np.tanh, last)(x).data, last(np.tanh(first(x))).data)
    assert nn.Sequential()(x) is x


def test_a_sequential_is_counted_indexed_and_iterated_as_a_list(rng):
    layers = [nn.Flatten(), np.tanh, *[nn.Linear(2, 2, rng) for _ in range(10)]]
    model = nn.Sequential(*layers)
    assert len(model) == 12
    assert list(model) == layers
    assert model[-1] is layers[11]
    assert list(model[1::5]) == layers[1::5]
    with pytest.raises(IndexError):
        model[12]


def test_an_mlp_is_linear_layers_with_activations_and_dropouts_between_them(rng):
    model = nn.MLP([4, 10, 5, 3], rng, activation=np.tanh, dropout=0.25)
    assert [type(layer).__name__ for layer in model] == [
        *["Linear", "ufunc", "Dropout"] * 2,
        "Linear",
    ]
    assert [model[place].weight.shape for place in (0, 3, 6)] == [(4, 10), (10, 5), (5, 3)]
    assert model[2].p == 0.25
    assert model[2] is not model[5]
    assert len(nn.MLP([4, 3], rng)) == 1
    assert nn.MLP((2, 2, 2), rng)[1] is ad.relu


def test_one_layer_in_two_places_appears_once_and_gets_both_gradients(rng):
    layer = nn.Linear(2, 2, rng, bias=False)
    model = nn.Sequential(layer, np.tanh, layer)
    assert list(model.named_parameters()) == ["0.weight"]
    x = rng.normal(size=(3, 2))
    model(x).sum().backward()
    by_hand = ad.grad(lambda w: (np.tanh(x @ w) @ w).sum())(np.array(layer.weight.data))
    np.testing.assert_allclose(layer.weight.grad, by_hand, rtol=1e-14)
    check_layer(model, x)


# -- beginnings ----------------------------------------------------------------------------------------------------

# Glorot and Bengio 2010 (formulas 12 and 16) and He et al. 2015 (formula 10), for 6 inputs and 10 outputs; and for
# kernels 8 x 3 x 5 x 5, which have a fan-in of 75 and a fan-out of 200.
SPREADS = [
    (nn.glorot_normal, (6, 10), (2 / 16) ** 0.5),
    (nn.he_normal, (6, 10), (2 / 6) ** 0.5),
    (nn.glorot_normal, (8, 3, 5, 5), (2 / 275) ** 0.5),
    (nn.he_normal, (8, 3, 5, 5), (2 / 75) ** 0.5),
    (nn.normal, (6, 10), 1.0),
    (partial(nn.normal, std=0.02), (6, 10), 0.02),
]
BOUNDS = [
    (nn.glorot_uniform, (6, 10), (6 / 16) ** 0.5),
    (nn.he_uniform, (6, 10), 1.0),
    (nn.glorot_uniform, (8, 3, 5, 5), (6 / 275) ** 0.5),
    (nn.he_uniform, (8, 3, 5, 5), (6 / 75) ** 0.5),
]


def draws(init, shape, rng):
    """Some 100,000 numbers as `init` draws them."""
    return np.concatenate([init(shape, rng).ravel() for _ in range(100_000 // np.prod(shape))])


@pytest.mark.parametrize(("init", "shape", "std"), SPREADS)
def test_normal_beginnings_have_mean_0_and_the_standard_deviation_of_their_formula(rng, init, shape, std):
    numbers = draws(init, shape, rng)
    assert abs(numbers.mean()) < 4 * std / len(numbers) ** 0.5
    assert abs(numbers.std() / std - 1) < 4 / (2 * len(numbers)) ** 0.5
    # A normal distribution has the kurtosis 3, give or take sqrt(24 / n).
    assert abs(np.mean((numbers / std) ** 4) - 3) < 0.1


@pytest.mark.parametrize(("init", "shape", "bound"), BOUNDS)
def test_uniform_beginnings_fill_the_interval_of_their_formula(rng, init, shape, bound):
    numbers = draws(init, shape, rng)
    assert 0.999 * bound < numbers.max() < bound
    assert 0.999 * bound < -numbers.min() < bound
    assert abs(numbers.std() / (bound / 3**0.5) - 1) < 0.01


@pytest.mark.parametrize(
    "init", [nn.normal, nn.zeros, nn.glorot_uniform, nn.glorot_normal, nn.he_uniform, nn.he_normal]
)
@pytest.mark.parametrize("dtype", [float, np.float32, np.float16])
def test_beginnings_have_the_dtype_asked_for_and_the_numbers_of_the_seed(init, dtype):
    array = init((3, 4), np.random.default_rng(7), dtype)
    assert array.dtype == dtype
    assert array.shape == (3, 4)
    np.testing.assert_array_equal(array, init((3, 4), np.random.default_rng(7)).astype(dtype))


def test_zeros_are_zeros():
    assert nn.zeros((2, 2)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("init", [nn.glorot_uniform, nn.glorot_normal, nn.he_uniform, nn.he_normal])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (0, 3)])
def test_a_shape_without_a_fan_in_is_refused_with_the_way_out(rng, init, shape):
    with pytest.raises(
        ValueError, match=rf"^{init.__name__}: weights are \(in, out\) or out x in.*partial\(normal, std"
    ):
        init(shape, rng)


def test_the_same_seed_gives_the_same_bits():
    def build(seed):
        rng = np.random.default_rng(seed)
        return nn.Sequential(nn.Embedding(5, 4, rng), nn.MLP([4, 6, 2], rng), nn.LayerNorm(2))

    one, other, third = (values_of(build(seed)) for seed in (3, 3, 4))
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)
    assert one["1.0.weight"].tobytes() != third["1.0.weight"].tobytes()


def test_nothing_draws_from_numpys_global_state():
    before = np.random.get_state()  # noqa: NPY002  # to see that nobody uses it
    model = nn.MLP([4, 5, 3], np.random.default_rng(0), dropout=0.5)
    model(np.ones((2, 4)), rng=np.random.default_rng(0))
    after = np.random.get_state()  # noqa: NPY002
    assert before[2] == after[2]
    np.testing.assert_array_equal(before[1], after[1])


def test_biases_begin_with_0_and_weights_as_the_initialiser_says(rng):
    layer = nn.Linear(3, 4, rng, init=lambda shape, rng, dtype: np.full(shape, 2.0))
    assert layer.weight.data.tolist() == [[2.0] * 4] * 3
    assert layer.bias.data.tolist() == [0.0] * 4
    assert not nn.Conv2d(1, 2, 3, rng, init=nn.zeros).weight.data.any()


# -- dtypes ----------------------------------------------------------------------------------------------------------


def test_a_float32_model_stays_float32_forward_and_backward(rng):
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, rng, padding=1, **FLOAT32),
        ad.gelu,
        nn.MaxPool2d(2),
        nn.AvgPool2d(1),
        nn.Flatten(),
        nn.LayerNorm(8, **FLOAT32),
        nn.Dropout(0.3),
        nn.MLP([8, 4, 3], rng, dropout=0.2, **FLOAT32),
    )
    y = model(rng.normal(size=(2, 1, 4, 4)).astype(np.float32), rng=rng)
    assert y.dtype == np.float32
    ad.cross_entropy(y, [0, 2]).backward()
    assert {p.dtype for p in model.named_parameters().values()} == {np.dtype(np.float32)}
    assert {p.grad.dtype for p in model.named_parameters().values()} == {np.dtype(np.float32)}


def test_an_embedding_has_the_dtype_of_its_weight(rng):
    assert nn.Embedding(3, 2, rng, **FLOAT32)([0, 1]).dtype == np.float32


# -- pictures --------------------------------------------------------------------------------------------------------


def test_a_picture_shows_layers_as_scopes_and_parameters_by_name(rng):
    model = nn.MLP([2, 3, 2], rng)
    loss = ad.cross_entropy(model(rng.normal(size=(4, 2))), [0, 1, 1, 0]).named("loss")
    nodes = ad.trace(loss).nodes
    assert [node.name for node in nodes if node.kind == "parameter"] == list(model.named_parameters())
    assert {node.op: node.scope.name for node in nodes if node.scope and node.kind == "interior"} == {
        "matmul": "2: Linear",
        "add": "2: Linear",
        "relu": "1: relu",
    }
    source = ad.draw(loss).source
    for words in ("0: Linear", "1: relu", "2: Linear", "0.weight", "2.bias"):
        assert words in source


def test_a_layer_folds_into_one_card(rng):
    model = nn.MLP([2, 3, 2], rng)
    loss = ad.cross_entropy(model(rng.normal(size=(4, 2))), [0, 1, 1, 0]).named("loss")
    text = str(ad.tree(loss, collapse=["0: Linear", "2: Linear"]))
    assert "0: Linear: scope of 2 ops" in text
    assert "2: Linear: scope of 2 ops" in text
    assert "matmul" not in text


# -- what does not fit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        (partial(nn.Linear, 4, 3), np.ones((5, 3)), r"Linear: x of shape \(5, 3\) does not fit '1\.weight' of shape \(4, 3\); x is \(\.\.\., 4\)"),
        (partial(nn.Linear, 4, 3), 1.0, r"Linear: x of shape \(\) does not fit '1\.weight'"),
        (partial(nn.Conv2d, 3, 8, 3), np.ones((1, 1, 5, 5)), r"Conv2d: x of shape .* does not fit '1\.weight' .* x is batch x 3 channels"),
        (partial(nn.Conv2d, 1, 8, 3), np.ones((1, 5, 5)), r"Conv2d: x of shape \(1, 5, 5\) does not fit '1\.weight'"),
        (lambda rng: nn.LayerNorm(4), np.ones((5, 3)), r"LayerNorm: x of shape \(5, 3\) does not fit '1\.weight'"),
        (lambda rng: nn.LayerNorm(1), 3.0, r"LayerNorm: x of shape \(\) does not fit '1\.weight'"),
        (lambda rng: nn.MaxPool2d(0), IMAGE, r"kernel_size is an integer from 1 on"),
        (lambda rng: nn.Flatten(), 3.0, r"Flatten: x is \(batch, \.\.\.\)"),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit_is_refused_by_the_layers_name(rng, layer, x, message):
    model = nn.Sequential(lambda x: x, layer(rng))
    with pytest.raises(ValueError, match=message) as refusal:
        model(x)
    assert refusal.value.__notes__ == [f"in layer 1: {type(model[1]).__name__} of Sequential"]


def test_an_error_of_a_plain_function_names_the_layers_it_came_through(rng):
    model = nn.Sequential(nn.Linear(2, 3, rng), nn.Sequential(np.tanh, np.linalg.inv))
    with pytest.raises(np.linalg.LinAlgError) as refusal:
        model(np.ones((5, 2)))
    assert refusal.value.__notes__ == [
        "in layer 1: inv of Sequential",
        "in layer 1: Sequential of Sequential",
    ]


@pytest.mark.parametrize(
    "make",
    [
        partial(nn.Linear, 2, 3),
        partial(nn.Embedding, 2, 3),
        partial(nn.Conv2d, 2, 3, 1),
        partial(nn.MLP, [2, 3]),
        partial(nn.normal, (2, 3)),
        partial(nn.he_uniform, (2, 3)),
        partial(nn.he_normal, (2, 3)),
        partial(nn.glorot_uniform, (2, 3)),
        partial(nn.glorot_normal, (2, 3)),
        lambda rng: nn.Dropout(0.5)(np.ones(3), rng=rng),
    ],
)
@pytest.mark.parametrize(("seed", "shown"), [(42, 42), ("abc", 0), (np.random, 0)])
def test_a_seed_is_no_generator(make, seed, shown):
    with pytest.raises(
        TypeError, match=rf"rng is a numpy\.random\.Generator, not .*np\.random\.default_rng\({shown}\)"
    ):
        make(seed)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([np.tanh, 3], "layer 1 is 3, neither a Module nor a function"),
        ([None], "layer 0 is None, neither"),
        ([[np.tanh]], r"layer 0 is \[.*one by one: Sequential\(\*layers\)"),
        ([nn.Flatten], r"layer 0 is the class Flatten; make a layer of it: Flatten\(\.\.\.\)"),
    ],
)
def test_a_layer_that_is_no_function_is_refused(layers, message):
    with pytest.raises(TypeError, match=f"Sequential: {message}"):
        nn.Sequential(*layers)


def test_a_function_that_would_hide_a_modules_parameters_is_refused_in_a_sequential(rng):
    with pytest.raises(
        TypeError, match="layer 1 is a function around a Linear, whose parameters it would hide"
    ):
        nn.Sequential(np.tanh, ad.checkpoint(nn.Linear(2, 3, rng)))


def test_a_module_that_checkpoints_its_layer_has_the_layers_gradients(rng):
    class Checkpointed(nn.Module):
        def __init__(self, layer):
            self.layer = layer

        def __call__(self, x, rng=None):
            return ad.checkpoint(self.layer)(x, rng=rng)

    layer, x = nn.MLP([2, 8, 3], rng, dropout=0.5), rng.standard_normal((5, 2))
    model = nn.Sequential(Checkpointed(copy.deepcopy(layer)))
    for each in (layer, model):
        (each(x, rng=np.random.default_rng(1)) ** 2).sum().backward()
    found, expected = model.named_parameters(), layer.named_parameters()
    for name, parameter in expected.items():
        np.testing.assert_array_equal(found[f"0.layer.{name}"].grad, parameter.grad)


def test_a_module_whose_call_takes_no_generator_is_refused_in_a_sequential():
    class Square(nn.Module):
        def __call__(self, x):
            return x * x

    class Cube(nn.Module):
        def __call__(self, x, **options):
            return x * x * x

    assert nn.Sequential(Cube())(2.0) == 8
    with pytest.raises(
        TypeError, match=r"layer 0 is a Square, whose call takes no rng; define __call__\(self, x, rng"
    ):
        nn.Sequential(Square())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rng: nn.Linear(0, 3, rng), "Linear: in_features is an integer from 1 on, not 0"),
        (lambda rng: nn.Linear(3, 2.0, rng), r"Linear: out_features is an integer from 1 on, not 2\.0"),
        (lambda rng: nn.Linear(3, True, rng), "Linear: out_features is an integer from 1 on, not True"),
        (lambda rng: nn.Embedding(-1, 3, rng), "Embedding: num_embeddings is an integer"),
        (lambda rng: nn.Embedding(3, None, rng), "Embedding: embedding_dim is an integer"),
        (lambda rng: nn.Conv2d(0, 3, 1, rng), "Conv2d: in_channels is an integer"),
        (lambda rng: nn.Conv2d(1, 0, 1, rng), "Conv2d: out_channels is an integer"),
        (lambda rng: nn.Conv2d(1, 1, (1, 0), rng), "Conv2d: kernel_size is an integer from 1 on, not 0"),
        (lambda rng: nn.Conv2d(1, 1, (1, 2, 3), rng), r"Conv2d: kernel_size is an integer, or two .*\(1, 2, 3\)"),
        (lambda rng: nn.LayerNorm((2, 3)), "LayerNorm: features is an integer"),
        (lambda rng: nn.LayerNorm(2, eps=0), "LayerNorm: eps is a small number above 0, not 0"),
        (lambda rng: nn.LayerNorm(2, eps=None), "LayerNorm: eps is a small number above 0, not None"),
        (lambda rng: nn.MLP([3], rng), r"MLP: sizes are those of the input.*not \[3\]"),
        (lambda rng: nn.MLP(3, rng), r"MLP: sizes are those of the input.*not \[3\]"),
        (lambda rng: nn.MLP([3, 0], rng), "MLP: each of sizes is an integer from 1 on, not 0"),
        (lambda rng: nn.MLP([3, 2, 1], rng, dropout=2), "Dropout: p is a probability"),
        (lambda rng: nn.Linear(2, 3, rng, init=lambda *_: np.ones(3)), r"Linear: init returned shape \(3,\), not \(2, 3\)"),
    ],
)  # fmt: skip
def test_sizes_and_options_that_make_no_sense_are_refused(rng, make, message):
    with pytest.raises(ValueError, match=message):
        make(rng)


@pytest.mark.parametrize(
    "make",
    [
        partial(nn.Linear, 2, 3),
        partial(nn.Embedding, 2, 3),
        partial(nn.Conv2d, 2, 3, 1),
        lambda rng, dtype: nn.LayerNorm(2, dtype=dtype),
    ],
)
@pytest.mark.parametrize("dtype", [int, bool, complex])
def test_parameters_are_floating_point_numbers(rng, make, dtype):
    with pytest.raises(TypeError, match="parameters are floating-point numbers, not"):
        make(rng, dtype=dtype)
