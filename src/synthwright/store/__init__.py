"""Where artefacts stay: folders named by the fingerprint of what went into them."""
