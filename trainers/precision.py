"""The arithmetic of networks where the run decides: bfloat16 where the machine multiplies it and it gains."""

import pathlib

import tensorflow as tf

__all__ = ["choose"]

_CONVOLUTIONAL = ("dcgan", "resnet", "cyclegan")
_FLAGS = {"avx512_bf16", "amx_bf16"}  # of x86 processors whose oneDNN kernels take bfloat16


def choose(network: str) -> tuple[str, str]:
    """The precision that is the faster one here, and the reason.

    GANs of convolutions train 1.4 to 2.4 times as fast in bfloat16 where the processor has instructions for it; dense
    networks under XLA do not (docs/training.md).

    Args:
        network: A kind of networks, or a builder of the user's own, of which nothing is known.

    Returns:
        A dtype policy of Keras, "float32" or "mixed_bfloat16"; and why.
    """
    if network not in _CONVOLUTIONAL:
        return "float32", "bfloat16 gains for convolutions"
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capable = all(_capability(gpu) >= (8, 0) for gpu in gpus)
        return ("mixed_bfloat16", "the GPU has it") if capable else ("float32", "the GPU has no bfloat16")
    if has := sorted(_FLAGS & _processor()):
        return "mixed_bfloat16", f"the processor has {has[0]}"
    return "float32", "the processor has no bfloat16"


def _capability(gpu: tf.config.PhysicalDevice) -> tuple[int, int]:
    return tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))


def _processor() -> set[str]:
    """What this machine's processor can do, as Linux calls it; nothing where that is not known."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return set(line.partition(":")[2].split())
