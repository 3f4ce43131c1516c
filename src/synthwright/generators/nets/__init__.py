"""The networks of neural generators; whoever imports one needs PyTorch, the extra `neural`."""
