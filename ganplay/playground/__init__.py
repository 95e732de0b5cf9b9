"""The 2-D playground: one or two small GANs that anybody stops, changes, looks into and takes back in time.

`script` is what a link holds, `world` computes it, `frames` is what a browser is sent. One child process (`host`)
trains the worlds of all readers, and the server talks to it through `client`.
"""
