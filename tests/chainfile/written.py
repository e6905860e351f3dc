"""Chain files as a person writes them."""


def chain_of(*members: str) -> str:
    """Return the text of a file that has these stages, each an object in JSON, and a drawer."""
    return '{"batchwright": 1, "stages": [' + ", ".join([*members, '{"kind": "Drawer"}']) + "]}"
