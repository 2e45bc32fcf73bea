"""Differentiable augmentation of what a discriminator judges, on both sides and for both players."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from ugm_tf.algebra.ancestral_steps import Pack, Rename
from ugm_tf.algebra.contested import judges_of
from ugm_tf.algebra.phases import Expectation
from ugm_tf.algebra.recipe import Recipe, check_is_recipe
from ugm_tf.algebra.samplers import Ancestral
from ugm_tf.algebra.step import Step
from ugm_tf.densities import fold
from ugm_tf.serialization import record

__all__ = ["POLICY", "DiffAugment", "diffaugmented"]

_GREY = 0.5  # the 0 of images in [-1, 1], where the paper's are
_BRIGHTNESS = 0.25  # added at most


@record
class DiffAugment(Step):
    """Changes each image at random, by functions through which gradients flow.

    | change | of images in [0, 1], by uniform numbers u |
    |---|---|
    | "color" | brightness, x + (u - 1/2) / 2 |
    | | then saturation, m + 2 u (x - m), with a pixel's mean m over channels |
    | | then contrast, m + (u + 1/2) (x - m), with the image's mean m |
    | "translation" | by up to an eighth of each side; grey, 0.5, comes in |
    | "cutout" | a rectangle of half of each side is grey; its centre is anywhere |

    Args:
        old: The variable of the images, [B, H, W, C] in [0, 1].
        new: The variable that gets the changed ones.
        policy: Which changes, in this order.

    References:
        Shengyu Zhao et al. Differentiable Augmentation for Data-Efficient GAN Training. NeurIPS 2020.
        https://arxiv.org/abs/2006.10738, section 3.2 and appendix A.
    """

    old: str
    new: str
    policy: tuple[str, ...] = ("color", "translation", "cutout")
    alters = True

    def __post_init__(self) -> None:
        known, policy = ", ".join(POLICY), self.policy
        if not policy or not set(policy) <= set(POLICY) or len(set(policy)) < len(policy):
            raise ValueError(f"DiffAugment's policy is of {known}, each at most once. Received: policy={policy}.")

    def __call__(self, sample, seed):
        x = sample[self.old]
        lead = sample.axes if x.shape.rank > 4 else ()
        images = tf.reshape(x, [-1, *x.shape[-3:]]) if lead else x
        for i, name in enumerate(self.policy):
            change, count = _CHANGES[name]
            noise = sample.noise("uniform", fold(seed, i), [count], lead)
            images = change(images, tf.unstack(tf.reshape(noise, [-1, count, 1, 1]), axis=1))
        return sample.where(**{self.new: tf.ensure_shape(tf.reshape(images, tf.shape(x)), x.shape)})

    def reach(self, least: float, most: float) -> tuple[float, float]:
        """Between what changed images lie at most, of images between these."""
        for name in self.policy:
            if name == "color":
                width = most - least
                least, most = least - _BRIGHTNESS - width, most + _BRIGHTNESS + width  # saturation doubles a difference
                width = most - least
                least, most = least - width / 2, most + width / 2  # contrast makes it half as large again
            else:
                least, most = min(least, _GREY), max(most, _GREY)
        return least, most

    needs, sets = Rename.needs, Rename.sets

    def source(self, roles):
        return f"= {' + '.join(self.policy)} of {self.old}"

    def shape(self, shapes):
        if self.old not in shapes:
            return {}
        if len(shapes[self.old]) != 3:
            raise ValueError(
                f"DiffAugment changes images, [H, W, C]. Received: {self.old} of shape {list(shapes[self.old])}. Leave "
                "it out, or train on images."
            )
        return {self.new: shapes[self.old]}


def diffaugmented(recipe: Recipe, policy: tuple[str, ...] = ("color", "translation", "cutout")) -> Recipe:
    """The recipe with discriminators that judge augmented images, real and generated ones alike.

    Where there are few data a discriminator learns them by heart; here it sees each in many forms.  Both players
    see the same distribution of changes, and its gradient flows through them, so that what is generated need not look
    changed.  Only terms that ask a discriminator are changed: likelihoods are of the images as they are.

    Args:
        recipe: A recipe with a discriminator of images that are generated on some side.
        policy: Which changes; see `DiffAugment`.

    Raises:
        ValueError: If there is no such discriminator, or if single examples are weighted by its logit, or this is kept
            for later: a likelihood that is weighted by the logit of another, changed image would be biased.

    Example:

    >>> print(diffaugmented(ugm_tf.recipes.gan(), ("translation", "cutout")).describe())
    discriminate: minimise over discriminator
        E[x ~ data, x_augmented = translation + cutout of x] -log q(y=1 | x_augmented)
      + E[z ~ prior, x ~ decoder, x_augmented = translation + cutout of x] -log q(y=0 | x_augmented)
    generate: minimise over decoder
        E[z ~ prior, x ~ decoder, x_augmented = translation + cutout of x] -log q^r(y=0 | x_augmented)

    References:
        Shengyu Zhao et al. Differentiable Augmentation for Data-Efficient GAN Training. NeurIPS 2020.
        https://arxiv.org/abs/2006.10738, equations 4 and 5.
    """
    check_is_recipe("diffaugmented", recipe)
    DiffAugment("x", "x_augmented", policy)  # refuses a policy before all else
    chosen = _chosen(recipe)

    def change(e: Expectation) -> Expectation:
        asked = [name for name in e.of.judges if name in chosen]
        weighs = [] if e.weight is None else [name for name in e.weight.judges if name in chosen and name not in asked]
        if weighs:
            raise ValueError(
                f"The recipe weighs '{e.label}', {e.of.describe(recipe.roles)}, by '{weighs[0]}', which would judge "
                "changed images: weights of other images than those that are scored would bias the likelihood. Leave "
                "diffaugment out, or use a recipe without these weights."
            )
        if not asked:
            return e
        if kept := [step for step in e.under.steps if step.density in chosen]:
            raise ValueError(
                f"The recipe keeps the logit of '{kept[0].density}' for each image, to compare it with a later one of "
                "the same image, which would be changed otherwise then. Leave diffaugment out, or use a recipe without "
                f"{type(kept[0]).__name__}."
            )
        variables = tuple(dict.fromkeys(v for name in asked for v in chosen[name]))
        return dataclasses.replace(e, under=e.under.each(lambda side: _changed(side, variables, policy)))

    packs = {step.new for step in recipe.steps if isinstance(step, Pack)}
    densities = dict(recipe.densities)
    for name, variables in chosen.items():
        given = [f"{v}_augmented" if v in variables and v not in packs else v for v in recipe.roles[name].given]
        densities[name] = f"q(y | {', '.join(given)})"
    phases = tuple(dataclasses.replace(p, minimise=tuple(map(change, p.minimise))) for p in recipe.phases)
    return dataclasses.replace(recipe, phases=phases, densities=densities)


def _chosen(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """By discriminator: which of what it judges are images that come from data on one side, and are made on another."""
    if any(isinstance(step, DiffAugment) for step in recipe.steps):
        raise ValueError("The recipe's discriminators judge augmented images already. Apply diffaugmented once.")
    images = {"x", *recipe.data} - {"c", *recipe.families}
    packs = {step.new: step.old for step in recipe.steps if isinstance(step, Pack)}
    found = {}
    for name, (_, real, fakes) in judges_of(recipe).items():
        made = {step.sets(recipe.roles) for side in (real, *fakes) for step in side.steps}
        if variables := tuple(v for v in recipe.roles[name].given if packs.get(v, v) in images & made):
            found[name] = variables
    if not found:
        has = ", ".join(f"'{name}': {recipe.roles[name]}" for name in judges_of(recipe)) or "none"
        raise ValueError(
            "diffaugment changes the images that a discriminator tells from generated ones. Where a likelihood scores "
            "them or a discriminator judges their codes alone, the model would be of changed images. This recipe's "
            f"discriminators: {has}. Leave it out, flip or shift the data, or use a recipe such as gan()."
        )
    return found


def _changed(side: Ancestral, variables: tuple[str, ...], policy: tuple[str, ...]) -> Ancestral:
    """The side with these variables changed behind all else, or before they are packed."""
    steps = list(side.steps)
    for variable in variables:
        at = next((i for i, step in enumerate(steps) if isinstance(step, Pack) and step.new == variable), None)
        old = variable if at is None else steps[at].old
        new = f"{old}_augmented"
        change = DiffAugment(old, new, policy)
        steps[len(steps) if at is None else at :] = (
            [change] if at is None else [change, dataclasses.replace(steps[at], old=new), *steps[at + 1 :]]
        )
    return dataclasses.replace(side, steps=tuple(steps))


def _color(x: tf.Tensor, u: list[tf.Tensor]) -> tf.Tensor:
    brightness, saturation, contrast = (each[..., None] for each in u)
    x = x + 0.5 * (brightness - 0.5)
    mean = tf.reduce_mean(x, -1, keepdims=True)
    x = mean + 2.0 * saturation * (x - mean)
    mean = tf.reduce_mean(x, [1, 2, 3], keepdims=True)
    return mean + (contrast + 0.5) * (x - mean)


def _translation(x: tf.Tensor, u: list[tf.Tensor]) -> tf.Tensor:
    for axis, each in zip((1, 2), u, strict=True):
        size = x.shape[axis]
        most = size // 8
        by = _whole(each[:, 0], 2 * most + 1) - most
        frame = [[0, 0], *([1, 1] if i == axis else [0, 0] for i in (1, 2)), [0, 0]]
        places = tf.clip_by_value(tf.range(size)[None] + by + 1, 0, size + 1)
        x = tf.gather(tf.pad(x, frame, constant_values=_GREY), places, axis=axis, batch_dims=1)
    return x


def _cutout(x: tf.Tensor, u: list[tf.Tensor]) -> tf.Tensor:
    inside = []
    for axis, each in zip((1, 2), u, strict=True):
        size = x.shape[axis]
        long = size // 2
        first = _whole(each[:, 0], size + 1 - long % 2) - long // 2
        places = tf.range(size)[None]
        inside.append((places >= first) & (places < first + long))
    hidden = (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
    return tf.where(hidden, tf.constant(_GREY, x.dtype), x)


def _whole(u: tf.Tensor, number: int) -> tf.Tensor:
    """Whole numbers from 0 on, so many, each as likely as another."""
    return tf.minimum(tf.cast(tf.floor(u * number), tf.int32), number - 1)  # a product may round up


_CHANGES: dict[str, tuple[Callable[[tf.Tensor, list[tf.Tensor]], tf.Tensor], int]] = {
    "color": (_color, 3),
    "translation": (_translation, 2),
    "cutout": (_cutout, 2),
}
POLICY = tuple(_CHANGES)
