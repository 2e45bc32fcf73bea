"""Published experiments as declarations: their runs, and the tables that follow from what the runs left."""
