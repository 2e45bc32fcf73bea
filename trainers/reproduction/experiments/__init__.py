"""Each file is an experiment: its name is the file's, and it declares `EXPERIMENT`.  A new one is a new file here."""
