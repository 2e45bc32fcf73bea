"""Small models of every recipe that a transfer makes sense for, with which a transfer's whole steps are compared.

Each row of a table is of a pair in `tests/algebra/pairs.py`, by its name: the densities, the data, and who learns by
what the transfer changes; of the adversary-activated ones the recipe's hyperparameters come first.
"""

import numpy as np

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws

__all__ = ["ACTIVATED", "LABELLED", "WEIGHTED", "X"]

X, LABELLED, TARGET = draws(3, 8, 2), draws(8, 8, 2), draws(9, 8, 3)
C = toys.one_hot(2, 0, 1, 1, 0, 1, 0, 0, 1)
BOTH = ("decoder", "encoder")
CONDITIONAL = {"x": X, "c": C}
ALL = {"x": X, "labelled": LABELLED, "c": C}


def _network(sizes, outputs, seed, family):
    make = toys.mlp(sizes[0], outputs, seed) if len(sizes) == 1 else toys.joined(sizes, outputs, seed)
    if family == "logit":  # a discriminator that is not too certain to teach anything
        make.set_weights([0.4 * w for w in make.get_weights()])
    return toys.Seeded(make, family)


def _gan(decoder=(3,), discriminator=(2,), family="point", **more):
    """A GAN's densities, and more by their arguments."""
    return {
        "prior": toys.Given(draws(4, 8, 3)),
        "decoder": _network(decoder, 2, 1, family),
        "discriminator": _network(discriminator, 1, 2, "logit"),
        **{name: _network(*arguments) for name, arguments in more.items()},
    }


def _pairs(encoder="point", decoder="point"):
    """The densities of a discriminator of x and z."""
    return _gan(discriminator=(2, 3), family=decoder, encoder=((2,), 6 if encoder == "gaussian" else 3, 6, encoder))


def _infogan():
    return {
        **_gan((3, 2, 1), class_encoder=((2,), 2, 6, "one_hot"), code_encoder=((2,), 2, 7, "gaussian")),
        "classes": toys.Given(C, "one_hot"),
        "codes": toys.Given(draws(5, 8, 1), "uniform"),
    }


def _cyclegan():
    return {
        "forward": _network((2,), 3, 1, "laplace"),
        "decoder": _network((3,), 2, 2, "laplace"),
        "discriminator": _network((2,), 1, 3, "logit"),
        "target_discriminator": _network((3,), 1, 4, "logit"),
    }


def _domains():
    return {
        "encoder": _network((2,), 3, 1, "point"),
        "classifier": _network((3,), 2, 2, "one_hot"),
        "discriminator": _network((3,), 1, 3, "logit"),
    }


def _aae():
    return _gan(discriminator=(3,), family="unit_gaussian", encoder=((2,), 3, 6, "point"))


def _avb():
    parts = _gan(discriminator=(2, 3), family="unit_gaussian", encoder=((2, 2), 3, 6, "point"))
    return {**parts, "noise": toys.Given(draws(6, 8, 2))}


def _alpha_gan():
    return _gan(family="laplace", encoder=((2,), 3, 6, "point"), code_discriminator=((3,), 1, 7, "logit"))


def _factor_vae():
    return _gan(discriminator=(3,), family="unit_gaussian", encoder=((2,), 6, 6, "gaussian"))


WEIGHTED = {
    "gan": (_gan, X, ("decoder",)),
    "conditional_gan": (lambda: _gan((3, 2), (2, 2)), CONDITIONAL, ("decoder",)),
    "acgan": (lambda: _gan((3, 2), classifier=((2,), 2, 6, "one_hot")), CONDITIONAL, ("decoder",)),
    "infogan": (_infogan, X, ("decoder",)),
    "infogan_of_one_code": (lambda: _gan(encoder=((2,), 6, 6, "gaussian")), X, ("decoder",)),
    "bigan": (_pairs, X, BOTH),
    "alice": (lambda: _pairs(decoder="laplace"), X, BOTH),
    "aae": (_aae, X, ("encoder",)),
    "cyclegan": (_cyclegan, {"x": X, "target": TARGET}, ("decoder", "forward")),
    "adversarial_domain_adaptation": (_domains, {"x": X, "c": C, "target": LABELLED}, ("encoder",)),
    "veegan": (lambda: _pairs("unit_gaussian"), X, ("decoder",)),  # its encoder learns from no contest
    "as_vae": (lambda: _pairs("gaussian", "laplace"), X, BOTH),
    "alpha_gan": (_alpha_gan, X, BOTH),
    "vae_gan": (lambda: _gan(family="laplace", encoder=((2,), 6, 6, "gaussian")), X, BOTH),
    "avb": (_avb, X, ("encoder",)),
    "factor_vae": (_factor_vae, X, ("encoder",)),
}


def _vae(inputs=(2,), codes=(3,)):
    return {
        "prior": ugm_tf.Prior((3,)),
        "encoder": _network(inputs, 6, 1, "gaussian"),
        "decoder": _network(codes, 2, 2, "unit_gaussian"),
    }


def _with_given_codes():
    """Draws of the prior that are the same before and after the transfer."""
    return {**_vae(), "prior": toys.Given(draws(4, 8, 3))}


def _hierarchical():
    return {
        "prior": ugm_tf.Prior((2,)),
        "middle": _network((2,), 6, 5, "gaussian"),
        "decoder": _network((3,), 2, 2, "unit_gaussian"),
        "encoder": _network((2,), 6, 1, "gaussian"),
        "top_encoder": _network((3,), 4, 6, "gaussian"),
    }


def _semi_supervised():
    return {
        **_vae((2, 2), (3, 2)),
        "classes": ugm_tf.Prior((2,), "one_hot"),
        "classifier": _network((2,), 2, 5, "one_hot"),
    }


def _stacked():
    return {
        **_semi_supervised(),
        "middle": _network((3, 2), 4, 6, "gaussian"),
        "decoder": _network((2,), 2, 2, "unit_gaussian"),
        "features": _network((2,), 4, 7, "gaussian"),
        "features_prior": ugm_tf.Prior((2,)),
    }


def _iaf():
    flow = ugm_tf.densities.InverseAutoregressiveFlow(3, hidden=(5,), context=2)
    rng = np.random.default_rng(0)
    flow.set_weights([0.3 * rng.normal(size=w.shape) for w in flow.get_weights()])
    return {**_vae(), "encoder": toys.Seeded(toys.mlp(2, 8, seed=1), "gaussian", flow=flow)}


ACTIVATED = {
    "vae": ({"beta": 2.0}, _vae, X, BOTH),
    "conditional_vae": ({}, lambda: _vae((2, 2), (3, 2)), CONDITIONAL, BOTH),
    "beta_tc_vae": ({}, _vae, X, BOTH),
    "info_vae": ({}, _with_given_codes, X, BOTH),
    "wae": ({}, _with_given_codes, X, BOTH),
    "iaf_vae": ({}, _iaf, X, BOTH),
    "iwae": ({"k": 3}, _vae, X, BOTH),
    "iwae_dreg": ({"k": 3, "gradient": "doubly_reparameterised"}, _vae, X, BOTH),
    "miwae": ({"groups": 2, "k": 3}, _vae, X, BOTH),
    "hierarchical_vae": ({"k": 2}, _hierarchical, X, (*BOTH, "middle", "top_encoder")),
    "wake_sleep": ({}, _vae, X, ("decoder",)),  # the encoder learns from the decoder's draws alone
    # With alpha = 0, as the labels' own term is not weighted.
    "semi_supervised_vae": ({"alpha": 0.0}, _semi_supervised, ALL, (*BOTH, "classifier")),
    "stacked_semi_supervised_vae": ({"alpha": 0.0}, _stacked, ALL, (*BOTH, "classifier", "features", "middle")),
}
