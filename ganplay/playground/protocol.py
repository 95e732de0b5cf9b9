"""What server and host must agree on: statuses, which are those of HTTP, and the number of the host's first word."""

OK, NOTHING_NEW, REFUSED, NOT_FOUND, TOO_LARGE, UNSUPPORTED, BUSY = 200, 204, 400, 404, 413, 415, 429
UNEXPECTED, UNAVAILABLE = 500, 503
READY = 0  # the host is there
