"""The seven steps of a run, one function each: pure functions of folders in the store."""
