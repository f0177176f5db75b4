"""The board: the only place that knows the ESP32."""
