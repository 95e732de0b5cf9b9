"""The verbs of the command line. Each module has `configure(parser, words)` and `execute(options) -> exit code`."""
