"""A simulated shop, to see Milepost at work before your own site is connected."""
