"""Terms that ask a discriminator."""

import tensorflow as tf

from ugm_tf.algebra import contests
from ugm_tf.algebra.terms import Term
from ugm_tf.serialization import number, record

__all__ = ["ClippedRatio", "DiscriminatorLoss", "GradientPenalty"]


@record
class DiscriminatorLoss(Term):
    """-log q(y | .), the cross-entropy of a discriminator, in nats, [B]; reversed, -log q^r(y | .).

    With logit l, q(y=1 | .) = sigmoid(l), and the reversed q^r(y | .) = q(1 - y | .) swaps the sides:

        -log q(y=1 | .) = -log q^r(y=0 | .) = softplus(-l)
        -log q(y=0 | .) = -log q^r(y=1 | .) = softplus(l)

    That is the logistic contest, the paper's.  Other contests put other functions of l in their places.  Of a
    discriminator of patches it is the mean over their logits.

    Args:
        y: The provenance: 1 for data, 0 for generated.
        by: Name of the discriminator, of family "logit".
        reverse: Whether this is the adversary's side.
        contest: One of `ugm_tf.contests.names()`.

    References:
        Zhiting Hu, Zichao Yang, Ruslan Salakhutdinov, Eric Xing. On Unifying Deep Generative
        Models. ICLR 2018. https://arxiv.org/abs/1706.00550, equation 3.
    """

    y: int
    by: str = "discriminator"
    reverse: bool = False
    contest: str = "logistic"

    def __post_init__(self) -> None:
        if self.y not in (0, 1):
            raise ValueError(f"The provenance y is 1 for data or 0 for generated. Received: y={self.y}.")
        contests.get(self.contest)

    @property
    def judges(self):
        return (self.by,)

    @property
    def by_draw(self):
        return True

    def __call__(self, sample):
        judged, loss = sample.distribution(self.by), contests.get(self.contest).loss(self.y, self.reverse)
        patches = getattr(judged, "patches", None)
        return loss(judged.logits) if patches is None else tf.reduce_mean(loss(patches), -1)

    def describe(self, roles):
        return contests.get(self.contest).text(self.y, self.reverse, self.by, roles)

    @property
    def label(self):
        return f"{self.by}_y{self.y}{'_reversed' if self.reverse else ''}"


@record
class GradientPenalty(Term):
    """(|dl/dv| - target)^2, where l is a discriminator's output and v what it judges of an example, [B].

    With target = 1 between real and generated examples (`Interpolated`) it is the penalty of WGAN-GP; with
    target = 0 on real ones, half of it times gamma is R1.

    Args:
        by: Name of the discriminator.
        target: The length that the gradient is to have.
        held: What the discriminator is given but does not judge, as the class of a conditional GAN: its slope along
            these variables is free.

    References:
        Ishaan Gulrajani et al. Improved Training of Wasserstein GANs. NIPS 2017.
        https://arxiv.org/abs/1704.00028, equation 3.
        Lars Mescheder, Andreas Geiger, Sebastian Nowozin. Which Training Methods for GANs do actually
        Converge? ICML 2018. https://arxiv.org/abs/1801.04406, equation 9.
    """

    by: str = "discriminator"
    target: float = 1.0
    held: tuple[str, ...] = ()

    @property
    def judges(self):
        return (self.by,)

    @property
    def by_draw(self):
        return True

    def __call__(self, sample):
        given = {variable: tf.identity(sample[variable]) for variable in self._judged(sample.roles)}
        with tf.GradientTape() as tape:
            tape.watch(given)
            logits = sample.where(**given).distribution(self.by).logits
        gradients = [g for g in tape.gradient(logits, given).values() if g is not None]
        squares = [tf.reduce_sum(tf.reshape(tf.square(g), [*_batch(logits), -1]), -1) for g in gradients]
        square = tf.cast(tf.add_n(squares), tf.float32)
        if self.target == 0.0:
            return square
        return tf.square(tf.sqrt(square + 1e-12) - self.target)  # the root of 0 has no gradient

    def describe(self, roles):
        length = f"|d{roles.logit(self.by)}/d({', '.join(self._judged(roles))})|"
        return f"{length}^2" if self.target == 0.0 else f"({length} - {number(self.target)})^2"

    @property
    def label(self):
        return "gradient_penalty"

    def _judged(self, roles):
        return [variable for variable in roles[self.by].given if variable not in self.held]


def _batch(logits: tf.Tensor) -> list[tf.Tensor]:
    return tf.unstack(tf.shape(logits))


@record
class ClippedRatio(Term):
    """-min(r f, clip(r, 1 - epsilon, 1 + epsilon) f): a critic's output f times how much likelier a draw became, [B].

    r = p_theta(x) / p_theta0(x) is estimated by a classifier of data against draws, with logit l now and l_0 under
    theta_0, where log p_data / p_theta = l: so r = exp(l_0 - l).  Clipping takes away the reason for larger moves.

    Args:
        by: Name of the critic.
        classifier: Name of the classifier.
        before: Name of the variable that holds l_0; see `Ask`.
        epsilon: How far r may move.

    References:
        Yue Wu, Pan Zhou, Andrew Wilson, Eric Xing, Zhiting Hu. Improving GAN Training with Probability Ratio
        Clipping and Sample Reweighting. NeurIPS 2020. https://arxiv.org/abs/2006.06900, equation 9.  (Their
        published code takes the maximum where f < 0; this is the equation.)
    """

    by: str = "discriminator"
    classifier: str = "ratio"
    before: str = "l"
    epsilon: float = 0.4

    @property
    def judges(self):
        return (self.by, self.classifier)

    @property
    def by_draw(self):
        return True

    @property
    def takes(self):
        return (self.before,)

    def __call__(self, sample):
        f, now = sample.distribution(self.by).logits, sample.distribution(self.classifier).logits
        ratio = tf.exp(sample[self.before] - now)
        return -tf.minimum(ratio * f, tf.clip_by_value(ratio, 1.0 - self.epsilon, 1.0 + self.epsilon) * f)

    def describe(self, roles):
        f, now, bounds = roles.logit(self.by), roles.logit(self.classifier), f"1 -+ {number(self.epsilon)}"
        return f"-min(r f, clip(r, {bounds}) f) with f = {f}, r = exp({self.before} - {now})"

    @property
    def label(self):
        return "clipped"
