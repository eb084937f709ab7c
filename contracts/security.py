"""What a workspace demands for its safety: `security.yaml`, read by `language/workspace.py`.

The law: what is not said is the stricter of the two.
"""

from contracts.base import Document


class SecurityFile(Document):
    """`security.yaml`.

    `allow_hosts` are the hosts inside that may be called, as `host` or `host:port`; all others are refused where they
    lead to an address inside (`activities/outward.py`). With `require_receipts` no executor acts that has no key to
    sign receipts with. `require_signed` names roles or people: only missions and policies count that one of them has
    signed (`activities/signature.py`).
    """

    allow_hosts: tuple[str, ...] = ()
    require_receipts: bool = False
    require_signed: tuple[str, ...] = ()
