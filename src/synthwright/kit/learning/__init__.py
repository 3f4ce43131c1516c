"""What generators learn with: trees, compiled kernels, and rows made column by column."""
