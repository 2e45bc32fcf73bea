"""GANs and VAEs with one decoder, by the figures of both: likelihoods, and scores of samples."""

from ..declarations import Contender, Experiment, Measured, Scale

_BOUNDED = ("VAE", "AAVAE", "IWAE")
_GREY = {"observation": "grey"}
_SOFT = _GREY | {"likelihood": "gaussian(scale=0.3)"}  # binarised images would be memorised with their noise
_UPDATES = 12_900

EXPERIMENT = Experiment(
    title="GANs and VAEs by the figures of both",
    source="no paper: none scores both families by one table",
    settings={"dataset": "mnist", "batch_size": 64, "network": "mlp", "hidden": (500, 500), "code_size": 20},
    figures=(
        Measured("annealed log p(x)", "annealed"),
        Measured("bound on log p(x)", "bound", of=_BOUNDED),
        Measured("ELBO", "elbo", of=_BOUNDED),
        Measured("inception score", "classes"),
        Measured("classes covered", "classes"),
        Measured("Frechet distance", "distances", higher=False),
        Measured("kernel distance", "distances", higher=False),
        Measured("precision", "manifold"),
        Measured("recall", "manifold"),
        Measured("density", "manifold"),
        Measured("coverage", "manifold"),
    ),
    contenders=(
        Contender("GAN", {"recipe": "gan", **_GREY}),
        Contender("IWGAN", {"recipe": "iwgan", **_GREY}, against=("GAN",)),
        Contender("BiGAN", {"recipe": "bigan", **_GREY}, against=("GAN",)),
        Contender("VAE", {"recipe": "vae"}),
        Contender("AAVAE", {"recipe": "aavae"}, against=("VAE",)),
        Contender("IWAE", {"recipe": "iwae"}, against=("VAE",)),
        Contender("AAE", {"recipe": "aae", **_SOFT}),
    ),
    scales={
        "smoke": Scale(
            {"dataset": "digits", "hidden": (32, 32)},
            updates=200,
            seeds=2,
            effort={"seeds": 1, "examples": 4, "chains": 2, "temperatures": 10},
        ),
        "cpu": Scale(
            updates=_UPDATES,
            seeds=3,
            effort={"examples": 100, "temperatures": 500},
            note="15 epochs of MNIST.",
        ),
        "full": Scale(updates=10 * _UPDATES, seeds=5, effort={"examples": 1_000}, note="150 epochs of MNIST."),
    },
    open=(
        "All decoders are 20-500-500-784 and all see as many images, so that a difference is one of what is minimised. "
        "GANs with convolutions give other samples.",
        "A likelihood is one of what is observed: of bits for VAE, AAVAE and IWAE; of grey levels for the AAE, under a "
        "Gaussian of deviation 0.3; and of grey levels for GANs, under the Gaussian that training data find likeliest. "
        "It compares within a kind.",
        "Scores of samples are by a small classifier of the training split, and of 10,000 samples.",
        "A classification accuracy score takes samples by class, which none of these models draws.",
    ),
)
