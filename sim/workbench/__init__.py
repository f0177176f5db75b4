"""The workbench: one desk unit on a web page, with everything that can happen to it."""
