"""Small worlds in which a failure of GANs can be computed: break it, diagnose it, cure it."""
