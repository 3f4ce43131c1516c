"""What is seen of people on the net: forms, and ranges that lead nowhere."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.entities_for_tests import KEY, LABEL, LEVEL, NUMBER, TEXT, Columns, listed, made, wrong

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.generators.internet import Internet

EVERY = {"ip": TEXT, "ipv4": TEXT, "ipv6": TEXT, "mac": TEXT, "user_agent": TEXT, "browser": LABEL, "system": LABEL,
         "device": LABEL, "domain": LABEL, "url": TEXT}  # fmt: skip
NETS = {
    "documentation": ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"],
    "private": ["10.0.0.0/8"],
}


@pytest.mark.parametrize("kind", NETS)
def test_addresses_lead_nowhere(kind: str) -> None:
    """IP addresses are valid, spelled the shortest way, and of ranges that belong to nobody."""
    held = listed(Internet(ipv4=kind, sixes=0.25), EVERY, 4_000)
    nets = [ip_network(n) for n in NETS[kind]]
    six = ip_network("2001:db8::/32")
    assert all(any(ip_address(a) in n for n in nets) for a in held["ipv4"])
    assert all(ip_address(a) in six and str(ip_address(a)) == a for a in held["ipv6"])
    sixes = [a for a in held["ip"] if ":" in a]
    assert stats.binomtest(len(sixes), 4_000, 0.25).pvalue > LEVEL
    assert all(ip_address(a) in six if ":" in a else any(ip_address(a) in n for n in nets) for a in held["ip"])
    assert len(set(held["ipv6"])) > 3_990


def test_devices_are_nobodys() -> None:
    """MAC addresses have the bit of those that no maker gave, and are of one receiver."""
    held = listed(Internet(), {"mac": TEXT}, 500)["mac"]
    assert all(re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", m) for m in held)
    assert all(int(m[:2], 16) & 3 == 2 for m in held)
    assert len(set(held)) == 500


def test_user_agents_go_together() -> None:
    """Browser, system and device are those that the user agent says."""
    held = listed(Internet(), EVERY, 4_000)
    marks = {
        "Windows": "Windows NT",
        "macOS": "Macintosh",
        "Linux": "X11",
        "Android": "Android",
        "iOS": "like Mac OS X",
    }
    for agent, browser, system, device in zip(
        held["user_agent"], held["browser"], held["system"], held["device"], strict=True
    ):
        assert agent.startswith("Mozilla/5.0 (")
        assert marks[system] in agent
        said = (
            "Edge"
            if "Edg/" in agent
            else "Chrome"
            if "Chrome/" in agent
            else "Firefox"
            if "Firefox/" in agent
            else "Safari"
        )
        assert browser == said
        assert device == ("tablet" if "iPad" in agent else "mobile" if "Mobile" in agent else "desktop")
    assert len(set(held["user_agent"])) > 100


def test_pages_are_below_domains_for_examples() -> None:
    """Pages are at the row's domain; domains have their shares at one in a million, in whatever order they stand."""
    held = listed(Internet(), EVERY, 2_000)
    for url, domain in zip(held["url"], held["domain"], strict=True):
        assert re.fullmatch(rf"https://{re.escape(domain)}/[a-z]+(/[a-z]+)?", url)
        assert re.search(r"\.example\.(com|org|net)$", domain)
    one, two = (Internet(domains=d) for d in ({"a.example": 3, "b.example": 1}, {"b.example": 1, "a.example": 3}))
    held = listed(one, {"domain": LABEL}, 4_000)
    assert held == listed(two, {"domain": LABEL}, 4_000)
    assert stats.binomtest(held["domain"].count("a.example"), 4_000, 0.75).pvalue > LEVEL


def test_unique_over_shards() -> None:
    """Addresses of unique columns differ in all shards; more rows than there are addresses are told."""
    columns: Columns = {"ip": Field(kind=KEY), "ipv6": Field(kind=TEXT, unique=True), "mac": KEY, "url": KEY}
    shards = [made(Internet(sixes=0.5), columns, 4_000, first=f) for f in (0, 4_000)]
    for column in columns:
        values = [v for s in shards for v in s.column(column).to_pylist()]
        assert len(set(values)) == 8_000, column
    assert all(ip_address(v) for v in shards[1].column("ip").to_pylist())
    with pytest.raises(SampleError, match="16,777,216 rows"):
        made(Internet(), {"ip": KEY}, 5, first=2**24)


def test_faults_are_told_before_anything_runs() -> None:
    """Domains that are none, weights without sense, unique columns that cannot be."""
    assert wrong(Internet(ipv4="documentation"), {"ip": KEY}) == [
        "ipv4: column 'ip' is unique, and there are 762 such addresses: say private"
    ]
    assert "is of kind 'number'" in wrong(Internet(), {"ip": NUMBER})[0]
    assert "too few different values" in wrong(Internet(), {"browser": Field(kind=TEXT, unique=True)})[0]
    bad: list[dict[str, object]] = [
        {"domains": {"no domain": 1}},
        {"domains": {"a.example": -1}},
        {"domains": {}},
        {"sixes": 1.1},
        {"domains": {"a.example": 0}},
        {"ipv4": "public"},
    ]
    for settings in bad:
        with pytest.raises(ValidationError):
            Internet.model_validate(settings)
    said = {"source_ip": "ip", "client_ip_address": "ip", "os": "system", "ua": "user_agent", "referrer": "url"}
    assert {c: Internet().role(c) for c in said} == said
