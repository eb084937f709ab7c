"""Secrets in HashiCorp Vault: its key-value store of version 2, entered by a token or as an AppRole.

Law: no answer of Vault's is passed on, only its status. `VAULT_ADDR` says where it is, and either `VAULT_TOKEN` or
`VAULT_ROLE_ID` with `VAULT_SECRET_ID` who asks; `VAULT_NAMESPACE` is sent where it is set.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

PATIENCE = httpx.Timeout(5.0)
DENIED = httpx.codes.FORBIDDEN


class Vault:
    """One Vault. A token got as an AppRole is kept until Vault refuses it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("VAULT_ADDR", "").rstrip("/")
        self._given = environ.get("VAULT_TOKEN", "")
        self._role = {"role_id": environ.get("VAULT_ROLE_ID", ""), "secret_id": environ.get("VAULT_SECRET_ID", "")}
        self._namespace = environ.get("VAULT_NAMESPACE", "")
        self._token = self._given
        self._entering = asyncio.Lock()

    async def read(self, path: str, field: str) -> str:
        """Return one field of a secret at `MOUNT/PATH`."""
        mount, _, rest = path.partition("/")
        if not rest or not field:
            raise LookupError("a secret in Vault is named by mount, path and field: secret://vault/MOUNT/PATH#FIELD")
        if not self._address:
            raise LookupError("VAULT_ADDR does not say where Vault is")
        try:
            async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
                answer = await self._get(client, f"/v1/{mount}/data/{rest}")
        except httpx.HTTPError as error:
            raise OSError(f"Vault does not answer: {type(error).__name__}") from None
        return _found(answer, field)

    async def _get(self, client: httpx.AsyncClient, path: str) -> httpx.Response:
        """Ask with the token at hand; where that is refused, once more with a new one."""
        used = self._token or await self._enter(client, "")
        answer = await client.get(self._address + path, headers=self._headers(used))
        if answer.status_code == DENIED and not self._given:
            used = await self._enter(client, used)
            answer = await client.get(self._address + path, headers=self._headers(used))
        return answer

    async def _enter(self, client: httpx.AsyncClient, refused: str) -> str:
        """Return a token of the AppRole: a new one, unless somebody got one meanwhile."""
        async with self._entering:
            if self._token != refused:
                return self._token
            if not all(self._role.values()):
                raise LookupError("set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID")
            login = f"{self._address}/v1/auth/approle/login"
            answer = await client.post(login, json=self._role, headers=self._headers(""))
            self._token = _token(answer)
            return self._token

    def _headers(self, token: str) -> dict[str, str]:
        named = {"X-Vault-Token": token, "X-Vault-Namespace": self._namespace, "X-Vault-Request": "true"}
        return {name: value for name, value in named.items() if value}


def _token(answer: httpx.Response) -> str:
    try:
        return str(_good(answer)["auth"]["client_token"])
    except (LookupError, TypeError):
        raise LookupError(f"Vault does not let this role in (status {answer.status_code})") from None


def _found(answer: httpx.Response, field: str) -> str:
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise OSError(f"Vault cannot say (status {answer.status_code})")
    if answer.status_code == DENIED:
        raise LookupError("Vault does not allow it (status 403)")
    try:
        return str(_good(answer)["data"]["data"][field])
    except (LookupError, TypeError):
        raise LookupError(f"Vault has no such secret or field (status {answer.status_code})") from None


def _good(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.status_code == httpx.codes.OK else {}
    except ValueError:
        return {}
