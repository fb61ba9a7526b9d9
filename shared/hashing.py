"""Hashing what is not to be kept as it is: who has the secret finds it again by what it was, nobody reads it."""

import hmac


def hashed(text: str, secret: str) -> str:
    """HMAC-SHA-256 of a text, in hexadecimal; capitals and the space around make no difference, as in e-mail."""
    return hmac.digest(secret.encode(), text.strip().lower().encode("utf-8", "surrogatepass"), "sha256").hex()
