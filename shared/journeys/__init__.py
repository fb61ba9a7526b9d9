"""The pure core: definitions, conditions and the derivation. Time is an argument; no I/O."""
