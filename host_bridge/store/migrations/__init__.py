"""Migrations of the database, applied by `chequer migrate` and whenever the store is opened."""
