# SPDX-License-Identifier: Apache-2.0
"""What the notifier is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradewind.common.errors import SettingsError
from tradewind.common.settings import ServiceSettings, optional_secret, secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where notices go, and what they are signed with.

    The address is as secret as the key: whoever knows a chat's may write there.
    """

    service: ServiceSettings
    url: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads TRADEWIND_WEBHOOK_URL (or _URL_FILE), _WEBHOOK_SECRET_FILE, the service settings.

        Raises:
            SettingsError: if one is missing or no address.
        """
        url = optional_secret(env, "TRADEWIND_WEBHOOK_URL")
        if not url.startswith(("http://", "https://")):
            raise SettingsError("TRADEWIND_WEBHOOK_URL is no address: use https://host/path")
        key = secret(env, "TRADEWIND_WEBHOOK_SECRET_FILE")
        if not key:
            raise SettingsError("TRADEWIND_WEBHOOK_SECRET_FILE names an empty file")
        return cls(service=ServiceSettings.from_env(env), url=url, secret=key)
