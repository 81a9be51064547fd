"""Where limits are kept: one contract, an embedded home and Redis."""
