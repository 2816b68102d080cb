"""Training: the loop that one would write by hand,

    for x, y in minibatches(inputs, targets, batch_size=32, rng=rng):
        value = loss(model(x, rng=rng), y)
        optimizer.zero_grad()
        value.backward(free_graph=True)
        optimizer.step()

and around it validation, early stopping and checkpoints.
"""

from .loop import accuracy, fit, predict

__all__ = ["accuracy", "fit", "predict"]
