"""Certificates for tests, made by the openssl command: an authority, and what it signed."""

import subprocess
from pathlib import Path

from tests.services import program

_CONFIG = """[ca]
default_ca = here
[here]
database = {folder}/index.txt
new_certs_dir = {folder}
certificate = {folder}/{name}.pem
private_key = {folder}/{name}.key
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    """A certificate authority of our own (P-256)."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = name
        self.certificate = folder / f"{name}.pem"
        (folder / f"{name}.cnf").write_text(_CONFIG.format(folder=folder, name=name))
        (folder / "index.txt").write_text("")
        self._openssl(
            "req", "-x509", *self._new_key(name), "-out", self.certificate,
            "-days", "30", "-subj", f"/CN={name}",
        )  # fmt: skip

    def issue(self, host: str, *, expired: bool = False) -> tuple[Path, Path]:
        """(certificate, key) for a host name."""
        name = f"{host}-expired" if expired else host
        request, certificate = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        self._openssl("req", *self._new_key(name), "-out", request, "-subj", f"/CN={host}")
        dates = ("20250101000000Z", "20250201000000Z" if expired else "20991231000000Z")
        self._openssl(
            "ca", "-batch", "-notext", "-config", self.folder / f"{self.name}.cnf",
            "-in", request, "-out", certificate, "-extfile", extensions,
            "-startdate", dates[0], "-enddate", dates[1],
        )  # fmt: skip
        return certificate, self.folder / f"{name}.key"

    def _new_key(self, name: str) -> tuple[str | Path, ...]:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        return (*curve, "-keyout", self.folder / f"{name}.key")

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(
            [program("openssl"), *arguments], cwd=self.folder, check=True, capture_output=True
        )
