"""The paper's two transfers, as functions from recipe to recipe."""

import dataclasses

from ugm_tf.algebra.ancestral_steps import Draw, Mean
from ugm_tf.algebra.judged import DiscriminatorLoss
from ugm_tf.algebra.phases import Expectation, Phase, adversarial
from ugm_tf.algebra.recipe import Recipe, check_is_recipe
from ugm_tf.algebra.samplers import Ancestral
from ugm_tf.algebra.step import Step
from ugm_tf.algebra.terms import NegativeLogProb
from ugm_tf.algebra.weights import DiscriminatorProbability, ImportanceWeight

__all__ = ["adversary_activated", "importance_weighted"]


def importance_weighted(recipe: Recipe, normalise: str = "batch") -> Recipe:
    """Weights each generated draw by how far the discriminator takes it for data: GAN -> IWGAN.

    Every reversed expectation of -log q^r(y | .) gets the weights of equation 16,

        w[i] = q^r(y | .) / q(y | .),   w~ = w / sum(w);   for y = 0 the softmax of the logits,

    detached and normalised over the batch.  The discriminator learns as before.  For each batch the
    gradient is that of the minimax loss times k / sum(w), with k the batch's size: the direction is the
    minimax one, and the length does not vanish when the discriminator wins.  So compare with contest="minimax" too.

    Args:
        recipe: A recipe with a phase that fools a discriminator.
        normalise: "batch", or "class" for a recipe whose decoder takes a class c: the weights of each class are
            then normalised on their own.  The paper does not say which; whole batches are the default.

    Raises:
        ValueError: If no phase minimises a reversed -log q^r(y | .), if it is weighted already, or if there is no
            class to normalise within: no p(. | c), or a discriminator of packs, whose examples are of several.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 15 and 16.
    """
    check_is_recipe("importance_weighted", recipe)
    if normalise not in ("batch", "class"):
        raise ValueError(f"normalise is 'batch' or 'class'. Received: normalise={normalise!r}.")
    if normalise == "class" and not any("c" in role.given for role in recipe.roles.values() if role.letter == "p"):
        raise ValueError(
            "normalise='class' is for a recipe that generates by a class c, such as conditional_gan(). This one has: "
            f"{', '.join(map(str, recipe.roles.values()))}."
        )

    def weighted(e: Expectation) -> Expectation:
        if not isinstance(e.of, DiscriminatorLoss) or not e.of.reverse:
            return e
        return dataclasses.replace(e, weight=ImportanceWeight(e.of.by, "c" if normalise == "class" else None, e.of.y))

    expectations = [e for e in recipe.expectations if weighted(e) is not e]
    if not expectations:
        raise ValueError(
            "importance_weighted weights expectations of -log q^r(y | .), the reversed discriminator's, and this "
            f"recipe minimises none: its phases are {_phases(recipe)}. Apply it to a recipe such as gan()."
        )
    if any(e.weight is not None for e in expectations):
        raise ValueError("The recipe's reversed expectations are weighted already. Apply importance_weighted once.")
    played = {e.of.contest for e in expectations if isinstance(e.of, DiscriminatorLoss)}
    other = next(iter(played - {"logistic"}), None)
    if other:
        raise ValueError(
            "importance_weighted weights -log q^r(y | .) of the logistic contest by q^r / q (equation 16). This "
            f"recipe plays contest='{other}'. Apply it to contest='logistic'."
        )
    return recipe.each(weighted)


def adversary_activated(recipe: Recipe, temperature: float = 1.0, fakes: str = "draws") -> Recipe:
    """Lets a VAE learn from its own samples, as far as a learned discriminator takes them for data: VAE -> AAVAE.

    Each expectation that infers from data is taken twice, over data and over generated examples, and weighted
    by q(y=1 | x) where the VAE has a perfect discriminator that counts data alone (equation 17):

        1/2 E_data[q(y=1 | x) * term] + 1/2 E_generated[q(y=1 | x) * term]

    The weights are not normalised, and are detached; generated examples are drawn from the current
    decoder and detached.  The phase `discriminate` trains q(y | x) as in a GAN.  With the optimal
    discriminator the expected gradient is half that of the VAE.

    A generated example is known with all that it was drawn from but its code.  So in a semi-supervised recipe it
    enters as a labelled one; where a class is inferred, examples of the data are weighted and none is generated.
    An expectation infers if it draws from a density q given no decoder's draws, unless it scores a q alone: a
    classifier's loss on labels stays as it is.  (The paper does not say how labels of generated examples enter.  That
    the discriminator is trained as in a GAN, and the temperature, are of its appendix, from memory.)

    Args:
        recipe: A recipe with a decoder of x and what it generates from, and a phase that infers, by an encoder.
        temperature: T of q(y=1 | x) = sigmoid(logit / T); T > 1 lets generated examples count for more.
        fakes: "draws" of the decoder, or its "means".

    Raises:
        ValueError: If the recipe has a discriminator already, or no such phase, or a term of it is of packs.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 17.
    """
    check_is_recipe("adversary_activated", recipe)
    if fakes not in ("draws", "means"):
        raise ValueError(f"fakes is 'draws' or 'means'. Received: fakes={fakes!r}.")
    if "discriminator" in recipe.densities:
        raise ValueError(
            "adversary_activated adds a discriminator of x to a recipe that has none; this one has "
            f"'discriminator': {recipe.densities['discriminator']}. Apply it to a recipe such as vae()."
        )
    wakes = [phase for phase in recipe.phases if any(_infers(recipe, e) for e in phase.minimise)]
    parts = recipe.ancestors("decoder", known=())[0] if "decoder" in recipe.densities else ()
    if not wakes or not parts:
        raise ValueError(
            "adversary_activated weights a phase that draws codes of data from a density q, such as 'encoder', in a "
            "recipe with a 'prior' and a 'decoder' to generate from. This recipe has the densities "
            f"{', '.join(recipe.densities)} and the phases {_phases(recipe)}. Apply it to a recipe such as vae()."
        )
    weight = DiscriminatorProbability(temperature=temperature)
    generated = Ancestral((*parts, Draw("decoder") if fakes == "draws" else Mean("decoder")))
    causes = {recipe.roles[name].of for name in parts} & set(recipe.data)  # such as a class that has a prior
    inferring = [e for phase in wakes for e in phase.minimise if _infers(recipe, e)]
    made = causes | {recipe.roles["decoder"].of}  # what is known of a generated example
    known = [e for e in inferring if causes and not _inferred(recipe, e, made) & causes]

    def activated(e: Expectation) -> tuple[Expectation, ...]:
        if e not in inferring:
            return (e,)
        if e.weight is not None:
            raise ValueError(f"adversary_activated cannot weight {e}, which has a weight already.")
        half = dataclasses.replace(e, scale=0.5 * e.scale, weight=weight)
        if known and e not in known:
            return (half,)

        def of_generated(side: Ancestral) -> Ancestral:
            steps = (step for step in side.steps if not _copies(recipe, step, made))
            return dataclasses.replace(side, steps=(*generated.detached().steps, *steps))  # of the side's own class

        return (
            dataclasses.replace(half, name=f"{e.label}_data"),
            dataclasses.replace(half, name=f"{e.label}_generated", under=e.under.each(of_generated)),
        )

    def wake(phase: Phase) -> Phase:
        return dataclasses.replace(phase, minimise=tuple(a for e in phase.minimise for a in activated(e)))

    discriminate, _ = adversarial(fake=generated, updates=("decoder",))
    phases = (discriminate, *(wake(phase) if phase in wakes else phase for phase in recipe.phases))
    return dataclasses.replace(recipe, densities={**recipe.densities, "discriminator": "q(y | x)"}, phases=phases)


def _infers(recipe: Recipe, e: Expectation) -> bool:
    """Whether the expectation draws from a density q, not given what a decoder drew, and scores more than a q."""
    inference = {name for name, role in recipe.roles.items() if role.letter == "q"}
    of_labels = isinstance(e.of, NegativeLogProb) and e.of.density in inference
    drawn = [{s.density for s in side.steps if s.density and _draws(recipe, s)} for side in e.under.sides]
    return not of_labels and all(bool(names & inference) and "decoder" not in names for names in drawn)


def _draws(recipe: Recipe, step: Step) -> bool:
    return step.density is not None and step.sets(recipe.roles) == recipe.roles[step.density].of


def _copies(recipe: Recipe, step: Step, made: set[str]) -> bool:
    """Whether a step copies data over what a generated example has of its own, such as labelled to x."""
    needs = set(step.needs(recipe.roles))
    return step.density is None and step.sets(recipe.roles) in made and bool(needs) and not needs & made


def _inferred(recipe: Recipe, e: Expectation, made: set[str]) -> set[str]:
    return {str(step.sets(recipe.roles)) for step in e.under.steps if not _copies(recipe, step, made)}


def _phases(recipe: Recipe) -> str:
    return ", ".join(phase.name for phase in recipe.phases)
