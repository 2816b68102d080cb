"""The rules of ops as a school book has them: the slope of each by each of its inputs, and a sentence for it."""

# The slope of an op by each input, from which its formula and its sentence follow; y is the result.
SLOPES: dict[str, tuple[str, ...]] = {
    "negative": ("-1",),
    "power": ("b * a ** (b - 1)", "y * log(a)"),
    "square": ("2 * x",),
    "sqrt": ("1 / (2 * y)",),
    "cbrt": ("1 / (3 * y ** 2)",),
    "reciprocal": ("-(y ** 2)",),
    "abs": ("sign(x)",),
    "exp": ("y",),
    "exp2": ("y * log(2)",),
    "expm1": ("exp(x)",),
    "log": ("1 / x",),
    "log2": ("1 / (x * log(2))",),
    "log10": ("1 / (x * log(10))",),
    "log1p": ("1 / (1 + x)",),
    "logaddexp": ("exp(a - y)", "exp(b - y)"),
    "logaddexp2": ("exp2(a - y)", "exp2(b - y)"),
    "sin": ("cos(x)",),
    "cos": ("-sin(x)",),
    "tan": ("1 + y ** 2",),
    "arcsin": ("1 / sqrt(1 - x ** 2)",),
    "arccos": ("-1 / sqrt(1 - x ** 2)",),
    "arctan": ("1 / (1 + x ** 2)",),
    "arctan2": ("b / (a ** 2 + b ** 2)", "-a / (a ** 2 + b ** 2)"),
    "hypot": ("a / y", "b / y"),
    "sinh": ("cosh(x)",),
    "cosh": ("sinh(x)",),
    "tanh": ("1 - y ** 2",),
    "arcsinh": ("1 / sqrt(1 + x ** 2)",),
    "arccosh": ("1 / sqrt(x ** 2 - 1)",),
    "arctanh": ("1 / (1 - x ** 2)",),
    "degrees": ("180 / pi",),
    "radians": ("pi / 180",),
    "sigmoid": ("y * (1 - y)",),
    "softplus": ("sigmoid(x)",),
    "log_sigmoid": ("sigmoid(-x)",),
    "silu": ("y + sigmoid(x) * (1 - y)",),
}
# op: (formula, words) for each input, the last for all further ones; None: the vjp's own source.
SAME = "the gradient passes unchanged"
MOVED = "the same numbers, moved back to the places they came from"
LARGER = "the larger of the two receives the gradient, half each where they are equal"
SMALLER = "the smaller of the two receives the gradient, half each where they are equal"
RULES: dict[str, tuple[tuple[str | None, str], ...]] = {
    **dict.fromkeys(("add", "positive"), (("g", SAME),)),
    "subtract": (("g", SAME), ("-g", "what is subtracted receives the gradient with a minus sign")),
    "multiply": ((None, "a factor receives the gradient times the other factor"),),
    "divide": (
        (None, "the numerator receives the gradient divided by the denominator"),
        (None, "the slope of y = a / b by b is -a / b**2, which is -y / b"),
    ),
    "relu": (("g where x > 0, else 0", "the slope is 1 where x > 0, and 0 elsewhere"),),
    **dict.fromkeys(
        ("maximum", "fmax"), (("g where a > b, else 0", LARGER), ("g where b > a, else 0", LARGER))
    ),
    **dict.fromkeys(
        ("minimum", "fmin"), (("g where a < b, else 0", SMALLER), ("g where b < a, else 0", SMALLER))
    ),
    "clip": (
        ("g where low <= x <= high, else 0", "the slope is 1 inside the bounds, and 0 where x was clipped"),
        ("g where x < low, else 0", "the lower bound receives the gradient of what it clipped"),
        ("g where x > high, else 0", "the upper bound receives the gradient of what it clipped"),
    ),
    "where": (
        (None, "a condition has no slope"),
        ("g where the condition holds, else 0", "the branch that was taken receives the gradient"),
        ("g where the condition fails, else 0", "the branch that was taken receives the gradient"),
    ),
    "astype": (("g", "the same numbers in the input's dtype"),),
    "sum": (("g", "each element receives the gradient of the sum that it is in"),),
    "cumsum": (("sum of g from here on", "each element receives the gradients of all sums that it is in"),),
    "mean": (("g / n", "each of n elements receives an n-th of the gradient of their mean"),),
    **dict.fromkeys(
        ("max", "nanmax"),
        (
            (
                "g at the largest, else 0",
                "the largest element receives the gradient; the tied share it evenly",
            ),
        ),
    ),
    **dict.fromkeys(
        ("min", "nanmin"),
        (
            (
                "g at the smallest, else 0",
                "the smallest element receives the gradient; the tied share it evenly",
            ),
        ),
    ),
    "median": (
        ("g at the middle, else 0", "the middle element receives the gradient, or the two in the middle"),
    ),
    "prod": (("g * y / x", "each element receives the gradient times the product of the others"),),
    "var": (("g * 2 * (x - mean(x)) / n", "the slope of the mean squared distance from the mean"),),
    "std": (("g * (x - mean(x)) / (n * y)", "the slope of the root of the variance; 0 where all are equal"),),
    "vector_norm": (("g * x / y", "the slope of a length is the direction, and 0 at 0"),),
    "matmul": (
        ("g @ b.T", "row by column: the gradient is summed over the columns of b, weighted by them"),
        ("a.T @ g", "row by column: the gradient is summed over the rows of a, weighted by them"),
    ),
    "einsum": (("the einsum of g and the others", "g takes the place of the result, the input that of g"),),
    "inv": (("-y.T @ g @ y.T", "the slope of a reciprocal, -1 / a**2, for matrices"),),
    "det": (("g * y * inv(a).T", "the slope of a determinant is its cofactors"),),
    "solve": (
        ("-solve(a.T, g) @ y.T", "the slope of b / a by a, -b / a**2, for matrices"),
        ("solve(a.T, g)", "the slope of b / a by b, 1 / a, for matrices"),
    ),
    "softmax": (
        (
            "y * (g - sum(g * y))",
            "each probability times how far its gradient lies above their weighted mean",
        ),
    ),
    "log_softmax": (
        ("g - softmax(x) * sum(g)", "the gradient, less each class's probability times their sum"),
    ),
    "logsumexp": (("g * softmax(x)", "each element receives the gradient times its softmax"),),
    "cross_entropy": (
        (
            "(softmax(x) - target) * g / n",
            "probability minus target (1 at the right class), for the mean of n rows",
        ),
    ),
    "soft_cross_entropy": (
        ("(softmax(x) - target) * g / n", "probability minus target probability, for the mean of n rows"),
    ),
    **dict.fromkeys(
        ("getitem", "take", "take_along_axis"),
        (("g at the elements taken, else 0", "the elements that were taken receive the gradient"),),
    ),
    "broadcast_to": (("sum of g over the copies", "what was repeated receives the sum over its copies"),),
    "repeat": (("sum of g over the copies", "what was repeated receives the sum over its copies"),),
    **dict.fromkeys(("concatenate", "stack"), (("this input's part of g", MOVED),)),
    **dict.fromkeys(("reshape", "squeeze", "expand_dims"), (("g, reshaped", MOVED),)),
    **dict.fromkeys(("transpose", "swapaxes", "moveaxis", "reorder"), (("g, put back", MOVED),)),
    "gather_inputs": (("this input's part of g", "the gradient that the checkpoint's second run found"),),
    "recompute": (("a second run's gradient", "a checkpoint runs its function again to find the gradient"),),
}

# Of a softmax whose beta is not 1.
WITH_BETA = {
    "softmax": "beta * y * (g - sum(g * y))",
    "log_softmax": "beta * (g - exp(y) * sum(g))",
}

# Of ops without a row: by their structure.
PASSING = {
    "layout": "each element receives the gradient of all places that it went to",
    "selection": "the elements that were taken receive the gradient",
}
