"""Devices of a run: which there are, and runs of several processes."""

import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
from unittest import mock

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from trainers import devices, run
from trainers.settings import Settings

ROOT = pathlib.Path(__file__).parents[2]
FLAGS = ("--recipe=vae", "--hidden=32", "--code_size=6", "--epochs=10", "--checkpoint_steps=5", "--strategy=auto")


def ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def environment(found, index):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in found]}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})}


def start(workdir, *flags, index=None, found=()):
    more = {} if index is None else environment(found, index)
    command = [sys.executable, "-m", "trainers.train", f"--workdir={workdir}", *FLAGS, *flags]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | more, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def weights(workdir):
    import ugm_tf

    model = ugm_tf.load_model(workdir / "model.keras")
    slots = [v for name in sorted(model.optimizers) for v in model.optimizers[name].variables]
    return [keras.ops.convert_to_numpy(v) for v in (*model.variables, *slots)]


class OfTest(parameterized.TestCase):
    def test_one_device_has_no_strategy(self):
        for name in ("one", "auto"):
            with mock.patch.dict(os.environ, clear=False):
                os.environ.pop("TF_CONFIG", None)
                found = devices.of(name)
            self.assertIsNone(found.strategy)
            self.assertTrue(found.chief)

    def test_several_processes_need_names(self):
        with self.assertRaisesRegex(ValueError, "--strategy=multiworker takes the processes from TF_CONFIG"):
            devices.of("multiworker")

    @parameterized.parameters(
        "{", "[]", '{"task": {}}', '{"cluster": "x", "task": {}}', '{"cluster": {"worker": ["a:1"]}}'
    )
    def test_a_damaged_configuration_is_shown(self, text):
        with mock.patch.dict(os.environ, {"TF_CONFIG": text}):
            with self.assertRaisesRegex(
                ValueError,
                "TF_CONFIG is JSON with a 'cluster' of lists of addresses and a 'task' with its type and index",
            ):
                devices.of("auto")

    def test_slurm_names_the_processes(self):
        slurm = {"STEP_NUM_TASKS": "2", "PROCID": "1", "STEP_NODELIST": "n[7-8]", "STEP_TASKS_PER_NODE": "1(x2)"}
        with mock.patch.dict(os.environ, {f"SLURM_{name}": value for name, value in slurm.items()}):
            os.environ.pop("TF_CONFIG", None)
            cluster = devices._cluster()
            hosts = [address.partition(":")[0] for address in cluster.cluster_spec().as_dict()["worker"]]
            self.assertEqual((hosts, cluster.task_id), (["n7", "n8"], 1))

    @parameterized.parameters({"keep_best": "val_wake/loss"}, {"on_nan": "rollback"})
    def test_several_processes_refuse_what_one_would_decide(self, **options):
        several = mock.Mock(processes=2)
        with self.assertRaisesRegex(ValueError, "2 processes train together.*Leave out --keep_best and"):
            run.train(Settings("vae", "digits", **options), self.create_tempdir().full_path, on=several)


@pytest.mark.slow
class ProcessesTest(absltest.TestCase):
    @pytest.mark.exhaustive
    def test_one_that_is_killed_ends_the_other_and_both_go_on_to_the_same_bits(self):
        folder = pathlib.Path(self.create_tempdir())
        self.together(folder / "two")
        found, which = ports(2), random.Random(0).randrange(2)
        both = [start(folder / "killed", index=i, found=found) for i in range(2)]
        self.wait_for_checkpoint(folder / "killed", both)
        both[which].send_signal(signal.SIGKILL)
        both[which].communicate()
        _, error = both[1 - which].communicate(timeout=60)
        self.assertEqual(both[1 - which].returncode, devices.TRY_AGAIN, error)
        self.assertIn("error: Another process of this run ended", error)
        self.together(folder / "killed")
        for left, right in zip(weights(folder / "two"), weights(folder / "killed"), strict=True):
            np.testing.assert_array_equal(left, right)

    def test_a_signal_to_one_of_them_lets_both_save_the_same_step_and_end(self):
        run, found = pathlib.Path(self.create_tempdir()) / "run", ports(2)
        both = [start(run, "--epochs=2000", "--checkpoint_steps=100", index=i, found=found) for i in range(2)]
        self.wait_for_checkpoint(run, both)
        both[1].send_signal(signal.SIGTERM)
        errors = [each.communicate(timeout=120)[1] for each in both]
        self.assertEqual([each.returncode for each in both], [143, 143], errors)
        words = r"Stopped at step (\d+) of \d+, which (is saved|the first process saves):"
        stopped = [re.search(words, error) for error in errors]
        step = int(stopped[0][1])
        self.assertEqual((int(stopped[1][1]), stopped[1][2]), (step, "the first process saves"))
        self.assertTrue((run / "checkpoints" / f"step-{step:010d}.state").exists())

    def test_one_that_waits_for_nobody_ends(self):
        waiting = start(pathlib.Path(self.create_tempdir()) / "run", "--form_seconds=3", index=0, found=ports(2))
        _, error = waiting.communicate(timeout=120)
        self.assertEqual(waiting.returncode, -signal.SIGALRM)
        self.assertRegex(error, "Waiting for all of the processes at 127.0.0.1:.* not come within 3 s")

    def together(self, workdir):
        found = ports(2)
        both = [start(workdir, index=i, found=found) for i in range(2)]
        for each in both:
            _, error = each.communicate(timeout=300)
            self.assertEqual(each.returncode, 0, error)
        self.assertIn("Trained; waiting for the report.", (workdir / "worker_1.log").read_text())

    def wait_for_checkpoint(self, workdir, processes):
        before = set(workdir.glob("checkpoints/*.state"))
        while set(workdir.glob("checkpoints/*.state")) <= before and all(p.poll() is None for p in processes):
            time.sleep(0.1)


if __name__ == "__main__":
    absltest.main()
