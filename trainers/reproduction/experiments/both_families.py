"""GANs and VAEs with one decoder, by the figures of both: likelihoods, and scores of samples."""

from ..declarations import Contender, Experiment, Measured, Scale

_BOUNDED = ("VAE", "AAVAE", "IWAE")
_GREY = {"observation": "grey", "hyperparameters": {"r1": 0.3}, "learning_rate": 1e-3}
_SOFT = {"observation": "grey", "likelihood": "gaussian(scale=0.3)"}  # bits would be memorised with their noise
_UPDATES = 8_600

EXPERIMENT = Experiment(
    title="GANs and VAEs by the figures of both",
    source="No paper: none scores both families by one table",
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
        Measured("classification accuracy score, labelled by a classifier", "cas"),
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
            effort={"seeds": 1, "examples": 100, "chains": 8, "temperatures": 300},
            note="11 epochs of MNIST.",
        ),
        "full": Scale(updates=10 * _UPDATES, seeds=5, effort={"examples": 1_000}, note="101 epochs of MNIST."),
    },
    open=(
        "All decoders are 20-500-500-784 and all see as many images, so that a difference is one of what is minimised. "
        "GANs with convolutions give other samples.",
        "A likelihood is one of what is observed: of bits for VAE, AAVAE and IWAE; of grey levels for the AAE, under a "
        "Gaussian of deviation 0.3; and of grey levels for GANs, under the Gaussian that training data find likeliest. "
        "It compares within a kind.",
        "Scores of samples are by a small classifier of the training split, and of 10,000 samples.",
        "None of these models is asked for a class, so a classification accuracy score is of samples that the same "
        "classifier labelled.",
        "Dense GANs without a penalty collapse here. GAN, IWGAN and BiGAN have R1 of weight 0.3 and Adam(1e-3), the "
        "best of eight for a GAN of one seed after 5 epochs, by the Frechet distance on the validation split: 84, 56 "
        "and 51 at 2e-4 with 0.1, 1 and 10; 40 at 5e-4 with 1; 25, 31 and 33 at 1e-3 with 0.3, 1 and 10; 30 at 2e-3 "
        "with 3.",
    ),
)
