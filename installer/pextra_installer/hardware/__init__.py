"""The machine: what it has (``model``), how that is read (``probe``), which disk is meant."""
