"""Evaluations that pages ask for: a queue, a child process that computes one at a time, and the results on disk."""
