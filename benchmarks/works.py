"""What is trained: architecture, initial weights and hyperparameters, the same for every contender.

Only numpy is imported here, so that the PyTorch contenders can read it in an environment without TensorFlow.
"""

import dataclasses

import numpy as np

__all__ = ["WORKS", "Work", "initial_weights", "num_parameters"]

LEAK = 0.2  # slope of leaky ReLU
BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_MOMENTUM = 0.9  # of the moving averages
FILTERS = 32  # of the residual networks
RESNET_EPSILON = 2e-5  # of their batch normalisation
ADAM_BETA_2 = 0.999
ADAM_EPSILON = 1e-7
MIN_SCALE = 1e-4  # of q(z | x), whose scale is softplus(raw) + MIN_SCALE


@dataclasses.dataclass(frozen=True)
class Work:
    """One thing to train.

    Args:
        name: Its name on the command line.
        recipe: Name of the recipe.
        network: "mlp", "dcgan" or "resnet".
        code: Size of z.
        batch: Examples in a batch, B.
        learning_rate: Adam's.
        beta_1: Adam's.
        superstep: Training steps in one call where the loop over steps is compiled; divides an epoch of MNIST.
        check_steps: Steps over which the mean losses of the contenders are compared, before the clock starts.
        contenders: Who is written for it.
        draws: Those of an IWAE, k.
    """

    name: str
    recipe: str
    network: str
    code: int
    batch: int
    learning_rate: float
    beta_1: float
    superstep: int
    check_steps: int
    contenders: tuple[str, ...]
    draws: int = 1


_ALL = ("bare", "keras", "torch_eager", "torch_compile", "jax", "ours", "eigen")
_WRITTEN = ("bare", "jax", "ours")  # against their written-out computation only

WORKS = {
    work.name: work
    for work in (
        Work("vae", "vae", "mlp", 20, 128, 1e-3, 0.9, 52, 312, _ALL),
        Work("gan_mlp", "gan", "mlp", 100, 128, 2e-4, 0.5, 52, 312, ("bare", "usual", *_ALL[1:], "simultaneous")),
        Work("dcgan", "gan", "dcgan", 100, 64, 2e-4, 0.5, 1, 24, _ALL),
        Work("aavae", "aavae", "mlp", 20, 128, 1e-3, 0.9, 52, 312, _WRITTEN),
        Work("iwgan_mlp", "iwgan", "mlp", 100, 128, 2e-4, 0.5, 52, 312, _WRITTEN),
        Work("iwae", "iwae", "mlp", 20, 128, 1e-3, 0.9, 26, 104, _WRITTEN, draws=5),
        Work("iwae_50", "iwae", "mlp", 20, 128, 1e-3, 0.9, 12, 156, _WRITTEN, draws=50),
        Work("bigan", "bigan", "mlp", 100, 128, 2e-4, 0.5, 52, 312, _WRITTEN),
        Work("iwgan_dcgan", "iwgan", "dcgan", 100, 64, 2e-4, 0.5, 1, 24, _WRITTEN),
        Work("resnet", "gan", "resnet", 100, 64, 2e-4, 0.5, 1, 24, ("torch_eager", "torch_compile", "ours", "eigen")),
    )
}


def initial_weights(work: Work) -> dict[str, list[np.ndarray]]:
    """Initial weights by network, in the order in which Keras lists trainable weights, float32.

    Dense kernels are [in, out], convolutions [h, w, in, out], transposed convolutions [h, w, out, in].  Spectrally
    normalised layers have their bias first.

    Args:
        work: What is to be trained.
    """
    rng = np.random.default_rng(0)
    if work.network == "dcgan":
        return {"decoder": _dcgan_decoder(rng, work.code), "discriminator": _dcgan_discriminator(rng)}
    if work.network == "resnet":
        return {"decoder": _resnet_decoder(rng, work.code), "discriminator": _resnet_discriminator(rng)}
    if work.recipe in ("vae", "aavae", "iwae"):
        out = {"encoder": _dense(rng, 784, 500, 500, 2 * work.code), "decoder": _dense(rng, work.code, 500, 500, 784)}
    else:
        out = {"decoder": _dense(rng, work.code, 256, 512, 784)}
    if work.recipe == "bigan":
        out["encoder"] = _dense(rng, 784, 512, 256, work.code)
        out["discriminator"] = _dense(rng, 784 + work.code, 512, 256, 1)
    elif work.recipe not in ("vae", "iwae"):
        out["discriminator"] = _dense(rng, 784, 512, 256, 1)
    return out


def num_parameters(weights: dict[str, list[np.ndarray]]) -> dict[str, int]:
    """Trainable numbers by network."""
    return {name: sum(w.size for w in arrays) for name, arrays in weights.items()}


def _dense(rng: np.random.Generator, *sizes: int) -> list[np.ndarray]:
    out = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        limit = np.sqrt(6.0 / (fan_in + fan_out))  # Glorot
        out += [rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32), np.zeros(fan_out, np.float32)]
    return out


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(0.0, 0.02, shape).astype(np.float32)


def _batch_norm(channels: int) -> list[np.ndarray]:
    return [np.ones(channels, np.float32), np.zeros(channels, np.float32)]


def _dcgan_decoder(rng: np.random.Generator, code: int) -> list[np.ndarray]:
    dense = [_normal(rng, code, 7 * 7 * 128), *_batch_norm(128)]
    middle = [_normal(rng, 5, 5, 64, 128), *_batch_norm(64)]
    return [*dense, *middle, _normal(rng, 5, 5, 1, 64), np.zeros(1, np.float32)]


def _dcgan_discriminator(rng: np.random.Generator) -> list[np.ndarray]:
    first = [_normal(rng, 5, 5, 1, 64), np.zeros(64, np.float32)]
    second = [_normal(rng, 5, 5, 64, 128), *_batch_norm(128)]
    return [*first, *second, _normal(rng, 7 * 7 * 128, 1), np.zeros(1, np.float32)]


def _convolution(rng: np.random.Generator, size: int, fan_in: int, fan_out: int, gain: float = 1.0) -> list[np.ndarray]:
    limit = np.sqrt(gain * 6.0 / (size**2 * (fan_in + fan_out)))
    kernel = rng.uniform(-limit, limit, (size, size, fan_in, fan_out)).astype(np.float32)
    return [kernel, np.zeros(fan_out, np.float32)]


def _resnet_decoder(rng: np.random.Generator, code: int) -> list[np.ndarray]:
    n = FILTERS
    out = _dense(rng, code, 7 * 7 * n)
    for _ in range(2):
        out += [*_batch_norm(n), *_convolution(rng, 3, n, n, 2.0), *_batch_norm(n)]
        out += [*_convolution(rng, 1, n, n), *_convolution(rng, 3, n, n, 2.0)]
    return [*out, *_batch_norm(n), *_convolution(rng, 3, n, 1)]


def _resnet_discriminator(rng: np.random.Generator) -> list[np.ndarray]:
    n, wide = FILTERS, _convolution
    blocks = [wide(rng, 3, 1, n, 2.0), wide(rng, 3, n, n, 2.0), wide(rng, 1, 1, n)]
    blocks += [wide(rng, 3, n, n, 2.0), wide(rng, 3, n, n, 2.0), wide(rng, 1, n, n)]
    blocks += [wide(rng, 3, n, n, 2.0) for _ in range(4)]
    return [array for kernel, bias in (*blocks, _dense(rng, n, 1)) for array in (bias, kernel)]
