"""Pure decisions: given facts and the time as arguments, what to do."""
