"""What lies behind an address: the wide world, or somewhere inside.

Law: only what is surely outside counts as outside. An IPv6 address that carries an IPv4 address is judged by that one,
and what is set aside for no use that we know is inside too. `activities/outward.py` asks before it dials.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")
GLOBAL = IPv6Network("2000::/3")
"""All of IPv6 that is given out to the world."""
EXAMPLES = IPv6Network("3fff::/20")
SET_ASIDE = tuple(IPv4Network(net) for net in ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24"))
"""Of what some releases of Python take for outside: this network, protocols, and where IPv4 was wrapped into IPv6."""
HOME: tuple[IPv4Network | IPv6Network, ...] = (
    *(IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),
    IPv6Network("fc00::/7"),
)
METADATA: Mapping[Address, str] = {
    ip_address(text): cloud
    for text, cloud in (
        ("169.254.169.254", "the metadata of most clouds"),
        ("fd00:ec2::254", "the metadata of a cloud"),
        ("100.100.100.200", "the metadata of a cloud"),
        ("168.63.129.16", "the metadata of a cloud"),
        ("192.0.0.192", "the metadata of a cloud"),
    )
}
STRAY = "an address set aside"
NAMEABLE = frozenset({"a loopback address", "a private address"})
"""What a name may lead to that the workspace allows; anything else only an address that it allows as such."""


def literal(host: str) -> Address | None:
    """Return the address that a host is written as, in the one way in which addresses are written; else nothing."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None


def inside(address: Address) -> str:
    """Return what an address is that leads inside, in words; nothing where it leads outside."""
    if address in METADATA:
        return METADATA[address]
    if isinstance(address, IPv6Address):
        carried = _carried(address)
        return inside(carried) if carried is not None else _inside6(address)
    outside = address.is_global and not any(address in net for net in SET_ASIDE)
    return _kind(address) or ("" if outside else STRAY)


def _inside6(address: IPv6Address) -> str:
    outside = address in GLOBAL and address.is_global and address not in EXAMPLES
    return _kind(address) or ("" if outside else STRAY)


def _kind(address: Address) -> str:
    if address.is_unspecified:
        return "no address of anybody"
    if address.is_loopback:
        return "a loopback address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if any(address.version == net.version and address in net for net in HOME):
        return "a private address"
    return ""


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is reached by an IPv6 address."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return address.sixtofour
    return address.ipv4_mapped
