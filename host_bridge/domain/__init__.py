"""What facts mean: seats, headsets, hygiene. Pure: no I/O, no database, no MQTT, no clock."""
