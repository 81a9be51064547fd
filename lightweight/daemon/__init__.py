"""Process life: start, signals, reload, drain, stop."""
