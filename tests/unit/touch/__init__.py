"""What a touchpoint says of itself: channel, kind, device, and how texts compare."""
