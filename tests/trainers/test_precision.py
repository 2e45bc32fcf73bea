"""The precision that `--precision=auto` takes, by networks and machine."""

import types
from unittest import mock

import tensorflow as tf
from absl.testing import absltest, parameterized

from trainers import defaults, precision
from trainers.settings import Settings

HALF, SINGLE = "mixed_bfloat16", "float32"


def machine(flags="", capability=None):
    """Mocks a processor with these flags, and a GPU of this capability if there is one."""
    text = f"processor\t: 0\nflags\t\t: fpu {flags} sse\n"
    gpus = [] if capability is None else [types.SimpleNamespace(name="gpu")]
    return (
        mock.patch.object(precision.pathlib.Path, "read_text", lambda self: text),
        mock.patch.object(tf.config, "list_physical_devices", lambda kind: gpus),
        mock.patch.object(tf.config.experimental, "get_device_details", lambda _: {"compute_capability": capability}),
    )


class ChooseTest(parameterized.TestCase):
    def choose(self, network, *facts):
        patches = machine(*facts)
        with patches[0], patches[1], patches[2]:
            return precision.choose(network)

    @parameterized.parameters(
        ("dcgan", "avx2", None, SINGLE, "the processor has no bfloat16"),
        ("dcgan", "avx512_bf16", None, HALF, "the processor has avx512_bf16"),
        ("resnet", "amx_bf16 avx512_bf16", None, HALF, "the processor has amx_bf16"),
        ("cyclegan", "", (8, 0), HALF, "the GPU has it"),
        ("dcgan", "avx512_bf16", (7, 5), SINGLE, "the GPU has no bfloat16"),
        ("mlp", "avx512_bf16", None, SINGLE, "bfloat16 gains for convolutions"),
        ("my.py:mine", "avx512_bf16", None, SINGLE, "bfloat16 gains for convolutions"),
    )
    def test_by_networks_and_machine(self, network, flags, capability, policy, reason):
        self.assertEqual(self.choose(network, flags, capability), (policy, reason))

    def test_of_a_machine_that_says_nothing(self):
        with mock.patch.object(precision.pathlib.Path, "read_text", side_effect=FileNotFoundError):
            self.assertEqual(precision._processor(), set())


class ResolveTest(parameterized.TestCase):
    @parameterized.parameters(("auto", HALF), ("float32", SINGLE), ("mixed_bfloat16", HALF))
    def test_it_is_decided_by_the_networks_that_were_chosen(self, asked, policy):
        patches = machine("avx512_bf16")
        with patches[0], patches[1], patches[2]:
            settings = defaults.resolve(Settings("gan", "some", precision=asked), (32, 32, 3), 1000)
            self.assertEqual(settings.precision, policy)
            dense = defaults.resolve(Settings("gan", "some", precision="auto"), (8, 8, 1), 1000)
        self.assertEqual(dense.precision, SINGLE)


if __name__ == "__main__":
    absltest.main()
