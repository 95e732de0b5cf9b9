"""Image classifiers whose features the scores compare samples by: a small family, its training and its files."""
