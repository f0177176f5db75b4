"""Desk units without hardware: chip models, a simulated ESP32, rooms and days."""
