"""Contests: what a discriminator and those who play against it minimise, as functions of its output."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from ugm_tf.algebra.role import Roles

__all__ = ["Contest", "get", "names"]

Function = Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Contest:
    """The four losses of a contest, each a function of the discriminator's output l, [B], in nats or its own unit.

    Attributes:
        name: Its name.
        real: The discriminator's loss on the real side, y = 1.
        fake: The discriminator's loss on the generated side, y = 0.
        fool: What who makes the generated side minimises there.
        fool_real: What who makes the real side minimises there, if somebody does.
        log_ratio: Whether the best l is log p(. | y=1) - log p(. | y=0), so that exp(l) is an importance weight.
        texts: The four losses as `describe` prints them, with {l} for its output and {q1} for q(y=1 | .).
        boundary: The output above which it takes an example for real; None of a critic, whose zero means nothing.
    """

    name: str
    real: Function
    fake: Function
    fool: Function
    fool_real: Function
    log_ratio: bool
    texts: tuple[str, str, str, str]
    boundary: float | None = 0.0

    def loss(self, y: int, reverse: bool) -> Function:
        """The loss on side y; `reverse` for that of the discriminator's adversary."""
        return (self.fake, self.real, self.fool, self.fool_real)[y + 2 * reverse]

    def text(self, y: int, reverse: bool, by: str, roles: Roles) -> str:
        """That loss as `describe` prints it, for the discriminator `by`."""
        text = (self.texts[1], self.texts[0], self.texts[2], self.texts[3])[y + 2 * reverse]
        one, none = (roles.text(by, value) for value in (1, 0))
        reversed_one, reversed_none = (roles.text(by, value, letter="q^r") for value in (1, 0))
        return text.format(
            l=roles.logit(by),
            T=roles.logit(by, f"T[{self.name}]"),
            conjugate=roles.logit(by, f"T*[{self.name}]"),
            q1=one,
            q0=none,
            r1=reversed_one,
            r0=reversed_none,
        )


def _negative(function: Function) -> Function:
    return lambda logits: -function(logits)


def _plus(logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.softplus(logits)


def _minus(logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.softplus(-logits)


_LOGISTIC = ("-log {q1}", "-log {q0}")


def _f_divergence(name: str, threshold: Function, conjugate: Function) -> Contest:
    """Nowozin's bound on D_f(real || generated) with T = f'(exp(l)), so that l estimates the log-ratio for each f.

    TFP's function of this name is f(exp(l)).  In closed form T and f*(T) = exp(l) T - f(exp(l)) keep their digits at
    large l, where the two terms of f* cancel or overflow.
    """
    texts = ("-{T}", "{conjugate}", "-{conjugate}", "{T}")
    real, fool = _negative(threshold), _negative(conjugate)
    return Contest(name, real, conjugate, fool, threshold, True, texts)


def _jeffreys(logits: tf.Tensor) -> tf.Tensor:
    return 0.5 * (logits + tf.math.expm1(logits))


def _geometric(logits: tf.Tensor) -> tf.Tensor:
    return _plus(logits) - 0.5 * logits - 0.5 * tf.math.expm1(-logits)


def _triangular(logits: tf.Tensor) -> tf.Tensor:
    return tf.tanh(0.5 * logits) * (1.0 + 2.0 * tf.sigmoid(logits))


# T(l) and f*(T(l)) by the name of f.
_F_DIVERGENCES: dict[str, tuple[Function, Function]] = {
    "arithmetic_geometric": (_geometric, lambda logits: -_geometric(-logits)),
    "chi_square": (lambda logits: 2.0 * tf.exp(logits), lambda logits: tf.exp(2.0 * logits) + 1.0),
    "jeffreys": (lambda logits: -_jeffreys(-logits), _jeffreys),
    "jensen_shannon": (_negative(_minus), _plus),
    "kl_forward": (lambda logits: logits + 1.0, tf.exp),
    "kl_reverse": (lambda logits: -tf.exp(-logits), lambda logits: logits - 1.0),
    "pearson": (lambda logits: 2.0 * tf.math.expm1(logits), lambda logits: tf.math.expm1(2.0 * logits)),
    "squared_hellinger": (
        lambda logits: -tf.math.expm1(-0.5 * logits),
        lambda logits: tf.math.expm1(0.5 * logits),
    ),
    "triangular": (lambda logits: -_triangular(-logits), _triangular),
}

_CONTESTS = {
    contest.name: contest
    for contest in (
        Contest(
            "logistic",
            real=_minus,
            fake=_plus,
            fool=_minus,
            fool_real=_plus,
            log_ratio=True,
            texts=(*_LOGISTIC, "-log {r0}", "-log {r1}"),
        ),
        Contest(
            "minimax",
            real=_minus,
            fake=_plus,
            fool=_negative(_plus),
            fool_real=_negative(_minus),
            log_ratio=True,
            texts=(*_LOGISTIC, "log {q0}", "log {q1}"),
        ),
        Contest(
            "log_ratio",
            real=_minus,
            fake=_plus,
            fool=tf.negative,
            fool_real=tf.identity,
            log_ratio=True,
            texts=(
                *_LOGISTIC,
                "-log[{q1} / {q0}]",
                "log[{q1} / {q0}]",
            ),
        ),
        Contest(
            "least_squares",
            real=lambda logits: 0.5 * tf.square(logits - 1.0),
            fake=lambda logits: 0.5 * tf.square(logits),
            fool=lambda logits: 0.5 * tf.square(logits - 1.0),
            fool_real=lambda logits: 0.5 * tf.square(logits),
            log_ratio=False,
            texts=("1/2 [{l} - 1]^2", "1/2 {l}^2", "1/2 [{l} - 1]^2", "1/2 {l}^2"),
            boundary=0.5,
        ),
        Contest(
            "hinge",
            real=lambda logits: tf.nn.relu(1.0 - logits),
            fake=lambda logits: tf.nn.relu(1.0 + logits),
            fool=tf.negative,
            fool_real=tf.identity,
            log_ratio=False,
            texts=("max(0, 1 - {l})", "max(0, 1 + {l})", "-{l}", "{l}"),
        ),
        Contest(
            "wasserstein",
            real=tf.negative,
            fake=tf.identity,
            fool=tf.negative,
            fool_real=tf.identity,
            log_ratio=False,
            texts=("-{l}", "{l}", "-{l}", "{l}"),
            boundary=None,
        ),
        *(_f_divergence(name, *functions) for name, functions in _F_DIVERGENCES.items()),
    )
}


def names() -> list[str]:
    """The contests that there are.

    | name | the discriminator minimises | its adversary minimises |
    |---|---|---|
    | "logistic" | -log q(y), the cross-entropy | -log q^r(y), of the reversed y (the paper's) |
    | "minimax" | the same | the negative of the discriminator's loss |
    | "log_ratio" | the same | the log-ratio itself: KL(generated || real) by a frozen discriminator |
    | "least_squares" | 1/2 (l - y)^2 | 1/2 (l - (1 - y))^2 |
    | "hinge" | max(0, 1 -+ l) | -+ l |
    | "wasserstein" | -+ l, with a gradient penalty | -+ l |
    | a function of `tfp.vi`, such as "kl_forward" | -T and f*(T), with T = f'(exp(l)) | the negative of that |

    References:
        Ian Goodfellow et al. Generative Adversarial Nets. NIPS 2014, equation 1 ("minimax").
        Xudong Mao et al. Least Squares Generative Adversarial Networks. ICCV 2017, equation 9, with a = 0, b = c = 1.
        Takeru Miyato et al. Spectral Normalization for GANs. ICLR 2018, equations 16 and 17 ("hinge").
        Ishaan Gulrajani et al. Improved Training of Wasserstein GANs. NIPS 2017, equation 3.
        Sebastian Nowozin, Botond Cseke, Ryota Tomioka. f-GAN. NIPS 2016, equation 4.
    """
    return list(_CONTESTS)


def get(name: str) -> Contest:
    """The contest of this name.

    Raises:
        ValueError: If there is none.
    """
    if name not in _CONTESTS:
        raise ValueError(f"There is no contest '{name}'. There are: {', '.join(names())}.")
    return _CONTESTS[name]
