"""Slack's side of an HTTP measurement: signed requests on kept connections, from another process."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bench.apps import payload
from bench.pairs import Work, take_turns


@dataclass(frozen=True)
class Errand:
    """What to type at which servers on this machine, how often."""

    ports: tuple[int, ...]
    text: str
    secret: str
    rounds: int


def visit(errand: Errand) -> list[list[float]]:
    """How long each server's answer took, in milliseconds, taking turns."""
    verifier = SignatureVerifier(errand.secret)
    asks = [_asking(HTTPConnection("127.0.0.1", port), verifier, errand) for port in errand.ports]
    return asyncio.run(take_turns(errand.rounds, *asks))


def _asking(connection: HTTPConnection, verifier: SignatureVerifier, errand: Errand) -> Work:
    async def ask(number: int) -> None:
        body = urlencode(payload(errand.text, number))
        timestamp = str(int(time.time()))
        signature = verifier.generate_signature(timestamp=timestamp, body=body)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
        }
        connection.request("POST", "/slack/events", body, headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer

    return ask
