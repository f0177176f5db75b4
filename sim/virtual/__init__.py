"""A whole site in virtual time: real firmware on real VMs, real relay and director, one clock."""
