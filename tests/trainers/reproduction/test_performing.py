"""What runs leave: claimed by one process, gone on with after any end, and the same tables whatever came between."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from unittest import mock

import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers.reproduction.test_declarations import OWN, experiment
from tests.trainers.reproduction.test_summaries import result
from trainers import inputs, run
from trainers.reproduction import catalogue, performing, reading, store
from trainers.reproduction.declarations import SCALES, Scale
from trainers.reproduction.units import Plan
from ugm_tf import files

ROOT = pathlib.Path(run.__file__).parents[1]
PLAN = Plan("small", "smoke", seeds=2)

# The command, with an experiment of a file of its own.
WITH_OWN = """
import sys
from trainers.reproduction import experiments
experiments.__path__.append(sys.argv.pop(1))
import runpy
runpy.run_module("trainers.reproduce", run_name="__main__", alter_sys=True)
"""


class LoopTest(parameterized.TestCase):
    """Of runs that take no time."""

    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.create_tempdir().full_path)
        self.enter_context(mock.patch.object(catalogue, "get", lambda _: experiment()))
        self.enter_context(mock.patch.object(performing, "_result", self.make))
        self.made = []

    def make(self, plan, unit, out, sources):
        del plan, out
        inputs.read(unit.settings, "train", sources)
        self.made.append(unit.run)
        value = float(unit.seed + len(unit.choice))
        return result(unit, value, unit.choice["temperature"] if unit.choice else None)

    def tables(self):
        folder = self.out / PLAN.folder
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    @pytest.mark.slow
    def test_each_run_is_made_once_and_all_is_written(self):
        performing.perform(PLAN, self.out)
        self.assertLen(self.made, 8)
        self.assertLen(set(self.made), 8)
        self.assertSameElements(self.tables(), ["table.md", "table.json", "results.json", "page.html", "plot_1.svg"])
        performing.perform(PLAN, self.out)
        self.assertLen(self.made, 8)

    def test_data_are_read_once(self):
        with mock.patch.object(ugm_tf.data, "load", side_effect=ugm_tf.data.load) as load:
            performing.perform(PLAN, self.out)
        self.assertLen(self.made, 8)
        load.assert_called_once()

    @pytest.mark.slow
    def test_started_again_it_makes_what_is_missing_and_the_same_tables(self):
        performing.perform(PLAN, self.out)
        whole = self.tables()
        for path in sorted(self.out.rglob("result.json"))[::3]:
            path.unlink()
        reading.write(PLAN, self.out)
        self.assertNotEqual(self.tables(), whole)
        performing.perform(PLAN, self.out)
        self.assertLen(self.made, 8 + 3)
        self.assertEqual(self.tables(), whole)

    def test_seeds_that_do_not_choose_run_what_was_chosen_and_no_more(self):
        plan = Plan("small", "smoke", seeds=3)
        scales = dict.fromkeys(SCALES, Scale({"epochs": 1}, seeds=3, choosing=1))
        with mock.patch.object(catalogue, "get", lambda _: experiment(scales=scales)):
            chosen = [unit.run for unit in plan.units() if unit.choice.get("temperature") == 2.0]
            performing.perform(plan, self.out)
            self.assertLen(self.made, 3 * 2 + 4)  # two contenders without a choice; two temperatures, then one
            self.assertContainsSubset(chosen, self.made)
            self.assertIn(b"all 10 runs", (self.out / plan.folder / "table.md").read_bytes())

    def test_a_seed_that_does_not_choose_waits_until_it_is_known_what(self):
        plan = Plan("small", "smoke", seeds=2)
        scales = dict.fromkeys(SCALES, Scale({"epochs": 1}, seeds=2, choosing=1))
        with mock.patch.object(catalogue, "get", lambda _: experiment(scales=scales)):
            unit = next(unit for unit in plan.units() if unit.choice.get("temperature") == 2.0)
            held = files.locked(self.out / unit.run / ".claim")
            held.__enter__()

            def ends(_):
                self.assertLen(self.made, 5)  # four of seeds 0 and 1 without a choice, and the other temperature
                held.__exit__(None, None, None)

            with mock.patch.object(time, "sleep", ends):
                performing.perform(plan, self.out)
            self.assertLen(self.made, 7)

    @pytest.mark.slow
    def test_a_run_that_another_process_is_at_is_left_to_it_and_taken_over_if_it_ends(self):
        unit = PLAN.units()[0]
        held = files.locked(self.out / unit.run / ".claim")
        held.__enter__()

        def ends(_):
            self.assertNotIn(unit.run, self.made)
            self.assertLen(self.made, 7)
            held.__exit__(None, None, None)

        with mock.patch.object(time, "sleep", ends):
            performing.perform(PLAN, self.out)
        self.assertEqual(self.made[-1], unit.run)

    def test_some_contenders_may_be_run_first(self):
        performing.perform(PLAN, self.out, only=["b"])
        self.assertLen(self.made, 4)
        self.assertIn(b"4 of 8 runs: not yet whole", self.tables()["table.md"])
        with self.assertRaisesRegex(ValueError, "--only knows a, few; a; few; .*many. Received: most"):
            performing.perform(PLAN, self.out, only=["most"])

    @pytest.mark.slow
    def test_more_seeds_add_runs(self):
        performing.perform(Plan("small", "smoke", seeds=1), self.out)
        performing.perform(PLAN, self.out)
        self.assertLen(set(self.made), 8)
        self.assertLen(self.made, 8)

    def test_data_that_cannot_be_had_are_refused_before_anything_is_trained(self):
        with mock.patch.object(inputs, "read", side_effect=ValueError("no such data")), self.assertRaises(ValueError):
            performing.perform(PLAN, self.out)
        self.assertEqual((self.made, list(self.out.iterdir())), ([], []))


class DivergedTest(absltest.TestCase):
    @pytest.mark.slow
    def test_a_run_that_diverges_is_a_result(self):
        plan, out = PLAN, pathlib.Path(self.create_tempdir().full_path)
        self.enter_context(mock.patch.object(catalogue, "get", lambda _: experiment()))
        self.enter_context(mock.patch.object(run, "train", side_effect=FloatingPointError("not finite\nat step 3")))
        performing.perform(plan, out)
        found = store.read(out, plan)
        self.assertEqual({each["failed"] for each in found}, {"not finite at step 3"})
        self.assertIn("2 diverged", (out / plan.folder / "table.md").read_text())


def started(folder, out, *flags, log=None):
    """The command on the experiment of that folder."""
    words = [sys.executable, "-c", WITH_OWN, str(folder), "--experiment=beta_vaes", f"--out={out}", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=log or subprocess.DEVNULL, stderr=subprocess.STDOUT
    )


def tables_of(out):
    folder = out / "beta_vaes" / "smoke"
    return {name: (folder / name).read_bytes() for name in ("table.md", "table.json", "page.html")}


@pytest.mark.slow
class FaultsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        (cls.folder / "beta_vaes.py").write_text(OWN)
        started(cls.folder, cls.folder / "whole").wait()
        cls.whole = tables_of(cls.folder / "whole")

    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.assertIn(b"all 4 runs", self.whole["table.md"])

    def test_killed_at_random_moments_it_ends_with_the_same_tables(self):
        out, chance, kills = self.root / "killed", random.Random(0), 0
        for _ in range(int(os.environ.get("UGM_KILLS", "3"))):
            process = started(self.folder, out)
            begun = sum(1 for _ in out.rglob("flags.txt"))
            while process.poll() is None and sum(1 for _ in out.rglob("flags.txt")) == begun < 4:
                time.sleep(0.05)  # before, Python and TensorFlow are being loaded
            time.sleep(chance.uniform(0.0, 6.0))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        self.assertGreater(kills, 0)
        self.assertEqual(started(self.folder, out).wait(), 0)
        self.assertEqual(tables_of(out), self.whole)

    def test_two_processes_share_the_runs_and_end_with_the_same_tables(self):
        out = self.root / "shared"
        logs = [open(self.root / f"{i}.log", "w+") for i in range(2)]
        processes = [started(self.folder, out, log=log) for log in logs]
        self.assertEqual([process.wait() for process in processes], [0, 0])
        self.assertEqual(tables_of(out), self.whole)
        texts = [pathlib.Path(log.name).read_text() for log in logs]
        for log in logs:
            log.close()
        trained = [text.count("Training vae on ") for text in texts]
        self.assertEqual(sum(trained), 4, texts)
        results = [json.loads(path.read_text()) for path in out.rglob("result.json")]
        self.assertLen({each["run"] for each in results}, 4)


@pytest.mark.exhaustive  # minutes each; one of them is killed and shared above
@pytest.mark.slow
class SmokeTest(parameterized.TestCase):
    @parameterized.parameters(*catalogue.names())
    def test_each_experiment_runs_at_scale_smoke_and_has_a_difference_with_its_interval(self, name):
        out = pathlib.Path(self.create_tempdir().full_path)
        flags = [f"--experiment={name}", f"--out={out}"]
        process = subprocess.run(
            [sys.executable, "-m", "trainers.reproduce", *flags], cwd=ROOT, capture_output=True, text=True
        )
        self.assertEqual(process.returncode, 0, process.stderr[-2000:])
        plan = Plan(name, "smoke")
        written = json.loads((out / plan.folder / "table.json").read_text())
        self.assertEqual(written["runs"], {"done": len(plan.units()), "of": len(plan.units())})
        self.assertTrue(all(each["ours"]["seeds"] == 2 for each in written["differences"]))
        self.assertIn("Tables:", process.stdout)


if __name__ == "__main__":
    absltest.main()
