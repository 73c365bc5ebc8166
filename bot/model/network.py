"""Which addresses a configured URL may lead to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))
# What machines of a cloud ask about themselves, keys included, beyond the link-local networks:
# Amazon, Google, Azure, Alibaba, Oracle.
_METADATA = frozenset(
    map(
        ip_address,
        ("fd00:ec2::254", "fd20:ce::254", "168.63.129.16", "100.100.100.200", "192.0.0.192"),
    )
)
_NAT64 = ip_network("64:ff9b::/96")


def refusal(address: str) -> str | None:
    """Why nothing may be asked at this address; None for one that may be, or for no address at all.

    An IPv4 address inside an IPv6 one counts as itself.
    """
    try:
        outer = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    for one in (outer, _inner(outer)):
        if one is None:
            continue
        if one in _METADATA:
            return "it is a cloud's metadata service"
        if any(one in network for network in _LINK_LOCAL if network.version == one.version):
            return "it is a link-local address, where clouds keep their metadata service"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine: what goes there is seen by nobody else."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """What an IPv6 address is translated to on its way."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or int(address) >> 32 == 0:  # the latter: IPv4-compatible, long given up
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
