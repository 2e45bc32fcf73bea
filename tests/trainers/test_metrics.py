import math
import os
import pathlib

from absl.testing import absltest, parameterized

from trainers import metrics

CONTENT = b"epoch,wake/rate,val_wake/rate\r\n0,1.5,2.5\r\n1,1.25,\r\n2,nan,NA\r\n3,-inf,2.0\r\n"


class LogTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir()) / "metrics.csv"

    def test_a_row_an_epoch_and_what_did_not_run_is_absent(self):
        log = metrics.Log(self.path)
        log.on_epoch_end(0, {"wake/rate": 1.5, "a/loss": 2.0})
        log.on_epoch_end(1, {"wake/rate": 0.1, "a/loss": 3.0, "val_wake/rate": 0.5, "val_a/loss": -1.0})
        rows = metrics.read(self.path)
        self.assertEqual(rows[0], {"epoch": 0, "a/loss": 2.0, "wake/rate": 1.5})
        self.assertEqual(rows[1]["val_wake/rate"], 0.5)
        self.assertEqual(self.path.read_text().splitlines()[0], "epoch,a/loss,wake/rate,val_a/loss,val_wake/rate")

    def test_columns_are_those_of_the_file_whichever_epoch_comes_first(self):
        every = {"wake/rate": 1.0, "a/loss": 2.0, "val_wake/rate": 3.0, "val_a/loss": 4.0}
        for epoch in range(2):
            metrics.Log(self.path).on_epoch_end(epoch, every if epoch else {"wake/rate": 1.0, "a/loss": 2.0})
        self.assertEqual(metrics.read(self.path)[1], {"epoch": 1, **every})

    def test_a_file_that_was_emptied_gets_its_header_again(self):
        self.path.write_bytes(b"epoch,wa")  # killed within its first line
        metrics.truncate(self.path, 0)
        metrics.Log(self.path).on_epoch_end(0, {"wake/rate": 1.0})
        self.assertEqual(metrics.read(self.path), [{"epoch": 0, "wake/rate": 1.0}])


class WholeTest(absltest.TestCase):
    def test_epochs_that_are_done_and_have_no_row_are_said(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "metrics.csv"
        path.write_text("epoch,loss\n0,1.0\n2,3.0\n")
        with self.assertLogs("ugm_tf.trainers", "WARNING") as log:
            metrics.check_whole(path, 4)
        self.assertRegex(log.output[0], "has no row of 2 of the 4 epochs that are done, from epoch 1 on: it was cut")
        with self.assertNoLogs("ugm_tf.trainers", "WARNING"):
            metrics.check_whole(path, 1)
            metrics.check_whole(path.with_name("no"), 0)


class MetricsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir()) / "metrics.csv"
        self.path.write_bytes(CONTENT)

    def test_reads_numbers_by_name(self):
        rows = metrics.read(self.path)
        self.assertEqual(rows[0], {"epoch": 0, "wake/rate": 1.5, "val_wake/rate": 2.5})
        self.assertIsInstance(rows[0]["epoch"], int)
        self.assertEqual(rows[3]["wake/rate"], -math.inf)

    def test_an_empty_cell_is_absent_and_nan_is_a_number(self):
        rows = metrics.read(self.path)
        self.assertEqual(rows[1], {"epoch": 1, "wake/rate": 1.25})
        self.assertEqual(list(rows[2]), ["epoch", "wake/rate"])
        self.assertTrue(math.isnan(rows[2]["wake/rate"]))

    @parameterized.parameters(*range(len(CONTENT) + 1))
    def test_however_much_was_written_only_finished_lines_are_read(self, length):
        self.path.write_bytes(CONTENT[:length])
        finished = CONTENT[:length].count(b"\n")
        self.assertLen(metrics.read(self.path), max(0, finished - 1))

    @parameterized.parameters(*range(6))
    def test_truncate_keeps_the_rows_before_as_they_were(self, epochs):
        self.path.write_bytes(CONTENT + b"4,1.0")
        metrics.truncate(self.path, epochs)
        self.assertEqual(self.path.read_bytes(), b"".join(CONTENT.splitlines(keepends=True)[: 1 + epochs]))

    def test_truncate_drops_later_epochs_wherever_they_stand(self):
        self.path.write_text("epoch,a\n0,1\n5,2\n1,3\n")
        metrics.truncate(self.path, 2)
        self.assertEqual(self.path.read_text(), "epoch,a\n0,1\n1,3\n")

    def test_truncate_leaves_a_file_alone_that_needs_nothing(self):
        before = os.stat(self.path).st_ino
        metrics.truncate(self.path, 4)
        self.assertEqual(os.stat(self.path).st_ino, before)

    def test_truncate_leaves_nothing_else_behind(self):
        metrics.truncate(self.path, 1)
        self.assertEqual(os.listdir(self.path.parent), ["metrics.csv"])

    def test_truncate_where_there_is_no_file_makes_none(self):
        self.path.unlink()
        metrics.truncate(self.path, 1)
        self.assertFalse(self.path.exists())

    def test_read_where_there_is_no_file_says_so(self):
        with self.assertRaises(FileNotFoundError):
            metrics.read(self.path.with_name("other.csv"))

    @parameterized.named_parameters(
        ("other_file", b"a,b\n1,2\n", r"must have a column 'epoch'. Received the columns \['a', 'b'\]"),
        ("cells", b"epoch,a\n0,1\n1\n2,3\n", "line 3: expected 2 cells.*Received 1. Delete that line"),
        ("words", b"epoch,a\n0,good\n", r"line 2: expected numbers.*Received \['0', 'good'\]. Delete that line"),
        ("no_epoch", b"epoch,a\n,1\n", "line 2: expected numbers, and a whole one for the epoch"),
        ("nan_epoch", b"epoch,a\nnan,1\n", "line 2: expected numbers, and a whole one for the epoch"),
        ("inf_epoch", b"epoch,a\ninf,1\n", "line 2: expected numbers, and a whole one for the epoch"),
        ("half_epoch", b"epoch,a\n0.5,1\n", "line 2: expected numbers, and a whole one for the epoch"),
    )
    def test_refuses_and_leaves_alone(self, content, advice):
        self.path.write_bytes(content)
        for read in (metrics.read, lambda path: metrics.truncate(path, 0)):
            with self.assertRaisesRegex(ValueError, advice):
                read(self.path)
        self.assertEqual(self.path.read_bytes(), content)

    def test_refuses_a_negative_number_of_epochs(self):
        with self.assertRaisesRegex(ValueError, "at least 0. Received: -1"):
            metrics.truncate(self.path, -1)


if __name__ == "__main__":
    absltest.main()
