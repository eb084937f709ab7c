"""Why a channel did not take a notice, or a sink an event. `final`: trying again would not mend it."""


class Undelivered(Exception):
    """A clause for people: no address, no secret, nothing that a stranger's server said."""

    def __init__(self, clause: str, *, final: bool = False) -> None:
        super().__init__(clause)
        self.final = final
