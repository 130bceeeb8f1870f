"""Whether an address can be listened on, asked before anything is started."""

import socket

from hookline.errors import BadInput


def check_free(host: str, port: int) -> None:
    """Nothing, if a service can listen there.

    Raises:
        BadInput: Where the port is taken or the host is not this machine's.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(
            f"{host} port {port} can't be had ({reason}); choose another with --port"
        ) from None
