"""What every Postroom service shares, and nothing that only one needs."""
