"""A class on one server: `exercises` that fix most settings, `store` for classes on disk, `board` for their runs.

There are no accounts. Whoever knows a class's code sees its board and takes part under any name; whoever has the
teacher's key changes its exercises and deletes it. Nothing here imports torch before a run is started.
"""
