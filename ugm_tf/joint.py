"""A recipe whose roles are filled."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ugm_tf import density_validation, rehearsal
from ugm_tf.algebra import JointSample, Phase, Recipe, Roles
from ugm_tf.arrays import is_rows, of_numbers
from ugm_tf.densities import Density, Prior

__all__ = ["VERBS", "Joint"]

VERBS = {"encoder": "encode", "decoder": "decode", "discriminator": "discriminate", "classifier": "classify"}
# What else an answer of the whole model is called, or a part of one: no density's own answer can have these names.
_TAKEN = (*VERBS.values(), "sample", "reconstruct", "score", "log_prob_bound", "elbo", "logit")
_TAKEN_VARIABLES = ("seed", "ok")


@dataclasses.dataclass(frozen=True, eq=False)
class Joint:
    """A recipe whose roles are filled: the joint densities p and q, by their factors.

    What a model answers and what trains it are functions of this value.

    Args:
        recipe: A `Recipe`, such as `ugm_tf.recipes.vae(beta=4.0)`.
        densities: A `Density` or a `Prior` for each name in the recipe.

    Raises:
        ValueError: If the densities do not fit the recipe or one another.

    Example:

    >>> recipe = ugm_tf.recipes.vae()
    >>> joint = Joint(recipe, ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (3,)}))
    >>> joint.sample({"x": tf.zeros([5, 8, 8, 1])}, training=False).distribution("encoder").batch_shape
    TensorShape([5])
    """

    recipe: Recipe
    densities: Mapping[str, Density | Prior]

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Recipe):
            raise ValueError(
                f"A joint, as of a model, takes a Recipe, such as ugm_tf.recipes.get('vae'). Received: {self.recipe!r}."
            )
        _check_names(self.recipe)
        density_validation.check_densities(self.recipe, self.densities)
        ordered = {name: self.densities[name] for name in self.recipe.densities}
        rehearsal.rehearse(self.recipe, ordered)
        object.__setattr__(self, "densities", types.MappingProxyType(ordered))  # it was checked: it is not to change

    def __reduce__(self) -> Any:
        return Joint, (self.recipe, dict(self.densities))

    @property
    def roles(self) -> Roles:
        """The role of each density."""
        return self.recipe.roles

    def values(self, data: Any) -> dict[str, tf.Tensor]:
        """A batch of data by the names of the recipe's variables, in floating point; see `named`.

        Raises:
            ValueError: If it holds other variables, or what is no number.
        """
        return {name: _as_float(name, value) for name, value in self.named(data).items()}

    def named(self, data: Any) -> dict[str, Any]:
        """A batch of data, or its specification, by the names of the recipe's variables.

        Args:
            data: A dict by variable; or a tuple in the order of the recipe's `data`; or, of one variable, its values.

        Raises:
            ValueError: If it holds other variables.
        """
        names, parts = self.recipe.data, [data]
        rows = len(names) == 1 and isinstance(data, list) and is_rows(data)
        if isinstance(data, tuple | list) and not rows:
            parts = [part for part in data if part is not None]
            if len(parts) == 1:  # Keras wraps what it was given: (x,), or (x, None, None)
                return self.named(parts[0])
        if not isinstance(data, Mapping):
            if len(parts) != len(names):
                raise ValueError(
                    f"The recipe takes data of {', '.join(names)}: give a dict by them, or a tuple in that order. "
                    f"Received {len(parts)} part{'s' if len(parts) > 1 else ''}."
                    f"{_advice(data) if len(names) == 1 else ''}"
                )
            data = dict(zip(names, parts, strict=True))
        if set(data) != set(names):
            raise ValueError(f"The recipe takes data of {', '.join(names)}. Received a batch of {', '.join(data)}.")
        return {name: data[name] for name in names}

    def sample(
        self, values: Mapping[str, tf.Tensor], training: bool, batch_size: tf.Tensor | None = None
    ) -> JointSample:
        """The joint sample of these values, from which samplers start.

        Args:
            values: Variables by name, each [B, ...].
            training: Whether networks run as in training (batch normalisation, dropout).
            batch_size: B, where there are no values to tell it.
        """
        return JointSample(self.densities, self.roles, values, training, batch_size=batch_size)

    def variables_of(self, phase: Phase) -> list[Any]:
        """The variables that a phase changes, each once: one density may have several roles."""
        every = [variable for name in phase.updates for variable in self.densities[name].trainable_variables]
        return list({id(variable): variable for variable in every}.values())

    def changed_by(self, phase: Phase) -> tuple[str, ...]:
        """Names of the densities that a phase changes: of what it updates, in every role that it has, and of priors
        that are made of it."""
        updated = {id(self.densities[name]) for name in phase.updates}
        made_of = {n: [d, *(self.densities[t] for t in getattr(d, "through", ()))] for n, d in self.densities.items()}
        return tuple(name for name, parts in made_of.items() if any(id(part) in updated for part in parts))


def _check_names(recipe: Recipe) -> None:
    """Refuses a density whose own answer would stand in the place of another one."""
    for name, role in recipe.roles.items():
        if name in _TAKEN:
            raise ValueError(
                f"A density cannot be called '{name}': what a model answers, or a part of it, has that name. Rename "
                f"'{name}', which is {role}."
            )
        if wrong := [v for v in (role.of, *role.given) if v in _TAKEN_VARIABLES]:
            raise ValueError(
                f"A variable cannot be called '{wrong[0]}', which is what endpoints call the draws' seed or the rows "
                f"that have an answer. Rename it in '{name}', which is {role}."
            )


def _as_float(name: str, value: Any) -> tf.Tensor:
    value = tf.convert_to_tensor(of_numbers(value, f"The data of {name}"))
    return value if value.dtype.is_floating else tf.cast(value, tf.float32)


def _advice(data: Any) -> str:
    if isinstance(data, tuple) and len(data) == 2:
        return " There are no targets: give the data alone."
    return " Make one array of a list of examples with np.stack."
