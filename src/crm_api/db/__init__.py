"""Connections, transactions and compiled statements. Nothing above this package opens or ends a transaction."""
