"""Networks: untrained Keras networks from roles and shapes."""

from ugm_tf.networks.build import build, default_families, is_adversarial
from ugm_tf.networks.builders import names
from ugm_tf.networks.conditioned import joint, leave_one_out, projection
from ugm_tf.networks.cyclegan import cyclegan
from ugm_tf.networks.dcgan import dcgan
from ugm_tf.networks.layers import AppendVector, Modulate, SpectralNorm
from ugm_tf.networks.mlp import mlp
from ugm_tf.networks.resnet import resnet

__all__ = [
    "AppendVector",
    "Modulate",
    "SpectralNorm",
    "build",
    "cyclegan",
    "dcgan",
    "default_families",
    "is_adversarial",
    "joint",
    "leave_one_out",
    "mlp",
    "names",
    "projection",
    "resnet",
]
