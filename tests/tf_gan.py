"""Modules of TF-GAN's own code, to compare with.

UGM_TF_GAN names the wheel of `tensorflow-gan`, which `.ci/run` downloads.  For want of `tf.estimator` it can no longer
be imported as a package: a module is loaded alone, with what it imports of TF-GAN, and uses nowhere, stubbed.
"""

import functools
import importlib.util
import os
import sys
import types
import zipimport
from unittest import mock

from absl.testing import parameterized


@functools.cache
def _load(wheel, folder, name, stub):
    spec = zipimport.zipimporter(f"{wheel}/tensorflow_gan/{folder}").find_spec(name)
    module, package = importlib.util.module_from_spec(spec), None
    stubs = {}
    for dotted in ("tensorflow_gan", "tensorflow_gan.python", stub.rpartition(".")[0]):
        package = stubs.setdefault(dotted, types.ModuleType(dotted))
    setattr(package, stub.rpartition(".")[2], types.ModuleType(stub))
    with mock.patch.dict(sys.modules, stubs):
        spec.loader.exec_module(module)
    return module


class TFGANTest(parameterized.TestCase):
    """Tests against a module of TF-GAN, `self.tf_gan`.

    Attributes:
        MODULE: Its folder, its name, and the module of TF-GAN that it imports.
    """

    MODULE: tuple[str, str, str]

    def setUp(self):
        super().setUp()
        wheel = os.environ.get("UGM_TF_GAN")
        if wheel is None:
            self.skipTest("UGM_TF_GAN does not name the wheel of tensorflow-gan that .ci/run downloads.")
        self.tf_gan = _load(wheel, *self.MODULE)
