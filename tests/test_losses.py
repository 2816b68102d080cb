"""Laws of the losses: what PyTorch gives, what 60 digits give, and what is refused."""

import numpy as np
import pytest

from autodiff import Tensor, cross_entropy, grad, gradients, hvp, jvp, log_softmax, nll_loss, vjp
from autodiff.graph import topological_order

from . import exact
from .oracles import partials

inf, nan = np.inf, np.nan
all_forms = pytest.mark.parametrize("form", ["naive", "composed", "fused"])
LOGITS = np.array([[2.0, -1.0, 0.5], [0.25, 3.0, -2.0], [-1.5, 0.0, 1.0], [4.0, 4.0, -3.0]])
SEED = np.array([1.0, -2.0, 0.5, 3.0])
WEIGHT = np.array([0.5, 2.0, 1.25])
TARGETS = {
    "numbers": np.array([0, 2, 1, 1]),
    "ignored": np.array([0, -100, 1, 1]),
    "probabilities": np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7], [0.6, 0.0, 0.4]]),
}


def logits(*shape, scale=2.0, seed=3, dtype=float):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(dtype)


# -- PyTorch's options -------------------------------------------------------------------------------

# torch.nn.functional.cross_entropy of PyTorch 2.13 in float64: targets, whether weighted, label_smoothing,
# reduction, loss, and the gradient, for "none" with the incoming gradient SEED.
# fmt: off
TORCH = [
    ('numbers', False, 0.0, 'mean', 1.8436835129397056, [[-0.05360074135268103, 0.009778143317671862, 0.04382259803500917], [0.014927127754699898, 0.23349956455501886, -0.24842669230971876], [0.01415293306011782, -0.18657095459124368, 0.1724180215311259], [0.12494303335058295, -0.12505696664941707, 0.00011393329883407303]]),
    ('numbers', False, 0.0, 'sum', 7.374734051758822, [[-0.21440296541072412, 0.03911257327068745, 0.1752903921400367], [0.05970851101879959, 0.9339982582200754, -0.993706769238875], [0.05661173224047128, -0.7462838183649747, 0.6896720861245036], [0.4997721334023318, -0.5002278665976683, 0.0004557331953362921]]),
    ('numbers', False, 0.0, 'none', [0.24131129665715703, 5.068280705615766, 1.3715390318526828, 0.693603017633216], [[-0.21440296541072412, 0.03911257327068745, 0.1752903921400367], [-0.11941702203759919, -1.8679965164401509, 1.98741353847775], [0.02830586612023564, -0.37314190918248735, 0.3448360430622518], [1.4993164002069954, -1.5006835997930046, 0.0013671995860088763]]),
    ('numbers', True, 0.0, 'mean', 1.8410940224904493, [[-0.018643736122671662, 0.003401093327885865, 0.015242642794785799], [0.012980111091043389, 0.20304309961305986, -0.21602321070410324], [0.019691037301033488, -0.2595769803008608, 0.23988594299982732], [0.17383378553124584, -0.17399230142527589, 0.00015851589403001465]]),
    ('numbers', True, 0.0, 'sum', 10.586290629320084, [[-0.10720148270536206, 0.019556286635343725, 0.08764519607001835], [0.07463563877349949, 1.1674978227750943, -1.2421334615485937], [0.11322346448094256, -1.4925676367299494, 1.3793441722490072], [0.9995442668046636, -1.0004557331953365, 0.0009114663906725842]]),
    ('numbers', True, 0.0, 'none', [0.12065564832857852, 6.335350882019708, 2.7430780637053656, 1.387206035266432], [[-0.10720148270536206, 0.019556286635343725, 0.08764519607001835], [-0.14927127754699898, -2.3349956455501886, 2.4842669230971874], [0.05661173224047128, -0.7462838183649747, 0.6896720861245036], [2.998632800413991, -3.001367199586009, 0.0027343991720177527]]),
    ('numbers', False, 0.25, 'mean', 1.9426418462730388, [[-0.011934074686014373, -0.01105519001566147, 0.02298926470167584], [-0.005906205578633434, 0.21266623122168551, -0.2067600256430521], [-0.006680400273215512, -0.14490428792457705, 0.15158468819779256], [0.10410970001724962, -0.0833902999827504, -0.02071940003449926]]),
    ('numbers', False, 0.25, 'sum', 7.770567385092155, [[-0.04773629874405749, -0.04422076006264588, 0.09195705880670337], [-0.023624822314533736, 0.8506649248867421, -0.8270401025722084], [-0.02672160109286205, -0.5796171516983082, 0.6063387527911702], [0.41643880006899847, -0.3335611999310016, -0.08287760013799704]]),
    ('numbers', False, 0.25, 'none', [0.6163112966571571, 4.464114038949099, 1.4132056985193495, 1.2769363509665492], [[-0.04773629874405749, -0.04422076006264588, 0.09195705880670337], [0.04724964462906747, -1.7013298497734841, 1.6540802051444168], [-0.013360800546431024, -0.2898085758491541, 0.3031693763955851], [1.2493164002069954, -1.0006835997930046, -0.24863280041399113]]),
    ('numbers', True, 0.25, 'mean', 1.8540850486663236, [[0.021466312106688784, -0.024309003920533742, 0.0028426918138449706], [0.005733734279449188, 0.17405759236668306, -0.17979132664613223], [0.010598625742467395, -0.2098793195570754, 0.199280693814608], [0.15029049132609731, -0.1323182043260766, -0.017972287000020803]]),
    ('numbers', True, 0.25, 'sum', 10.660989029831363, [[0.12343129461346047, -0.13977677254306903, 0.016345477929608568], [0.032968972106832826, 1.0008311561084275, -1.0338001282152605], [0.06094209801918754, -1.2068060874531834, 1.1458639894339964], [0.8641703251250598, -0.7608296748749402, -0.10334065025011963]]),
    ('numbers', True, 0.25, 'none', [0.8221515164517954, 5.408267548686375, 2.444247828566321, 1.9863221361268706], [[0.12343129461346047, -0.13977677254306903, 0.016345477929608568], [-0.06593794421366565, -2.001662312216855, 2.067600256430521], [0.03047104900959377, -0.6034030437265917, 0.5729319947169982], [2.592510975375179, -2.282489024624821, -0.31002195075035893]]),
    ('ignored', False, 0.0, 'mean', 0.7688177820476852, [[-0.07146765513690803, 0.013037524423562482, 0.05843013071334556], [0.0, 0.0, 0.0], [0.018870577413490425, -0.2487612727883249, 0.22989069537483453], [0.1665907111341106, -0.16674262219922273, 0.00015191106511209737]]),
    ('ignored', False, 0.0, 'sum', 2.306453346143056, [[-0.21440296541072412, 0.03911257327068745, 0.1752903921400367], [0.0, 0.0, 0.0], [0.05661173224047128, -0.7462838183649747, 0.6896720861245036], [0.4997721334023318, -0.5002278665976683, 0.0004557331953362921]]),
    ('ignored', False, 0.0, 'none', [0.24131129665715703, 0.0, 1.3715390318526828, 0.693603017633216], [[-0.21440296541072412, 0.03911257327068745, 0.1752903921400367], [0.0, 0.0, 0.0], [0.02830586612023564, -0.37314190918248735, 0.3448360430622518], [1.4993164002069954, -1.5006835997930046, 0.0013671995860088763]]),
    ('ignored', True, 0.0, 'mean', 0.9446532771778613, [[-0.02382255171230268, 0.004345841474520828, 0.019476710237781854], [0.0, 0.0, 0.0], [0.0251607698846539, -0.3316816970510999, 0.306520927166446], [0.22212094817881411, -0.2223234962656303, 0.00020254808681612982]]),
    ('ignored', True, 0.0, 'sum', 4.250939747300376, [[-0.10720148270536206, 0.019556286635343725, 0.08764519607001835], [0.0, 0.0, 0.0], [0.11322346448094256, -1.4925676367299494, 1.3793441722490072], [0.9995442668046636, -1.0004557331953365, 0.0009114663906725842]]),
    ('ignored', True, 0.0, 'none', [0.12065564832857852, 0.0, 2.7430780637053656, 1.387206035266432], [[-0.10720148270536206, 0.019556286635343725, 0.08764519607001835], [0.0, 0.0, 0.0], [0.05661173224047128, -0.7462838183649747, 0.6896720861245036], [2.998632800413991, -3.001367199586009, 0.0027343991720177527]]),
    ('ignored', False, 0.25, 'mean', 1.1021511153810186, [[-0.01591209958135247, -0.01474025335421529, 0.030652352935567794], [0.0, 0.0, 0.0], [-0.008907200364287347, -0.19320571723276936, 0.20211291759705677], [0.13881293335633282, -0.11118706664366718, -0.02762586671266568]]),
    ('ignored', False, 0.25, 'sum', 3.306453346143056, [[-0.04773629874405749, -0.04422076006264588, 0.09195705880670337], [0.0, 0.0, 0.0], [-0.02672160109286205, -0.5796171516983082, 0.6063387527911702], [0.41643880006899847, -0.3335611999310016, -0.08287760013799704]]),
    ('ignored', False, 0.25, 'none', [0.6163112966571571, 0.0, 1.4132056985193495, 1.2769363509665492], [[-0.04773629874405749, -0.04422076006264588, 0.09195705880670337], [0.0, 0.0, 0.0], [-0.013360800546431024, -0.2898085758491541, 0.3031693763955851], [1.2493164002069954, -1.0006835997930046, -0.24863280041399113]]),
    ('ignored', True, 0.25, 'mean', 1.1672714402544415, [[0.02742917658076899, -0.031061505009570896, 0.003632328428801901], [0.0, 0.0, 0.0], [0.013542688448708337, -0.26817913054515186, 0.25463644209644354], [0.19203785002779103, -0.16907326108332008, -0.02296458894447103]]),
    ('ignored', True, 0.25, 'sum', 5.252721481144987, [[0.12343129461346047, -0.13977677254306903, 0.016345477929608568], [0.0, 0.0, 0.0], [0.06094209801918754, -1.2068060874531834, 1.1458639894339964], [0.8641703251250598, -0.7608296748749402, -0.10334065025011963]]),
    ('ignored', True, 0.25, 'none', [0.8221515164517954, 0.0, 2.444247828566321, 1.9863221361268706], [[0.12343129461346047, -0.13977677254306903, 0.016345477929608568], [0.0, 0.0, 0.0], [0.03047104900959377, -0.6034030437265917, 0.5729319947169982], [2.592510975375179, -2.282489024624821, -0.31002195075035893]]),
    ('probabilities', False, 0.0, 'mean', 1.4374335129397058, [[0.07139925864731897, -0.052721856682328136, -0.018677401964990827], [0.014927127754699898, -0.016500435444981143, 0.0015733076902812524], [-0.010847066939882181, 0.013429045408756307, -0.002581978468874091], [-0.025056966649417048, 0.12494303335058295, -0.09988606670116593]]),
    ('probabilities', False, 0.0, 'sum', 5.749734051758823, [[0.2855970345892759, -0.21088742672931254, -0.0747096078599633], [0.05970851101879959, -0.06600174177992457, 0.00629323076112501], [-0.043388267759528726, 0.05371618163502523, -0.010327913875496364], [-0.10022786659766819, 0.4997721334023318, -0.3995442668046637]]),
    ('probabilities', False, 0.0, 'none', [1.3663112966571571, 0.06828070561576617, 0.8215390318526828, 3.4936030176332165], [[0.2855970345892759, -0.21088742672931254, -0.0747096078599633], [-0.11941702203759919, 0.13200348355984914, -0.01258646152225002], [-0.021694133879764363, 0.026858090817512614, -0.005163956937748182], [-0.30068359979300446, 1.4993164002069954, -1.1986328004139912]]),
    ('probabilities', True, 0.0, 'mean', 1.858469073810285, [[0.1461742123127764, -0.11461072272497365, -0.03156348958780275], [0.029854255509399796, -0.033000870889962286, 0.003146615380562505], [0.00625263630465611, -0.015956514833397897, 0.009703878528741806], [0.024954426680466366, 0.09995442668046636, -0.12490885336093274]]),
    ('probabilities', True, 0.0, 'sum', 7.43387629524114, [[0.5846968492511057, -0.4584428908998946, -0.126253958351211], [0.11941702203759919, -0.13200348355984914, 0.01258646152225002], [0.02501054521862444, -0.06382605933359159, 0.038815514114967226], [0.09981770672186546, 0.39981770672186545, -0.49963541344373097]]),
    ('probabilities', True, 0.0, 'none', [2.2251432526982295, 0.13656141123153234, 1.0172892172048047, 4.054882414106573], [[0.5846968492511057, -0.4584428908998946, -0.126253958351211], [-0.23883404407519837, 0.2640069671196983, -0.02517292304450004], [0.01250527260931222, -0.031913029666795795, 0.019407757057483613], [0.29945312016559633, 1.1994531201655962, -1.4989062403311928]]),
    ('probabilities', False, 0.25, 'mean', 1.6379543462730388, [[0.08181592531398564, -0.057930190015661465, -0.023885735298324155], [-0.005906205578633434, 0.025166231221685514, -0.01926002564305208], [-0.02543040027321551, 0.005095712075422976, 0.020334688197792578], [-0.008390299982750385, 0.10410970001724962, -0.09571940003449926]]),
    ('probabilities', False, 0.25, 'sum', 6.551817385092155, [[0.32726370125594256, -0.23172076006264586, -0.09554294119329662], [-0.023624822314533736, 0.10066492488674206, -0.07704010257220832], [-0.10172160109286205, 0.020382848301691903, 0.08133875279117031], [-0.03356119993100154, 0.41643880006899847, -0.38287760013799704]]),
    ('probabilities', False, 0.25, 'none', [1.460061296657157, 0.7141140389490995, 1.0007056985193494, 3.3769363509665498], [[0.32726370125594256, -0.23172076006264586, -0.09554294119329662], [0.04724964462906747, -0.20132984977348412, 0.15408020514441664], [-0.05086080054643102, 0.010191424150845951, 0.040669376395585155], [-0.10068359979300473, 1.2493164002069954, -1.1486328004139912]]),
    ('probabilities', True, 0.25, 'mean', 2.0741695698180385, [[0.16058876089520283, -0.12456903892362443, -0.03601972197157836], [0.0166387523887269, 0.006551294089305045, -0.023190046478031894], [-0.0013043978568877646, -0.03381247610147874, 0.03511687395836653], [0.04734385126574028, 0.07234385126574029, -0.11968770253148057]]),
    ('probabilities', True, 0.25, 'sum', 8.296678279272154, [[0.6423550435808113, -0.49827615569449774, -0.14407888788631343], [0.0665550095549076, 0.02620517635722018, -0.09276018591212758], [-0.0052175914275510585, -0.13524990440591497, 0.14046749583346613], [0.18937540506296113, 0.28937540506296117, -0.4787508101259223]]),
    ('probabilities', True, 0.25, 'none', [2.4005172197290334, 0.7591754455952429, 1.1499061936909003, 3.9870794202569764], [[0.6423550435808113, -0.49827615569449774, -0.14407888788631343], [-0.1331100191098152, -0.05241035271444036, 0.18552037182425515], [-0.0026087957137755293, -0.06762495220295749, 0.07023374791673306], [0.5681262151888832, 0.8681262151888832, -1.4362524303777668]]),
]
# fmt: on


@all_forms
@pytest.mark.parametrize(("targets", "weighted", "smoothing", "reduction", "loss", "gradient"), TORCH)
def test_losses_and_gradients_are_pytorchs(form, targets, weighted, smoothing, reduction, loss, gradient):
    x = Tensor(LOGITS)
    y = cross_entropy(
        x,
        TARGETS[targets],
        weight=WEIGHT if weighted else None,
        label_smoothing=smoothing,
        reduction=reduction,
        form=form,
    )
    y.backward(SEED if reduction == "none" else None)
    np.testing.assert_allclose(y.data, loss, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(x.grad, gradient, rtol=1e-12, atol=1e-15)


@all_forms
def test_the_classes_may_be_on_another_axis(form):
    # PyTorch 2.13: cross_entropy(arange(12.).reshape(2, 3, 2).cos(), [[0, 2], [1, 1]])
    x = Tensor(np.cos(np.arange(12.0)).reshape(2, 3, 2))
    y = cross_entropy(x, [[0, 2], [1, 1]], axis=1, form=form)
    y.backward()
    assert y.item() == pytest.approx(1.2467438238134094, rel=1e-14)
    expected = [
        [
            [-0.0756623126067715, 0.12562066502613517],
            [0.04230254771995911, 0.027193336685548686],
            [0.033359764886812436, -0.15281400171168386],
        ],
        [
            [0.16706615503743774, 0.15043942926576984],
            [-0.19470295056690548, -0.22153919084398027],
            [0.02763679552946775, 0.07109976157821045],
        ],
    ]
    np.testing.assert_allclose(x.grad, expected, rtol=1e-13)


@all_forms
def test_one_row_takes_one_target(form):
    # PyTorch 2.13: cross_entropy([1., 2., 4.], 1)
    x = Tensor([1.0, 2.0, 4.0])
    y = cross_entropy(x, 1, form=form)
    y.backward()
    assert y.item() == pytest.approx(2.1698460195562856, rel=1e-14)
    np.testing.assert_allclose(
        x.grad, [0.04201006613406605, -0.8858048006154056, 0.8437947344813395], rtol=1e-13
    )


@all_forms
def test_a_class_can_be_ignored(form):
    # PyTorch 2.13: cross_entropy(LOGITS, [0, 1, 1, 2], ignore_index=1)
    loss = cross_entropy(LOGITS, [0, 1, 1, 2], ignore_index=1, form=form)
    assert loss == pytest.approx(3.9674571571451867, rel=1e-14)


def test_nll_loss_is_pytorchs_and_undoes_log_softmax():
    # PyTorch 2.13: nll_loss(log_softmax(LOGITS, 1), TARGETS["ignored"], weight=WEIGHT)
    loss = nll_loss(log_softmax(LOGITS), TARGETS["ignored"], weight=WEIGHT)
    assert loss == pytest.approx(0.9446532771778613, rel=1e-14)
    for reduction in ("mean", "sum", "none"):
        for targets in TARGETS.values():
            options = {"weight": WEIGHT, "reduction": reduction}
            x, z = Tensor(LOGITS), Tensor(LOGITS)
            y, direct = nll_loss(log_softmax(x), targets, **options), cross_entropy(z, targets, **options)
            np.testing.assert_allclose(y.data, direct.data, rtol=1e-13)
            y.sum().backward()
            direct.sum().backward()
            np.testing.assert_allclose(x.grad, z.grad, rtol=1e-12, atol=1e-15)


# -- laws ------------------------------------------------------------------------------------------------


def by_hand(x, targets, weight=1.0, smoothing=0.0):
    """The loss of each row from its definition, in longdouble."""
    x = np.asarray(x, np.longdouble)
    share = np.eye(x.shape[-1])[targets] if np.ndim(targets) < x.ndim else np.asarray(targets)
    share = (1 - smoothing) * share + smoothing / x.shape[-1]
    return -(weight * share * (x - np.log(np.exp(x).sum(-1, keepdims=True)))).sum(-1)


@all_forms
@pytest.mark.parametrize("targets", ["numbers", "probabilities"])
@pytest.mark.parametrize("smoothing", [0, 0.3, 1])
def test_the_loss_is_its_definition(form, targets, smoothing):
    found = cross_entropy(
        LOGITS, TARGETS[targets], weight=WEIGHT, label_smoothing=smoothing, reduction="none", form=form
    )
    np.testing.assert_allclose(
        found, by_hand(LOGITS, TARGETS[targets], WEIGHT, smoothing).astype(float), rtol=1e-13
    )


@all_forms
def test_class_numbers_are_probabilities_of_one(form):
    hot = np.eye(3)[TARGETS["numbers"]]
    for reduction in ("mean", "sum", "none"):
        np.testing.assert_allclose(
            cross_entropy(LOGITS, TARGETS["numbers"], reduction=reduction, form=form),
            cross_entropy(LOGITS, hot, reduction=reduction, form=form),
            rtol=1e-13,
        )


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -3])
@pytest.mark.parametrize("options", [{}, {"weight": np.array([1.0, 0.5, 2.0])}, {"label_smoothing": 0.2}])
def test_any_axis_equals_the_last_after_moving_it_there(axis, options):
    x, v = logits(3, 3, 3, 3), logits(3, 3, 3, 3, seed=4)
    targets = np.random.default_rng(0).integers(0, 3, (3, 3, 3))
    targets[0, 1, 2] = -100
    g = logits(3, 3, 3, seed=5)
    for reduction in ("mean", "none"):
        moved = lambda x, r=reduction: (
            cross_entropy(
                np.transpose(x, [*(i for i in range(4) if i != axis % 4), axis % 4]),
                targets,
                reduction=r,
                **options,
            )
            * g
        ).sum()
        direct = lambda x, r=reduction: (cross_entropy(x, targets, axis, reduction=r, **options) * g).sum()
        np.testing.assert_allclose(direct(x), moved(x), rtol=1e-13)
        np.testing.assert_allclose(grad(direct)(x), grad(moved)(x), rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(hvp(direct, x, v), hvp(moved, x, v), rtol=1e-11, atol=1e-15)


INTEGERS = [
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    ">i2",
    ">i4",
    ">i8",
    ">u2",
]


@all_forms
@pytest.mark.parametrize("dtype", INTEGERS)
def test_targets_may_be_of_any_integer_dtype(form, dtype):
    x = logits(4, 200)
    targets = np.array([0, 127, 100, 3], dtype)
    expected = cross_entropy(x, [0, 127, 100, 3], form=form)
    assert cross_entropy(x, targets, form=form) == expected
    targets.flags.writeable = False
    assert cross_entropy(x, targets, form=form) == expected
    if np.dtype(dtype).kind == "u":
        top = np.array([0, 199, 255, 3], dtype)
        with pytest.raises(ValueError, match=r"the target 255 at \[2\] is none of the classes 0 to 199"):
            cross_entropy(x, top, form=form)
        loss = cross_entropy(x, top, ignore_index=255, form=form)
        assert loss == pytest.approx(cross_entropy(x[[0, 1, 3]], [0, 199, 3], form=form), rel=1e-14)
    else:
        with pytest.raises(ValueError, match=r"the target -1 at \[1\] is none of the classes 0 to 199"):
            cross_entropy(x, np.array([0, -1, 100, 3], dtype), form=form)


@all_forms
def test_targets_may_lie_in_memory_as_they_like(form):
    x = logits(4, 5)
    expected = cross_entropy(x, [3, 0, 2, 1], form=form)
    spread = np.array([3, 9, 0, 9, 2, 9, 1, 9])[::2]
    backwards = np.array([1, 2, 0, 3])[::-1]
    for targets in (spread, backwards, (3, 0, 2, 1), [np.int8(3), 0, 2, 1]):
        assert cross_entropy(x, targets, form=form) == expected
    assert cross_entropy(np.asfortranarray(x), [3, 0, 2, 1], form=form) == pytest.approx(expected, rel=1e-15)


def test_no_argument_is_written_to():
    arrays = [LOGITS.copy(), TARGETS["ignored"].copy(), WEIGHT.copy(), TARGETS["probabilities"].copy()]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    x, numbers, weight, probabilities = arrays
    for targets in (numbers, probabilities):
        for smoothing in (0.0, 0.1):
            for form in ("naive", "composed", "fused"):
                f = lambda x, t=targets, s=smoothing, form=form: cross_entropy(
                    x, t, weight=weight, label_smoothing=s, form=form
                )
                hvp(f, x, np.ones_like(x))
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


@all_forms
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
@pytest.mark.parametrize("targets", list(TARGETS))
def test_loss_and_gradient_have_the_logits_dtype(form, dtype, targets):
    for reduction in ("mean", "sum", "none"):
        x = Tensor(LOGITS.astype(dtype))
        y = cross_entropy(
            x,
            TARGETS[targets],
            weight=WEIGHT,
            label_smoothing=np.float64(0.1),
            reduction=reduction,
            form=form,
        )
        y.sum().backward()
        assert y.dtype == x.grad.dtype == dtype


def test_a_mean_over_many_float16_rows_stays_in_range():
    x = np.zeros((70_000, 2), np.float16)
    assert cross_entropy(x, np.zeros(70_000, int)) == np.float16(np.log(2))
    targets = np.zeros(70_000, int)
    targets[::2] = -100
    assert cross_entropy(x, targets) == pytest.approx(np.log(2), rel=2e-3)


def test_defaults_that_are_spelled_out_change_no_bit():
    """Left out, they are known at a glance, and read on another way."""
    spelled = {
        "axis": np.int64(-1),
        "ignore_index": int("-100"),
        "label_smoothing": 0,
        "reduction": "".join("mean"),
    }
    for dtype in (np.float16, np.float32, np.float64):
        one, other = (Tensor((5 * LOGITS).astype(dtype)) for _ in range(2))
        targets = np.arange(len(LOGITS)) % LOGITS.shape[1]
        losses = [cross_entropy(one, targets), cross_entropy(other, targets.tolist(), **spelled)]
        for loss in losses:
            loss.backward()
        assert losses[0].data == losses[1].data
        np.testing.assert_array_equal(one.grad, other.grad, strict=True)


def test_the_fused_form_is_one_node():
    for targets in TARGETS.values():
        y = cross_entropy(Tensor(LOGITS), targets, weight=WEIGHT)
        assert len(topological_order([y])) == 2


@pytest.mark.parametrize("targets", list(TARGETS))
@pytest.mark.parametrize("options", [{}, {"weight": WEIGHT, "label_smoothing": 0.2}])
def test_derivatives_to_third_order_are_limits_of_differences(targets, options):
    x, v, w = (logits(4, 3, seed=seed, dtype=np.longdouble) for seed in range(3))
    loss = lambda x: cross_entropy(x, TARGETS[targets], **options)
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(grad(loss)(x), partials(loss, [x])[0], **close)
    bend = lambda x: hvp(loss, x, v)
    np.testing.assert_allclose(bend(x), partials(lambda x: (v * grad(loss)(x)).sum(), [x])[0], **close)
    np.testing.assert_allclose(jvp(grad(loss), (x,), (v,))[1], bend(x), **close)
    np.testing.assert_allclose(grad(lambda x: jvp(loss, (x,), (v,))[1])(x), bend(x), **close)
    third = grad(lambda x: (w * bend(x)).sum())
    np.testing.assert_allclose(third(x), partials(lambda x: (w * bend(x)).sum(), [x])[0], **close)


def test_each_row_passes_its_own_gradient_on():
    x = Tensor(LOGITS)
    first = gradients(cross_entropy(x, TARGETS["numbers"], reduction="none"), x, seed=SEED, create_graph=True)
    direct = gradients(cross_entropy(x, TARGETS["numbers"], reduction="none"), x, seed=SEED)
    np.testing.assert_allclose(first.data, direct, rtol=1e-14)
    g = Tensor(SEED)
    _, pullback = vjp(lambda x: cross_entropy(x, TARGETS["numbers"], reduction="none"), LOGITS)
    back = gradients(pullback(g)[0], g, seed=np.ones_like(LOGITS))
    np.testing.assert_allclose(back, np.zeros(4), atol=1e-15)  # a row's gradient sums to 0 for any seed


# -- accuracy against 60 digits ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("scale", "bound"), [(1, 5), (20, 80), (100, 160)])
@pytest.mark.parametrize("chosen", ["at random", "likeliest"])
def test_loss_gradient_and_curvature_are_exact_in_every_digit(dtype, scale, bound, chosen):
    # The bounds are those of exp, see test_softmax.py; the gradient of the likeliest class is 1 - p.
    x, v = logits(60, 6, scale=scale, dtype=dtype), logits(60, 6, scale=1, seed=8, dtype=dtype)
    targets = x.argmax(1) if chosen == "likeliest" else np.random.default_rng(0).integers(0, 6, 60)
    hot = np.eye(6)[targets]
    total = lambda x: cross_entropy(x, targets, reduction="sum")
    errors = {
        "loss": exact.worst_error(cross_entropy(x, targets, reduction="none"), exact.cross_entropy(x, hot)),
        "gradient": exact.worst_error(grad(total)(x), exact.cross_entropy_vjp(x, hot)),
        "curvature": exact.worst_error(
            hvp(total, x, v), exact.softmax_vjp(x, v), exact.softmax_vjp_size(x, v)
        ),
    }
    print({name: round(error, 1) for name, error in errors.items()}, "eps")
    assert max(errors.values()) < bound


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "options", [{}, {"weight": True}, {"label_smoothing": 0.125}, {"weight": True, "label_smoothing": 0.5}]
)
@pytest.mark.parametrize("kind", ["numbers", "probabilities"])
def test_weights_and_smoothing_and_probabilities_are_exact_in_every_digit(dtype, options, kind):
    rng = np.random.default_rng(1)
    x = logits(40, 4, scale=20, dtype=dtype)
    # Powers of two and multiples of 1/64, so that the factors of the log-probabilities are exact.
    weight = np.array([0.5, 2.0, 1.0, 4.0])
    share = rng.multinomial(64, [0.25] * 4, 40) / 64
    targets = rng.integers(0, 4, 40) if kind == "numbers" else share.astype(dtype)
    smoothing = options.get("label_smoothing", 0)
    dense = (np.eye(4)[targets] if kind == "numbers" else share) * (1 - smoothing) + smoothing / 4
    if "weight" in options:
        options, dense = {**options, "weight": weight}, dense * weight
    total = lambda x: cross_entropy(x, targets, reduction="sum", **options)
    errors = {
        "loss": exact.worst_error(
            cross_entropy(x, targets, reduction="none", **options), exact.cross_entropy(x, dense)
        ),
        # Probabilities minus targets cross zero: relative to what is added up.
        "gradient": exact.worst_error(
            grad(total)(x), exact.cross_entropy_vjp(x, dense), exact.spread_size(x, dense)
        ),
    }
    print({name: round(error, 1) for name, error in errors.items()}, "eps")
    assert max(errors.values()) < 80


def test_a_certain_right_answer_still_has_a_loss_and_a_gradient():
    x = Tensor(np.float32([[40.0, 0.0]]))
    y = cross_entropy(x, [0])
    y.backward()
    np.testing.assert_allclose(y.data, 4.248354255291589e-18, rtol=1e-6)
    np.testing.assert_allclose(x.grad, [[-4.248354255291589e-18, 4.248354255291589e-18]], rtol=1e-6)


# -- rows of semantics.md ------------------------------------------------------------------------------


@all_forms
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_all_targets_ignored_give_loss_zero_and_gradient_zero(form, reduction):
    for options in [{}, {"weight": WEIGHT}, {"label_smoothing": 0.1}]:
        x = Tensor(LOGITS)
        y = cross_entropy(x, [-100] * 4, reduction=reduction, form=form, **options)
        y.sum().backward()
        np.testing.assert_array_equal(y.data, 0)
        np.testing.assert_array_equal(x.grad, np.zeros((4, 3)))


@pytest.mark.parametrize("hidden", [nan, inf, -inf])
@pytest.mark.parametrize("options", [{}, {"weight": WEIGHT}, {"label_smoothing": 0.25}])
def test_an_ignored_row_counts_for_nothing_whatever_its_logits(hidden, options):
    bad = LOGITS.copy()
    bad[1] = hidden
    targets, kept = TARGETS["ignored"], [0, 2, 3]
    loss = lambda x: cross_entropy(x, targets, **options)
    clean = lambda x: cross_entropy(x, targets[kept], **options)
    v = logits(4, 3)
    np.testing.assert_allclose(loss(bad), clean(LOGITS[kept]), rtol=1e-14)
    for f, g in [(grad(loss), grad(clean)), (lambda x: hvp(loss, x, v), lambda x: hvp(clean, x, v[kept]))]:
        found = f(bad)
        np.testing.assert_allclose(found[kept], g(LOGITS[kept]), rtol=1e-12, atol=1e-16)
        np.testing.assert_array_equal(found[1], 0)


@pytest.mark.parametrize("form", ["composed", "fused"])
def test_zero_times_log_zero_is_zero(form):
    x = Tensor([[0.0, -inf, 0.0]])
    y = cross_entropy(x, [[0.5, 0.0, 0.5]], form=form)
    y.backward()
    assert y.item() == pytest.approx(np.log(2))
    np.testing.assert_allclose(x.grad, [[0, 0, 0]], atol=1e-16)
    weighted = cross_entropy([[0.0, -inf]], [1], weight=[1, 0], form=form)
    assert weighted == 0


def test_infinite_logits_have_their_limits():
    for target, loss, gradient in [(0, 0, [0, 0]), (1, inf, [1, -1])]:
        x = Tensor([[inf, 0.0]])
        y = cross_entropy(x, [target])
        y.backward()
        assert y.item() == loss
        np.testing.assert_array_equal(x.grad, [gradient])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_largest_numbers_of_a_dtype_are_logits_like_any_others(dtype):
    most = np.finfo(dtype).max
    x = Tensor(np.array([[most, -most, 0], [most, most, -most]], dtype))
    y = cross_entropy(x, [0, 1], reduction="sum")
    y.backward()
    assert y.item() == pytest.approx(np.log(2), rel=1e-3)
    np.testing.assert_array_equal(x.grad, [[0, 0, 0], [0.5, -0.5, 0]])
    assert cross_entropy(x, [1, 2]) == inf


@all_forms
def test_nan_logits_give_a_nan_loss(form):
    assert np.isnan(cross_entropy([[nan, 0.0], [0.0, 0.0]], [1, 0], form=form))


@all_forms
def test_an_empty_batch_has_loss_zero(form):
    for targets in (np.zeros(0, int), [], np.zeros((0, 3))):
        for smoothing in (0.0, 0.1):
            x = Tensor(np.zeros((0, 3), np.float32))
            y = cross_entropy(x, targets, label_smoothing=smoothing, form=form)
            y.backward()
            assert (y.item(), y.dtype, x.grad.shape) == (0, np.float32, (0, 3))
            assert cross_entropy(
                x, targets, label_smoothing=smoothing, reduction="none", form=form
            ).shape == (0,)


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss])
@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (
            [0, 1, 3, 0],
            ValueError,
            r"the target 3 at \[2\] is none of the classes 0 to 2, nor ignore_index=-100",
        ),
        ([0, -1, 1, 0], ValueError, r"the target -1 at \[1\] is none"),
        (np.uint64([2**64 - 1, 0, 0, 0]), ValueError, r"the target 18446744073709551615 at \[0\]"),
        (
            [0, 1, 2],
            ValueError,
            r"targets of shape \(3,\) do not fit logits of shape \(4, 3\).*expected shape \(4,\)",
        ),
        ([[0, 1, 2, 1]], ValueError, r"targets of shape \(1, 4\) do not fit"),
        (0, ValueError, r"targets of shape \(\) do not fit"),
        ([[0, 1], [2]], ValueError, "the rows of the targets have different lengths"),
        (
            [0.0, 1.0, 2.0, 0.0],
            ValueError,
            r"probabilities of shape \(4,\) do not fit .*class numbers are integers",
        ),
        (np.zeros((3, 4)), ValueError, r"probabilities of shape \(3, 4\)"),
        (
            [True, False, True, True],
            TypeError,
            r"class numbers \(integers\) or probabilities \(floats\), not bool",
        ),
        ([1j, 0, 0, 0], TypeError, "not complex128"),
        (["a", "b", "c", "d"], TypeError, "not <U1"),
        (None, TypeError, "not object"),
        ([None] * 4, TypeError, "not object"),
        (
            Tensor([0.0, 1.0, 2.0, 0.0]),
            TypeError,
            "targets have no derivative; hand an array, as targets.data",
        ),
    ],
)
def test_wrong_targets_are_named(loss, targets, error, message):
    with pytest.raises(error, match=f"^{loss.__name__}: .*{message}"):
        loss(LOGITS, targets)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weight": [1.0, 2.0]}, ValueError, r"weight has shape \(2,\), but there are 3 classes"),
        ({"weight": 1.0}, ValueError, r"weight has shape \(\)"),
        ({"weight": [1.0, -1.0, 1.0]}, ValueError, "finite and not negative"),
        ({"weight": [1.0, nan, 1.0]}, ValueError, "finite and not negative"),
        ({"weight": [1.0, inf, 1.0]}, ValueError, "finite and not negative"),
        ({"weight": ["a", "b", "c"]}, TypeError, "takes Tensors and real numbers, not <U1"),
        ({"weight": Tensor([1.0, 1.0, 1.0])}, TypeError, "weight has no derivative"),
        ({"label_smoothing": -0.1}, ValueError, "label_smoothing is between 0 and 1, not -0.1"),
        ({"label_smoothing": 1.1}, ValueError, "label_smoothing is between 0 and 1"),
        ({"label_smoothing": nan}, ValueError, "label_smoothing is between 0 and 1, not nan"),
        ({"label_smoothing": "a"}, TypeError, "label_smoothing is a number, not 'a'"),
        ({"reduction": "avg"}, ValueError, "reduction is one of 'mean', 'sum', 'none', not 'avg'"),
        ({"reduction": None}, ValueError, "reduction is one of"),
        ({"form": "slow"}, ValueError, "form is one of 'naive', 'composed', 'fused', not 'slow'"),
        ({"axis": (0, 1)}, TypeError, r"the classes are on one axis, an integer, not \(0, 1\)"),
        ({"axis": None}, TypeError, "the classes are on one axis, an integer, not None"),
        ({"axis": 2}, ValueError, "within 2 axes, not 2"),
        ({"axis": -3}, ValueError, "within 2 axes, not -3"),
        ({"ignore_index": 1.5}, TypeError, "ignore_index is a class number, an integer, not 1.5"),
    ],
)
def test_wrong_options_are_named(options, error, message):
    with pytest.raises(error, match=f"^cross_entropy: .*{message}"):
        cross_entropy(Tensor(LOGITS), TARGETS["numbers"], **options)


def test_a_wrong_target_of_one_row_has_no_place():
    with pytest.raises(ValueError, match="cross_entropy: the target 3 is none of the classes 0 to 2"):
        cross_entropy([1.0, 2.0, 3.0], 3)


def test_logits_need_classes():
    with pytest.raises(ValueError, match="cross_entropy: a number has no axis"):
        cross_entropy(1.0, 0)
    with pytest.raises(ValueError, match="cross_entropy: a number has no axis"):
        cross_entropy(Tensor(1.0), np.array(0))
    with pytest.raises(
        ValueError, match=r"cross_entropy: logits of shape \(2, 0\) have no classes on axis -1"
    ):
        cross_entropy(np.zeros((2, 0)), [0, 0])
    with pytest.raises(TypeError, match="cross_entropy: takes Tensors and real numbers, not complex128"):
        cross_entropy([[1j, 0]], [0])


def test_targets_of_the_wrong_kind_are_told_the_right_one():
    logits = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"expected shape .*; one-hot rows are probabilities: hand floats$"):
        cross_entropy(logits, np.eye(3, dtype=int)[:2])
    with pytest.raises(ValueError, match=r"class numbers are integers, as targets\.astype\(int\)$"):
        cross_entropy(logits, np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match=r"class numbers are integers$"):
        cross_entropy(logits, np.array([0.0, 1.0, 2.0]))
