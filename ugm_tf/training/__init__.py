"""How a joint learns: training steps, optimizers, averages, and how steps are run."""
