"""What marketers ask of many touchpoints at once: columns in the order of (customer, time), and kernels over them."""
