"""The scripts: train, evaluate and sample."""
