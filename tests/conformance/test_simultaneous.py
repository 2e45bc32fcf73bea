"""Each recipe trains with all gradients at the same parameters."""

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from tests.conformance import table

_REPEATED = tuple(r for r in table.ROWS if any(p.repeats > 1 for p in table.recipe_of(*r[1:]).phases))
_ONCE = tuple(row for row in table.ROWS if row not in _REPEATED)


def _asked(expectation):
    """Names of the densities on which an expectation depends."""
    sides = [getattr(expectation.under, side, expectation.under) for side in ("left", "right")]
    drawn = {step.density for side in sides for step in side.steps}
    parts = [part for part in (expectation.of, expectation.weight) if part is not None]
    return drawn.union(*(getattr(part, kind) for part in parts for kind in ("scored", "conditioned")))


class SimultaneousTest(parameterized.TestCase):
    def check(self, row):
        models = [
            table.model(*row, optimizer=keras.optimizers.SGD(0.1), schedule=schedule)
            for schedule in ("alternating", "simultaneous")
        ]
        for model in models:
            history = model.fit(table.dataset(model.recipe, n=table.BATCH), verbose=0).history  # one step
            self.assertTrue(np.isfinite(list(history.values())).all(), history)
        first, *others = models[0].recipe.phases
        left, right = ([v.numpy() for v in model.joint.variables_of(first)] for model in models)
        for a, b in zip(left, right, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        seen = set(first.updates)
        for phase in others:
            left, right = (np.concatenate([v.numpy().ravel() for v in m.joint.variables_of(phase)]) for m in models)
            asked = set().union(*(_asked(e) for e in phase.minimise))
            if asked & seen:
                self.assertGreater(np.abs(left - right).max(), 1e-6)
            else:
                np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)
            seen |= set(phase.updates)

    @parameterized.named_parameters(*(row for row in table.CHOSEN if row in _ONCE))
    @pytest.mark.slow
    def test_only_phases_after_the_first_see_other_parameters(self, *row):
        self.check(row)

    @parameterized.named_parameters(*(row for row in table.OTHERS if row in _ONCE))
    @pytest.mark.slow
    def test_only_phases_after_the_first_see_other_parameters_for(self, *row):
        self.check(row)

    @parameterized.named_parameters(*_REPEATED)
    def test_refuses_phases_that_run_several_times(self, *row):
        with self.assertRaisesRegex(ValueError, "Phase 'discriminate' runs several times .* use 'alternating'"):
            table.model(*row, schedule="simultaneous")


if __name__ == "__main__":
    absltest.main()
