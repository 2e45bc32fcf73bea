"""What decides how a run is made: what its recipe does, and what its data are."""

import dataclasses
import functools

import ugm_tf

from .building import is_adversarial

__all__ = ["LARGE", "MANY", "Facts"]

LARGE = 16  # sides from which images are worth convolving
MANY = 10_000  # examples


@dataclasses.dataclass(frozen=True, eq=False)
class Facts:
    """What the rules look at.

    Attributes:
        recipe: The recipe, with its hyperparameters.
        shape: Shape of one example.
        examples: Number of training examples.
        rarest: Number of training examples of the rarest class.
        families: Densities whose families were asked for one by one.
    """

    recipe: ugm_tf.Recipe
    shape: tuple[int, ...]
    examples: int
    rarest: int
    families: frozenset[str] = frozenset()

    @property
    def image(self) -> bool:
        return len(self.shape) == 3

    @property
    def colour(self) -> bool:
        return self.image and self.shape[-1] != 1

    @property
    def large(self) -> bool:
        """Whether examples are images of 16 pixels or more."""
        return self.image and min(self.shape[:2]) >= LARGE

    @property
    def longest(self) -> int:
        """The longest side of an image."""
        return max(self.shape[:2])

    @property
    def many(self) -> bool:
        return self.examples >= MANY

    @functools.cached_property
    def scores(self) -> list[str]:
        """The densities of data that score it, and are not only sampled."""
        families = ugm_tf.networks.default_families(self.recipe)
        of_data = [name for name, role in self.recipe.roles.items() if role.of in self._of_data]
        return [name for name in of_data if families[name] not in ("point", "logit")]

    @property
    def free(self) -> list[str]:
        """Those of `scores` whose family neither the recipe nor a flag says."""
        return [name for name in self.scores if name not in self.recipe.families and name not in self.families]

    @property
    def coded(self) -> bool:
        """Whether there is a variable beside the data, their classes and provenance."""
        variables = {v for role in self.recipe.roles.values() for v in (role.of, *role.given)}
        return bool(variables - self._of_data - {"c", "y"})

    @property
    def judges_means(self) -> bool:
        """Whether the mean of scored data is judged as well."""
        means = {step.density for step in self.recipe.steps if isinstance(step, ugm_tf.Mean)}
        return bool(self.scores) and any(self.recipe.roles[name].of in self._of_data for name in means)

    @property
    def contested(self) -> bool:
        """Whether data are only judged, or what scores them learns by the steps of a phase against a discriminator."""
        against = [phase for phase in self.recipe.phases if is_adversarial(phase)]
        return not self.scores or any(set(self.scores) & set(phase.updates) for phase in against)

    @property
    def enumerates(self) -> bool:
        """Whether every class is tried in place of a draw."""
        return any(isinstance(step, ugm_tf.Enumerate) for step in self.recipe.steps)

    @property
    def learns_factors(self) -> bool:
        """Whether units of a code are to be independent."""
        terms = (e.of for e in self.recipe.expectations)
        permuted = any(isinstance(step, ugm_tf.Permute) for step in self.recipe.steps)
        return permuted or any(isinstance(term, ugm_tf.TotalCorrelation) for term in terms)

    @property
    def conditioned(self) -> bool:
        """Whether some discriminator judges an example beside a vector."""
        return bool(self._judged_beside)

    @property
    def judges_codes(self) -> bool:
        """Whether that vector is a code."""
        return bool(self._judged_beside - {"c"})

    @property
    def _judged_beside(self) -> set[str]:
        """What discriminators of two variables judge beside an example."""
        given = [{*self.recipe.roles[name].given} for name in self.recipe.judges]
        return {v for names in given if len(names) == 2 and len(rest := names - self._of_data) == 1 for v in rest}

    @property
    def _of_data(self) -> set[str]:
        return {"x", *self.recipe.data} - {"c"}
