"""Networks: untrained Keras networks from roles and shapes."""

from ugm_tf.networks.build import build, default_families, is_adversarial, names
from ugm_tf.networks.conditioned import leave_one_out, projection
from ugm_tf.networks.dcgan import dcgan
from ugm_tf.networks.layers import AppendVector, SpectralNorm
from ugm_tf.networks.mlp import mlp

__all__ = [
    "AppendVector",
    "SpectralNorm",
    "build",
    "dcgan",
    "default_families",
    "is_adversarial",
    "leave_one_out",
    "mlp",
    "names",
    "projection",
]
