"""The one guarded client for everything that goes to targets: only what the config names.

No redirects, no proxy from the environment, TLS verified, no link-local or metadata address, one
total time limit, and at most 1 MiB of a body (or what whoever asks allows), before and after decompression.
How a request failed is a type, because a person must know the difference between a service that is down
and a URL that is wrong.
"""

from bot.http.client import RELAY as RELAY
from bot.http.client import Answer as Answer
from bot.http.client import Client as Client
from bot.http.failure import BrokenAnswer as BrokenAnswer
from bot.http.failure import Forbidden as Forbidden
from bot.http.failure import Refused as Refused
from bot.http.failure import RequestFailed as RequestFailed
from bot.http.failure import Reset as Reset
from bot.http.failure import TimedOut as TimedOut
from bot.http.failure import TooLarge as TooLarge
from bot.http.failure import Unreachable as Unreachable
from bot.http.failure import reach as reach
