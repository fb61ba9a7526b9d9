"""The product from outside: processes, SDKs and a browser."""
