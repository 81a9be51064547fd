"""Models and provider presets, as data, and their loader."""
