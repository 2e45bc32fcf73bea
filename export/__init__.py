"""Exporters of trained models, and the script that runs them."""
