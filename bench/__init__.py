"""Side by side: the designs in use, their floors and their peers, on the same input in one run. Ratios only."""
