"""Samples of convolution and pooling."""

from autodiff.ops.images import Steps

from .base import apart, sample

STEPS = Steps((2, 1), ((1, 0), (0, 1)), (1, 2), 2)
IMAGES, KERNELS = apart(2, 2, 3, 4), apart(2, 1, 2, 2, seed=1)
sample("conv2d", IMAGES, KERNELS, steps=STEPS)
sample("conv2d_images", apart(2, 2, 2, 3), KERNELS, steps=STEPS, shape=(2, 2, 3, 4))
sample("conv2d_kernels", IMAGES, apart(2, 2, 2, 3), steps=STEPS, shape=(2, 1, 2, 2))
sample("image_windows", apart(1, 2, 3, 3), kernel=(2, 1), steps=Steps((1, 2), dilation=(2, 1)))
sample("overlay_windows", apart(1, 1, 2, 2, 2, 1), shape=(1, 1, 3, 2), steps=Steps())
sample(
    "conv2d_images",
    apart(1, 1, 2, 2),
    apart(1, 2, 2, 2, seed=1),
    steps=Steps(dilation=(1, 2)),
    shape=(1, 2, 3, 4),
)
sample("max_pool2d", apart(1, 2, 3, 4), kernel=(2, 2), steps=Steps())
sample("sum_pool2d", apart(1, 1, 3, 4), kernel=(2, 1), steps=Steps((1, 2)))
sample("spread_pool2d", apart(1, 1, 2, 2), kernel=(2, 1), steps=Steps((1, 2)), shape=(1, 1, 3, 4))
sample("ad.conv2d", apart(1, 2, 3, 3), apart(2, 2, 2, 2, seed=1), apart(2, seed=2), padding="same")
sample("ad.max_pool2d", apart(1, 2, 3, 4), kernel_size=2, padding=1)
sample("ad.avg_pool2d", apart(1, 2, 3, 4), kernel_size=(2, 3), stride=1)
sample("ad.avg_pool2d", apart(1, 1, 3, 3), kernel_size=2, padding=1, count_include_pad=False)
