"""The Gradio studio: sample and interpolate any checkpoint or run, in a browser or from a program."""
